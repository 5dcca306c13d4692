"""A month of usage that comes in every way there is, with all that goes wrong in life, until it balances and is billed.

The switch writes German CSV; the same calls come again in other forms. A unit costs 0.01 USD; the tax is 20 %.
"""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.queries.completeness import day_figures, scope_of_days
from customers.models import Customer, SubscriptionService
from tests.factories import SourceSystemFactory, SubscriptionServiceFactory, UsageTypeFactory, UserFactory
from tests.gzipped import gzipped
from tests.runs import bill, customer_at, invoice, lines, post, totals
from tests.usage.stored import receive, work_off
from tests.usage.taking import counts
from tests.usage.workbooks import workbook
from usage.choices import Channel, ConflictDecision
from usage.models import PendingUsage, QuarantinedLine, SourceSystem, UsageConflict, UsageDataRecord, UsageImport
from usage.operations.conflicts import decide_conflict
from usage.operations.imports import import_usage
from usage.operations.reprocess import Reprocessed, correct_line, dismiss_line, reprocess_lines
from usage.operations.single import take_in_record

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "number;service;from_date;usage_amount"


@pytest.fixture
def acme() -> Customer:
    customer, product = customer_at("0.01", timezone="Europe/Berlin")
    SubscriptionServiceFactory(customer=customer, identifier="+49301", product=product)
    return customer


@pytest.fixture
def switch(acme: Customer) -> SourceSystem:
    return SourceSystemFactory(
        name="Switch",
        default_usage_type=UsageTypeFactory(),
        timezone="Europe/Berlin",
        delimiter=";",
        decimal_sign=",",
        date_format="DD.MM.YYYY hh:mm:ss",
    )


def take(switch: SourceSystem, content: bytes, name: str) -> UsageImport:
    return import_usage(
        source_system_id=switch.pk,
        file=io.BytesIO(content),
        file_name=name,
        at=timezone.now(),
        channel=Channel.COMMAND,
    )


def csv(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in (HEADER, *rows)).encode()


def amounts() -> dict[str, Decimal]:
    return dict(UsageDataRecord.objects.order_by("number").values_list("number", "usage_amount"))


def today() -> date:
    return timezone.now().date()


def balance() -> dict[str, object]:
    """What the switch has sent today, and where it is."""
    (day,) = day_figures(scope_of_days(from_day=today(), to_day=today()), at=timezone.now())
    assert day.balances, day
    received = f"{day.received_count} = {day.accepted_count} + {day.duplicate_count} + {day.conflict_count}"
    return {
        "received": f"{received} + {day.quarantined_count}",
        "pending": (day.pending_count, day.pending_quantity.normalize()),
        "charged": (day.charged_count, day.charged_quantity.normalize()),
        "cancelled": day.cancelled_count,
    }


def send_csv(switch: SourceSystem) -> UsageImport:
    """Two good calls, one with a letter for a digit, one of a telephone that nobody has, a last line."""
    first = take(
        switch,
        csv(
            "R1;+49301;05.01.2026 08:00:00;60,5",
            "R2;+49301;31.01.2026 23:30:00;100",
            "R3;+49301;06.01.2026 09:00:00;4O",
            "R4;+49302;06.01.2026 10:00:00;30",
            "SUM;;;",
        ),
        "monday.csv",
    )
    assert counts(first) == {"accepted": 2, "quarantined": 3}
    # 23:30 in Berlin is 22:30 UTC, of the same day; it is billed by the customer's day.
    r2 = UsageDataRecord.objects.get(number="R2")
    assert (r2.from_date, r2.billing_effective_date) == (datetime(2026, 1, 31, 22, 30, tzinfo=UTC), date(2026, 1, 31))

    # A part of it comes again, gzipped: a duplicate. The same part again is that import.
    part = gzipped(csv("R1;+49301;05.01.2026 08:00:00;60,5"))
    again = take(switch, part, "part.csv.gz")
    assert counts(again) == {"duplicates": 1}
    assert take(switch, part, "part.csv.gz").pk == again.pk
    return first


