"""Each preset as a table: the rows of one invoice, to be added up by hand (`tests.reports.reported`)."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.factories import (
    InvoiceFactory,
    RateFactory,
    SubscriptionServiceFactory,
    UsageChargeFactory,
    UsageDataRecordFactory,
)
from tests.reports.reported import files, invoice_of_four_uses, line, texts, use, with_transaction

pytestmark = pytest.mark.django_db

MEASURES = "Uses,Duration,Quantity,Billed quantity,Unit,Charges (USD),Amount (USD)"
TOTAL = "4,00:03:30,,,,0.378,0.38"
# 0.378 over the cells of line 1 (0.125 and 0.25, to 0.38): 0.12 and 0.25 are 0.37, and the missing 0.01 goes to the
# first, which has half a cent left over.
PRESETS = {
    "Summary": (
        "Type",
        ["Call,3,00:03:30,210,210,second,0.378,0.38", "Message,1,00:00:00,1,1,message,0,0.00", f"Total,{TOTAL}"],
    ),
    "By Product": (
        "Product code,Product",
        [
            "CALLS,Calls,3,00:03:30,210,210,second,0.378,0.38",
            "SMS,Messages,1,00:00:00,1,1,message,0,0.00",
            f"Total,,{TOTAL}",
        ],
    ),
    "By Destination": (
        "Destination name",
        [
            "(no destination),1,00:00:00,1,1,message,0,0.00",
            "Paris,1,00:00:30,30,30,second,0.003,0.00",
            "United Kingdom,2,00:03:00,180,180,second,0.375,0.38",
            f"Total,{TOTAL}",
        ],
    ),
    "By Day": (
        "Date",
        [
            "2026-01-10,2,00:03:00,180,180,second,0.375,0.38",
            "2026-01-12,1,00:00:00,1,1,message,0,0.00",
            "2026-02-01,1,00:00:30,30,30,second,0.003,0.00",
            f"Total,{TOTAL}",
        ],
    ),
    "By Hour": (
        "Hour",
        [
            "0,1,00:00:30,30,30,second,0.003,0.00",
            "9,1,00:01:00,60,60,second,0.125,0.13",
            "11,1,00:00:00,1,1,message,0,0.00",
            "23,1,00:02:00,120,120,second,0.25,0.25",
            f"Total,{TOTAL}",
        ],
    ),
    "Top Destinations": (
        "Destination name",
        [
            "United Kingdom,2,00:03:00,180,180,second,0.375,0.38",
            "Paris,1,00:00:30,30,30,second,0.003,0.00",
            "(no destination),1,00:00:00,1,1,message,0,0.00",
            f"Total,{TOTAL}",
        ],
    ),
    "By Site": (
        "Site",
        [
            "(no site),1,00:02:00,120,120,second,0.25,0.25",
            "Berlin,1,00:00:00,1,1,message,0,0.00",
            "Berlin,2,00:01:30,90,90,second,0.128,0.13",
            f"Total,{TOTAL}",
        ],
    ),
    "By Campaign": (
        "Campaign",
        [
            "(no campaign),1,00:00:00,1,1,message,0,0.00",
            "(no campaign),2,00:01:30,90,90,second,0.128,0.13",
            "Winter,1,00:02:00,120,120,second,0.25,0.25",
            f"Total,{TOTAL}",
        ],
    ),
    "By Number": (
        "Number",
        [
            "+493011111,1,00:00:00,1,1,message,0,0.00",
            "+493011111,2,00:01:30,90,90,second,0.128,0.13",
            "+493022222,1,00:02:00,120,120,second,0.25,0.25",
            f"Total,{TOTAL}",
        ],
    ),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_table_of_groups_of_the_customer(preset: str, tmp_path: Path) -> None:
    columns, rows = PRESETS[preset]
    (text,) = texts(invoice_of_four_uses(), tmp_path, customer_usage_reports=(preset,)).values()
    assert text.splitlines() == [f"{columns},{MEASURES}", *rows]


USES = "Date,Time,Number,Destination,Destination name,Type,Duration,Quantity,Unit,Amount (USD)"
C1 = "2026-01-10,09:00:00,+493011111,+442079460001,United Kingdom,Call,00:01:00,60,second,0.125"
C2 = "2026-01-10,23:30:00,+493022222,+442079460002,United Kingdom,Call,00:02:00,120,second,0.25"
C3 = "2026-02-01,00:30:05,+493011111,+33140000003,Paris,Call,00:00:30,30,second,0.003"
C4 = "2026-01-12,11:00:00,+493011111,,,Message,00:00:00,1,message,0"
TOTALS = ["Total (4),,,,,,00:03:30,,,0.378", "Invoiced,,,,,,,,,0.38"]


@pytest.mark.parametrize(
    ("preset", "rows"), [("Longest Uses", [C2, C1, C3, C4]), ("Most Expensive Uses", [C2, C1, C3, C4])]
)
def test_uses_that_are_singled_out(preset: str, rows: list[str], tmp_path: Path) -> None:
    (text,) = texts(invoice_of_four_uses(), tmp_path, customer_usage_reports=(preset,)).values()
    assert text.splitlines() == [USES, *rows, *TOTALS]


def test_what_is_not_singled_out_stands_below_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.queries.tables.TOP_USES", 1)
    (text,) = texts(invoice_of_four_uses(), tmp_path, customer_usage_reports=("Longest Uses",)).values()
    # 0.378 - 0.25 = 0.128
    assert text.splitlines()[1:] == [C2, "Others (3),,,,,,,,,0.128", *TOTALS]


def test_destinations_after_the_first_stand_together_as_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.queries.tables.TOP_DESTINATIONS", 1)
    (text,) = texts(invoice_of_four_uses(), tmp_path, customer_usage_reports=("Top Destinations",)).values()
    assert text.splitlines()[1:] == [
        "United Kingdom,2,00:03:00,180,180,second,0.375,0.38",
        "Others,1,00:00:00,1,1,message,0,0.00",
        "Others,1,00:00:30,30,30,second,0.003,0.00",
        f"Total,{TOTAL}",
    ]


# Of the site, the campaign and the number that C1, C3 and C4 are of, then of those of C2.
PARTS = {
    "Summary": (
        "Type",
        ["Call,2,00:01:30,90,90,second,0.128,0.13", "Message,1,00:00:00,1,1,message,0,0.00"],
        ["Call,1,00:02:00,120,120,second,0.25,0.25"],
    ),
    "By Product": (
        "Product code,Product",
        ["CALLS,Calls,2,00:01:30,90,90,second,0.128,0.13", "SMS,Messages,1,00:00:00,1,1,message,0,0.00"],
        ["CALLS,Calls,1,00:02:00,120,120,second,0.25,0.25"],
    ),
    "By Destination": (
        "Destination name",
        [
            "(no destination),1,00:00:00,1,1,message,0,0.00",
            "Paris,1,00:00:30,30,30,second,0.003,0.00",
            "United Kingdom,1,00:01:00,60,60,second,0.125,0.13",
        ],
        ["United Kingdom,1,00:02:00,120,120,second,0.25,0.25"],
    ),
    "By Day": (
        "Date",
        [
            "2026-01-10,1,00:01:00,60,60,second,0.125,0.13",
            "2026-01-12,1,00:00:00,1,1,message,0,0.00",
            "2026-02-01,1,00:00:30,30,30,second,0.003,0.00",
        ],
        ["2026-01-10,1,00:02:00,120,120,second,0.25,0.25"],
    ),
    "By Hour": (
        "Hour",
        [
            "0,1,00:00:30,30,30,second,0.003,0.00",
            "9,1,00:01:00,60,60,second,0.125,0.13",
            "11,1,00:00:00,1,1,message,0,0.00",
        ],
        ["23,1,00:02:00,120,120,second,0.25,0.25"],
    ),
    "Top Destinations": (
        "Destination name",
        [
            "United Kingdom,1,00:01:00,60,60,second,0.125,0.13",
            "Paris,1,00:00:30,30,30,second,0.003,0.00",
            "(no destination),1,00:00:00,1,1,message,0,0.00",
        ],
        ["United Kingdom,1,00:02:00,120,120,second,0.25,0.25"],
    ),
}
FIELDS = {
    "site_usage_reports": ("Sites", "Site", "Berlin", "(no site)"),
    "campaign_usage_reports": ("Campaigns", "Campaign", "(no campaign)", "Winter"),
    "number_usage_reports": ("Numbers", "Number", "+493011111", "+493022222"),
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("preset", PARTS)
def test_a_table_of_groups_of_each_part_of_the_customer(preset: str, field: str, tmp_path: Path) -> None:
    columns, *rows = PARTS[preset]
    title, column, *names = FIELDS[field]
    made = texts(invoice_of_four_uses(), tmp_path, **{field: (preset,)})
    assert list(made) == [f"{title}: {preset.capitalize()}"]
    # The parts by their names, the rows of each as they are above; the total is behind the columns of the groups.
    of_parts = sorted(zip(names, rows, strict=True))
    total = f"Total{',' * (1 + columns.count(','))},{TOTAL}"
    assert next(iter(made.values())).splitlines() == [
        f"{column},{columns},{MEASURES}",
        *(f"{name},{row}" for name, of_part in of_parts for row in of_part),
        total,
    ]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("preset", ["Longest Uses", "Most Expensive Uses"])
def test_uses_that_are_singled_out_of_each_part(preset: str, field: str, tmp_path: Path) -> None:
    title, column, *names = FIELDS[field]
    made = texts(invoice_of_four_uses(), tmp_path, **{field: (preset,)})
    of_parts = sorted(zip(names, [[C1, C3, C4], [C2]], strict=True))
    expected = [f"{name},{row}" for name, of_part in of_parts for row in of_part]
    # What a total is called stands in the first column, which is one more here.
    header, totals = f"{column},{USES}", [total.replace(",", ",,", 1) for total in TOTALS]
    if field == "number_usage_reports":
        # The number stands in front, and not once more.
        header, expected = header.replace("Time,Number", "Time"), [without_number(row) for row in expected]
        totals = TOTALS
    assert made[f"{title}: {preset.capitalize()}"].splitlines() == [header, *expected, *totals]


def without_number(row: str) -> str:
    """A row of a number's uses, which has the number in its first place, without the one in its fourth."""
    cells = row.split(",")
    return ",".join(cells[:3] + cells[4:])


