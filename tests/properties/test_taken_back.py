"""Whatever is cancelled, adjusted and directed, and whenever: what was charged and taken back is what stands."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from catalog.engine.money import exact_sum
from customers.models import Customer
from invoicing.models import InvoiceLine, Transaction, UsageCharge
from tests.billing.taken import adjust, cancel, direct
from tests.properties.company import Party, make_company
from tests.properties.drawn import DrawnCustomer, DrawnPrices, always_billed, currencies, prices
from tests.properties.priced import engine_charges, is_due
from tests.runs import FEBRUARY, bill, pending, post
from usage.choices import BillingDirective
from usage.models import UsageDataRecord
from usage.operations.errors import RecordConflict, RecordRefused

pytestmark = pytest.mark.django_db
suppressed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
# Before the first run, on its drafts, on its posted invoices, on the drafts of the second run.
MOMENTS = 4
CUTOFF = date(2026, 3, 1)


@dataclass(frozen=True)
class Act:
    """Something that a person does at one of the moments to the one of the customer's records that stands there."""

    moment: int
    record: int
    name: str
    quantity: Decimal
    own_amount: Decimal | None
    directive: str


acts = st.lists(
    st.builds(
        Act,
        moment=st.integers(0, MOMENTS - 1),
        record=st.integers(0, 5),
        name=st.sampled_from(["cancel", "adjust", "adjust", "direct"]),
        quantity=st.decimals(min_value=-5, max_value=500, places=6),
        own_amount=st.none() | st.none() | st.decimals(min_value=-5, max_value=5, places=18),
        directive=st.sampled_from(BillingDirective.values),
    ),
    min_size=3,
    max_size=10,
)


def latest(record: UsageDataRecord) -> UsageDataRecord:
    """The one that stands of the record and its successors, or the last that did."""
    return record.successors.order_by("-id").first() or UsageDataRecord.objects.get(pk=record.pk)


def do(act: Act, record: UsageDataRecord) -> None:
    """Do it if it can be done."""
    try:
        if act.name == "cancel":
            cancel(record)
        elif act.name == "direct":
            direct(record, act.directive)
        else:
            adjust(
                record,
                usage_amount=act.quantity,
                total_amount=act.own_amount,
                billing_directive=act.directive,
                region="EU" if act.quantity > 100 else record.region,
            )
    except (RecordConflict, RecordRefused) as refused:
        event(f"{act.name}: {type(refused).__name__}")
    else:
        event(f"{act.name} at moment {act.moment}")


def net_of(record: UsageDataRecord) -> Decimal:
    """What the record was charged, less what was taken back."""
    charge = UsageCharge.objects.filter(record=record).first()
    if charge is None:
        return Decimal(0)
    taken_back = Transaction.objects.filter(reversed_charge=charge).values_list("amount", flat=True)
    return exact_sum([charge.amount, *taken_back])


def check(party: Party) -> None:
    waiting = pending(party.customer)
    for record in UsageDataRecord.objects.filter(customer=party.customer):
        stands = record.life_cycle_state == "POSTED" and is_due(record, CUTOFF)
        price = engine_charges(party, [CUTOFF], records=[record]).get(record.pk) if stands else None
        assert net_of(record) == (price.amount if price else 0)
        # What nothing prices waits; nothing waits and is charged.
        assert (record.pk in waiting) == (stands and price is None)
    assert lines_of(party.customer) == exact_sum(
        [
            *UsageCharge.objects.filter(customer=party.customer).values_list("amount", flat=True),
            *Transaction.objects.filter(customer=party.customer, invoice_line__isnull=False).values_list(
                "amount", flat=True
            ),
        ]
    )


def lines_of(customer: Customer) -> Decimal:
    """The exact sum of all that the customer's documents say."""
    return exact_sum(InvoiceLine.objects.filter(invoice__customer=customer).values_list("exact_amount", flat=True))


@settings(max_examples=25, suppress_health_check=suppressed)
@given(currencies, st.lists(st.tuples(always_billed, acts), min_size=1, max_size=2), prices(with_counted=False))
def test_what_was_charged_and_taken_back_is_what_the_records_that_stand_are_worth(
    currency: str, drawn: list[tuple[DrawnCustomer, list[Act]]], drawn_prices: DrawnPrices
) -> None:
    subrun, parties = make_company(currency, [one for one, _ in drawn], drawn_prices)

    def act(moment: int) -> None:
        for party, (_, all_acts) in zip(parties, drawn, strict=True):
            for one in all_acts:
                if one.moment == moment:
                    do(one, latest(party.records[one.record]))

    act(0)
    january = bill(subrun=subrun, bill_unpriced=True)
    act(1)
    post(january)
    act(2)
    bill(subrun=subrun, bill_unpriced=True, **FEBRUARY)
    act(3)
    # What the last acts left to be billed.
    bill(subrun=subrun, bill_unpriced=True, **FEBRUARY)
    for party in parties:
        check(party)