def send_the_rest(switch: SourceSystem, now: datetime) -> None:
    """JSON lines, gzipped, kept for a worker; a workbook; one record by itself."""
    # R1 once more, R2 with another duration, R5 new.
    rows = [
        {"number": "R1", "service": "+49301", "from_date": "05.01.2026 08:00:00", "usage_amount": 60.5},
        {"number": "R2", "service": "+49301", "from_date": "31.01.2026 23:30:00", "usage_amount": 90},
        {"number": "R5", "service": "+49301", "from_date": "07.01.2026 08:00:00", "usage_amount": 20},
    ]
    sent = gzipped("".join(json.dumps(row) + "\n" for row in rows).encode())
    second = work_off(receive(sent, name="tuesday.ndjson.gz", source_system_id=switch.pk, at=now))
    assert counts(second) == {"accepted": 1, "duplicates": 1, "conflicts": 1}

    header = ["number", "service", "from_date", "usage_amount"]
    book = workbook([header, ["R6", "+49301", "2026-01-08T08:00:00", 10]])
    assert counts(take(switch, book, "wednesday.xlsx")) == {"accepted": 1}

    texts = {"number": "R7", "service": "+49301", "from_date": "2026-01-09T08:00:00Z", "usage_amount": "9.5"}
    assert take_in_record(source_system_id=switch.pk, texts=texts, at=now).is_new
    assert not take_in_record(source_system_id=switch.pk, texts=texts, at=now).is_new


def put_right(first: UsageImport, acme: Customer, clerk_id: int, now: datetime) -> None:
    """A clerk corrects R3, enters the telephone of R4, dismisses the last line, and decides what R2 lasted."""
    product = SubscriptionService.objects.get(identifier="+49301").product
    SubscriptionServiceFactory(customer=acme, identifier="+49302", product=product)
    r3, _, last = QuarantinedLine.objects.filter(usage_import=first).order_by("line_number")
    correct_line(line_id=r3.pk, values={"usage_amount": "40"})
    dismiss_line(line_id=last.pk, note="The file's sum.", at=now, user_id=clerk_id)
    done = reprocess_lines(import_id=first.pk, at=now, user_id=clerk_id)
    assert done == Reprocessed(tried=2, accepted=2, duplicates=0, conflicts=0, quarantined=0)
    assert counts(first) == {"accepted": 4, "quarantined": 1}

    conflict = UsageConflict.objects.get()
    assert conflict.differences == {"usage_amount": ["100", "90"]}
    decide_conflict(conflict_id=conflict.pk, decision=ConflictDecision.REPLACED, at=now, user_id=clerk_id)


def test_a_month_of_usage_from_every_way_in_to_the_invoice(acme: Customer, switch: SourceSystem) -> None:
    now = timezone.now()
    first = send_csv(switch)
    send_the_rest(switch, now)
    # Received: 5 + 1 + 3 + 1 + 1 = 11. Pending: 60.5 + 100 + 20 + 10 + 9.5 = 200.
    nothing = (0, Decimal(0))
    received = "11 = 5 + 2 + 1 + 3"
    assert balance() == {"received": received, "pending": (5, Decimal(200)), "charged": nothing, "cancelled": 0}

    put_right(first, acme, UserFactory().pk, now)
    assert amounts() == {
        "R1": Decimal("60.5"),
        "R2": Decimal(100),
        "R2~2": Decimal(90),
        "R3": Decimal(40),
        "R4": Decimal(30),
        "R5": Decimal(20),
        "R6": Decimal(10),
        "R7": Decimal("9.5"),
    }
    # R2's successor came in too. Pending: 60.5 + 90 + 40 + 30 + 20 + 10 + 9.5 = 260.
    received = "12 = 8 + 2 + 1 + 1"
    assert balance() == {"received": received, "pending": (7, Decimal(260)), "charged": nothing, "cancelled": 1}

    # January is billed: 260 x 0.01 = 2.60, tax 0.52.
    run = post(bill())
    assert lines(invoice(run, acme)) == ["260 x 0.01 = 2.6 -> 2.60"]
    assert totals(invoice(run, acme)) == "2.60 + 0.52 = 3.12 USD"
    assert balance() == {"received": received, "pending": nothing, "charged": (7, Decimal(260)), "cancelled": 1}

    # A call of January that comes now is late, and waits.
    late = take(switch, csv("R8;+49301;20.01.2026 08:00:00;7"), "late.csv")
    assert (counts(late), late.late_count) == ({"accepted": 1}, 1)
    assert [pending.record.number for pending in PendingUsage.objects.all()] == ["R8"]
    assert UsageDataRecord.objects.get(number="R8").is_late