def test_uses_that_each_number_has_the_longest_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.queries.tables.TOP_USES", 1)
    made = texts(invoice_of_four_uses(), tmp_path, number_usage_reports=("Longest Uses",))
    assert made["Numbers: Longest uses"].splitlines() == [
        "Number,Date,Time,Destination,Destination name,Type,Duration,Quantity,Unit,Amount (USD)",
        "+493011111,2026-01-10,09:00:00,+442079460001,United Kingdom,Call,00:01:00,60,second,0.125",
        "+493022222,2026-01-10,23:30:00,+442079460002,United Kingdom,Call,00:02:00,120,second,0.25",
        "Others (2),,,,,,,,,0.003",
        *TOTALS,
    ]


@pytest.mark.parametrize(
    ("detail", "rows"),
    [
        ("All", ["C1,0.125", "C2,0.25", "C4,0", "C3,0.003", "Total (4),0.378", "Invoiced,0.38"]),
        ("Chargeable Only", ["C1,0.125", "C2,0.25", "C3,0.003", "Others (1),0", "Total (4),0.378", "Invoiced,0.38"]),
        ("Above Threshold", ["C2,0.25", "Others (3),0.128", "Total (4),0.378", "Invoiced,0.38"]),
    ],
)
def test_call_details(detail: str, rows: list[str], tmp_path: Path) -> None:
    made = texts(
        invoice_of_four_uses(),
        tmp_path,
        call_details=(detail,),
        include_call_columns=("Record Number",),
        threshold_amount=Decimal("0.125"),
    )
    (text,) = made.values()
    assert text.splitlines() == ["Record number,Amount (USD)", *rows]


