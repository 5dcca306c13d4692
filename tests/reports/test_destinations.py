"""Destinations as they are written in usage records: shown, masked, and named where no rate names them."""

import csv
import io
from pathlib import Path

import pytest
from phonenumbers.geodata import GEOCODE_DATA

from invoicing.models import Invoice
from reports.adapters.destinations import destination_name
from reports.queries.uses import SQL
from tests.factories import InvoiceFactory, SubscriptionServiceFactory
from tests.reports.reported import line, texts, use


def invoice_to(*destinations: str) -> Invoice:
    """An invoice with a use of 1.00 to each, one a minute."""
    invoice = InvoiceFactory()
    count = len(destinations)
    charged = line(invoice, str(count), f"{count}.00", charge_count=count)
    service = SubscriptionServiceFactory(customer=invoice.customer)
    for minute, destination in enumerate(destinations):
        use(charged, service, f"2026-01-10T08:{minute:02}", "1", destination=destination)
    return invoice


def column(invoice: Invoice, folder: Path, name: str, *, is_masked: bool = False) -> list[str]:
    """What a list of all uses says in a column."""
    columns = ("Record Number", name)
    made = texts(invoice, folder, call_details=("All",), include_call_columns=columns, masks_numbers=is_masked)
    _, *rows, _, _ = csv.reader(io.StringIO(*made.values()))
    return [row[1] for row in rows]


# However a number is written, nobody reads its last three digits.
WRITTEN = {
    "030 123 4567": ("030 123 4567", "030 123 4***"),
    "(030) 1234-567": ("(030) 1234-567", "(030) 1234-***"),
    "030/1 23 45 67": ("030/1 23 45 67", "030/1 23 4* **"),
    "0049-30-123456": ("0049-30-123456", "0049-30-123***"),
    "tel:+49-30-123456": ("tel:+49-30-123456", "tel:+49-30-123***"),
    "sip:+44-20-7946-0001@10.0.0.1": ("sip:+44-20-7946-0001@10.0.0.1", "sip:+44-20-7946-0***@10.0.0.1"),
    "0301234567/0301234568": ("0301234567/0301234568", "0301234***/0301234***"),
    "+44 (0)20 7946 0001": ("+442079460001", "+442079460***"),
    "+44\u00a020\u20117946\t0001": ("+442079460001", "+442079460***"),
    "\u200e+442079460001": ("+442079460001", "+442079460***"),
    "４４２０７９４６０００１": ("+442079460001", "+442079460***"),
    "٤٤٢٠٧٩٤٦٠٠٠١": ("+442079460001", "+442079460***"),
    "192.168.100.200": ("192.168.100.200", "192.168.100.***"),
    "2001:db8::1": ("2001:db8::1", "2001:db8::1"),
    "ann@example.com": ("ann@example.com", "ann@example.com"),
    "118 118": ("118 118", "118 118"),
}


@pytest.mark.django_db
def test_numbers_are_masked_however_they_are_written(tmp_path: Path) -> None:
    invoice = invoice_to(*WRITTEN)
    for place, is_masked in enumerate((False, True)):
        shown = column(invoice, tmp_path, "Destination", is_masked=is_masked)
        assert dict(zip(WRITTEN, shown, strict=True)) == {text: both[place] for text, both in WRITTEN.items()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "named",
    [
        # Nine digits tell the town there.
        {"8613000061234": "Nanjing, Jiangsu", "8613000011234": "Changzhou, Jiangsu"},
        # What was dialled in part takes no name from the others, nor from a country that it is not in.
        {"12125551234": "New York, NY", "1212555": "", "5551234": "", "192.168.100.200": ""},
    ],
)
def test_each_number_has_its_own_name(named: dict[str, str], tmp_path: Path) -> None:
    invoice = invoice_to(*named)
    assert column(invoice, tmp_path, "Destination Name") == list(named.values())
    assert column(invoice, tmp_path, "Destination Name", is_masked=True) == list(named.values())


def test_a_number_that_is_too_short_for_its_country_has_no_name() -> None:
    assert [destination_name(number, "de") for number in ("+5551234", "+442079460001")] == ["", "London"]


def test_where_plans_go_beyond_seven_digits_names_are_asked_for_by_nine() -> None:
    statement = (SQL / "uses.sql").read_text()
    beyond = [beginning for beginning in GEOCODE_DATA if len(beginning) > 7]
    left_out = [beginning for beginning in beyond if f"'{beginning[:2]}'" not in statement]
    # A few villages; to ask for the whole of their countries by nine would take long.
    assert len(left_out) < 100 < len(beyond)
