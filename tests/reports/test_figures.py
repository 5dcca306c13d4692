"""The kept figures of dashboards: a posted document is counted once, for all and for its customer's groups."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from customers.models import CustomerGroup
from invoicing.models import CreditedCharge, UsageCharge
from reports.models import CountedInvoice, PendingAge, RevenueDay, UsageDay
from reports.operations.figures import count_all_figures, count_figures, count_pending
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    PendingAgeFactory,
    ProductFactory,
    RateFactory,
    RevenueDayFactory,
    SubscriptionServiceFactory,
    TransactionFactory,
    UsageDataRecordFactory,
    UsageDayFactory,
    post,
)
from tests.factories.credit_notes import draft_note, note_line
from tests.pictured import billed, charged, document
from tests.refusals import refused

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


def revenue(group: CustomerGroup | None = None) -> list[tuple[str, str, str, int, int, Decimal]]:
    """What is kept for a group, or for all: day, kind, destination, lines, records, amount."""
    rows = RevenueDay.objects.filter(group=group).order_by("invoice_date", "kind", "destination")
    return [(f"{r.invoice_date}", r.kind, r.destination, r.line_count, r.record_count, r.amount) for r in rows]


def usage(group: CustomerGroup | None = None) -> list[tuple[str, int, Decimal]]:
    """What is kept for a group, or for all: day of use, records, amount."""
    rows = UsageDay.objects.filter(group=group).order_by("day")
    return [(f"{row.day}", row.record_count, row.amount) for row in rows]


def test_lines_of_a_day_are_added_up_by_product_and_destination() -> None:
    customer, calls = CustomerFactory(), ProductFactory()
    france = RateFactory(product=calls, destination_prefix="33", destination_name="France")
    billed(customer, "10.00", product=calls, rate=france)
    billed(customer, "2.50", product=calls, rate=france)
    billed(customer, "1.00", product=calls, region="eu-west")
    billed(customer, "4.00", kind="FEE", charge_count=0)
    assert count_figures(at=AT) == 4
    # France: 10.00 + 2.50 of 3 + 3 records; the fee has no product and no destination.
    assert revenue() == [
        ("2026-02-01", "FEE", "", 1, 0, Decimal("4.00")),
        ("2026-02-01", "USAGE", "France", 2, 6, Decimal("12.50")),
        ("2026-02-01", "USAGE", "eu-west", 1, 3, Decimal("1.00")),
    ]
    assert set(RevenueDay.objects.values_list("product_id", flat=True)) == {calls.pk, None}


def test_a_document_is_counted_once_and_a_draft_not_at_all() -> None:
    customer = CustomerFactory()
    billed(customer, "10.00")
    InvoiceLineFactory(invoice=document(customer, "7.00"))
    assert [count_figures(at=AT), count_figures(at=AT)] == [1, 0]
    assert revenue() == [("2026-02-01", "USAGE", "", 1, 3, Decimal("10.00"))]
    billed(customer, "5.00")
    assert count_figures(at=AT) == 1
    assert revenue() == [("2026-02-01", "USAGE", "", 2, 6, Decimal("15.00"))]


def test_documents_are_counted_part_by_part() -> None:
    customer = CustomerFactory()
    for _ in range(3):
        billed(customer, "1.00")
    assert [count_figures(at=AT, limit=2), count_figures(at=AT, limit=2), count_figures(at=AT, limit=2)] == [2, 1, 0]
    billed(customer, "1.00")
    assert count_all_figures(at=AT) == 1
    assert revenue() == [("2026-02-01", "USAGE", "", 4, 12, Decimal("4.00"))]


def test_currencies_are_kept_apart() -> None:
    billed(CustomerFactory(currency__code="USD"), "1.00")
    billed(CustomerFactory(currency__code="EUR"), "2.00")
    count_figures(at=AT)
    assert dict(RevenueDay.objects.values_list("currency_id", "amount")) == {"USD": Decimal(1), "EUR": Decimal(2)}


def test_usage_is_added_up_by_the_day_of_its_use() -> None:
    customer, calls = CustomerFactory(), ProductFactory()
    charged(customer, "0.60", "0.015", used="2026-01-15", product=calls)
    charged(customer, "0.10", used="2026-01-15", product=calls)
    charged(customer, "2.00", used="2026-01-31", product=calls)
    count_figures(at=AT)
    # 0.60 + 0.015 + 0.10 = 0.715, not rounded.
    assert usage() == [("2026-01-15", 3, Decimal("0.715")), ("2026-01-31", 1, Decimal("2.00"))]


def test_a_credit_note_is_counted_off() -> None:
    invoice = charged(CustomerFactory(), "0.60", used="2026-01-15")
    charge = UsageCharge.objects.get()
    amounts = {"net_amount": Decimal("-0.60"), "tax_amount": Decimal(0)}
    note = draft_note(invoice, invoice_date=date(2026, 2, 10), **amounts)
    CreditedCharge.objects.create(charge=charge, line=note_line(charge, invoice=note))
    post(note)
    count_figures(at=AT)
    assert revenue() == [
        ("2026-02-01", "USAGE", "", 1, 1, Decimal("0.60")),
        ("2026-02-10", "USAGE", "", 1, -1, Decimal("-0.60")),
    ]
    assert usage() == [("2026-01-15", 0, Decimal(0))]


def test_usage_that_a_later_invoice_took_back_is_counted_off() -> None:
    customer = CustomerFactory()
    charged(customer, "0.60", "0.40", used="2026-01-15", product=ProductFactory())
    charge = UsageCharge.objects.get(amount=Decimal("0.60"))
    later = document(customer, "-0.60", on="2026-03-01")
    line = InvoiceLineFactory(
        invoice=later,
        kind="REVERSAL",
        tax_rate=charge.line.tax_rate,
        amount=Decimal("-0.60"),
        exact_amount=Decimal("-0.60"),
    )
    TransactionFactory(
        customer=customer,
        kind="REVERSAL",
        reversed_charge=charge,
        unit_price=Decimal("-0.60"),
        tax_rate=charge.line.tax_rate,
        invoice_line=line,
    )
    post(later)
    count_figures(at=AT)
    assert usage() == [("2026-01-15", 1, Decimal("0.40"))]


def test_a_document_counts_for_each_group_of_its_customer() -> None:
    retail, large = CustomerGroupFactory(), CustomerGroupFactory()
    billed(CustomerFactory(groups=[retail, large]), "10.00")
    billed(CustomerFactory(groups=[retail]), "3.00")
    billed(CustomerFactory(), "1.00")
    charged(CustomerFactory(groups=[large]), "0.60", used="2026-01-15")
    count_figures(at=AT)
    # 10.00 + 3.00 + 1.00 + 0.60, of 3 + 3 + 3 + 1 records.
    assert revenue() == [("2026-02-01", "USAGE", "", 4, 10, Decimal("14.60"))]
    assert revenue(retail) == [("2026-02-01", "USAGE", "", 2, 6, Decimal("13.00"))]
    assert revenue(large) == [("2026-02-01", "USAGE", "", 2, 4, Decimal("10.60"))]
    assert [usage(), usage(retail), usage(large)] == [
        [("2026-01-15", 1, Decimal("0.60"))],
        [],
        [("2026-01-15", 1, Decimal("0.60"))],
    ]


def test_the_documents_of_a_customer_follow_it_from_group_to_group() -> None:
    retail, large = CustomerGroupFactory(), CustomerGroupFactory()
    customer = CustomerFactory(groups=[retail])
    charged(customer, "0.60", used="2026-01-15")
    count_figures(at=AT)
    customer.groups.set([large])
    assert count_all_figures(at=AT) == 1
    assert revenue() == revenue(large) == [("2026-02-01", "USAGE", "", 1, 1, Decimal("0.60"))]
    assert usage() == usage(large) == [("2026-01-15", 1, Decimal("0.60"))]
    assert (revenue(retail), usage(retail)) == ([], [])


def test_a_group_that_is_deleted_takes_its_figures_with_it() -> None:
    retail = CustomerGroupFactory()
    customer = CustomerFactory(groups=[retail])
    billed(customer, "10.00")
    count_figures(at=AT)
    customer.groups.clear()
    retail.delete()
    assert count_all_figures(at=AT) == 1
    assert RevenueDay.objects.count() == 1
    assert revenue() == [("2026-02-01", "USAGE", "", 1, 3, Decimal("10.00"))]
    assert CountedInvoice.objects.get().group_ids == []


def test_the_moment_is_noted() -> None:
    invoice = billed(CustomerFactory(), "10.00")
    count_figures(at=AT)
    assert [(one.invoice_id, one.counted_at) for one in CountedInvoice.objects.all()] == [(invoice.pk, AT)]


def test_nothing_to_count_is_no_fault() -> None:
    InvoiceFactory()
    assert count_all_figures(at=AT) == 0


@pytest.mark.parametrize(
    ("constraint", "make"),
    [("revenue_day_once", RevenueDayFactory), ("usage_day_once", UsageDayFactory)],
)
def test_a_day_is_there_once_for_all_customers(constraint: str, make: Callable[..., RevenueDay | UsageDay]) -> None:
    first = make()
    with refused(by=constraint):
        make(product=first.product, currency=first.currency)


def test_a_line_has_one_of_the_known_kinds() -> None:
    with refused(by="revenue_day_kind_known"):
        RevenueDayFactory(kind="GIFT")


def waiting() -> list[tuple[int, int, int, str]]:
    """What is kept of pending usage: customer, first day of the age, records, the oldest."""
    rows = PendingAge.objects.order_by("customer_id", "from_days")
    return [(row.customer_id, row.from_days, row.record_count, f"{row.oldest}") for row in rows]


def test_pending_usage_is_counted_anew_by_customer_and_age() -> None:
    service, other = SubscriptionServiceFactory(), SubscriptionServiceFactory()
    # Ages on 1 July: -1, 30 | 31, 60 | 181 days.
    for day in ("2026-07-02", "2026-06-01", "2026-05-31", "2026-05-02", "2026-01-01"):
        UsageDataRecordFactory(subscription_service=service, billing_effective_date=date.fromisoformat(day))
    gone = UsageDataRecordFactory(subscription_service=other, billing_effective_date=date(2026, 7, 1))
    assert count_pending(at=AT, on=date(2026, 7, 1)) == 4
    first = [
        (service.customer_id, 0, 2, "2026-06-01"),
        (service.customer_id, 31, 2, "2026-05-02"),
        (service.customer_id, 181, 1, "2026-01-01"),
    ]
    assert waiting() == [*first, (other.customer_id, 0, 1, "2026-07-01")]
    gone.pending_usage.delete()
    later = AT.replace(hour=10)
    assert count_pending(at=later, on=date(2026, 7, 1)) == 3
    assert waiting() == first
    assert set(PendingAge.objects.values_list("counted_at", flat=True)) == {later}


def test_the_pending_usage_of_a_customer_has_each_age_once() -> None:
    first = PendingAgeFactory()
    with refused(by="pending_age_once"):
        PendingAgeFactory(customer=first.customer)