@pytest.mark.parametrize(
    ("detail", "header", "rows"),
    [
        ("By Number", "Number", ["+493011111,C1", "+493011111,C4", "+493011111,C3", "+493022222,C2"]),
        ("By Site", "Site", [",C2", "Berlin,C1", "Berlin,C4", "Berlin,C3"]),
    ],
)
def test_call_details_in_the_order_of_their_parts(detail: str, header: str, rows: list[str], tmp_path: Path) -> None:
    made = texts(invoice_of_four_uses(), tmp_path, call_details=(detail,), include_call_columns=("Record Number",))
    (text,) = made.values()
    found = text.splitlines()
    assert found[0] == f"{header},Record number,Amount (USD)"
    assert [row.rsplit(",", 1)[0] for row in found[1:5]] == rows


def test_every_column_of_calls(tmp_path: Path) -> None:
    (text,) = texts(invoice_of_four_uses(), tmp_path, call_details=("All",)).values()
    header, first = text.splitlines()[:2]
    assert header == (
        "Date,Time,Number,Destination,Destination name,Type,Product,Duration,Quantity,Billed quantity,Unit,Rate,"
        "Rate for,Connection fee,Amount (USD),Site,Campaign,Record number"
    )
    assert first == (
        "2026-01-10,09:00:00,+493011111,+442079460001,United Kingdom,Call,Calls,00:01:00,60,60,second,0.075,"
        "60 second,0.05,0.125,Berlin,,C1"
    )


@pytest.mark.parametrize(
    ("model", "rate"), [("perUnit", "0.075,second"), ("package", "0.075,second"), ("graduated", ","), ("volume", ",")]
)
def test_a_use_has_the_price_that_all_uses_of_its_line_have(model: str, rate: str, tmp_path: Path) -> None:
    invoice = InvoiceFactory()
    priced = RateFactory(pricing_model=model, unit_price=Decimal("0.075"))
    # Behind the first tier, say: what the invoice says of the line is the price of that tier.
    charged = line(invoice, "0.02", "0.02", rate=priced, unit_price=priced.unit_price)
    use(charged, SubscriptionServiceFactory(customer=invoice.customer), "2026-01-10T08:00", "0.02", number="C1")
    made = texts(invoice, tmp_path, call_details=("All",), include_call_columns=("Record Number", "Unit", "Rate"))
    assert made["Usage: All"].splitlines()[1] == f"C1,second,{rate},0.02"


def test_a_use_of_nothing_has_no_connection_fee_and_one_that_is_credited_gives_it_back(tmp_path: Path) -> None:
    invoice = InvoiceFactory()
    charged = line(invoice, "-0.05", "-0.05", charge_count=2, rate=RateFactory(connection_fee=Decimal("0.05")))
    service = SubscriptionServiceFactory(customer=invoice.customer)
    use(charged, service, "2026-01-10T08:00", "0", seconds=0, number="C1")
    at = datetime(2026, 1, 10, 9, tzinfo=UTC)
    credited = UsageDataRecordFactory(subscription_service=service, pending=False, from_date=at, number="C2")
    UsageChargeFactory(line=charged, rate=charged.rate, record=credited, quantity=-60, amount=Decimal("-0.05"))
    made = texts(invoice, tmp_path, call_details=("All",), include_call_columns=("Record Number", "Connection Fee"))
    assert made["Usage: All"].splitlines()[1:3] == ["C1,0,0", "C2,-0.05,-0.05"]


def test_transactions_with_the_columns_chosen(tmp_path: Path) -> None:
    columns = ("Date", "Description", "Type", "Quantity", "Unit Price", "Tax Rate", "Amount")
    invoice = with_transaction(invoice_of_four_uses(posted=False))
    made = texts(invoice, tmp_path, include_transaction_columns=columns)
    tax = invoice.lines.first().tax_rate.name  # type: ignore[union-attr]
    assert made["Transactions"].splitlines() == [
        "Date,Description,Type,Quantity,Unit price,Tax rate,Amount (USD)",
        f"2026-01-10,Set-up,One-off,2,12.5,{tax} (20 %),25.00",
        "Total (1),,,,,,25.00",
    ]


def test_an_invoice_without_other_lines_has_no_list_of_them(tmp_path: Path) -> None:
    assert files(invoice_of_four_uses(), tmp_path, include_transaction_columns=("Amount",)) == {}
