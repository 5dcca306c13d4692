"""An invoice credited in any pieces: never below 0 at a line or a tax rate, and all of it is exactly 0.00."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from billing.queries.completeness import day_figures, scope_of_days
from catalog.engine.money import allocate_largest_remainder, exact_product, exact_sum, round_half_up
from invoicing.engine.credits import ChosenLine, CreditedPart, MoreThanInvoiced, TaxedPart, credited_part
from invoicing.models import Invoice, InvoiceTax
from invoicing.operations.credit_choices import CreditConflict, CreditRefused
from tests.billing.taken import THEN
from tests.crediting import credit, left
from tests.factories import TaxRateFactory, TransactionFactory
from tests.runs import bill, customer_at, invoice, pending, post, use
from usage.models import UsageDataRecord

HUNDREDTH = Decimal("0.01")
HALF = 0.5
NOTHING = Decimal(0)
Charge = tuple[int, int, Decimal]

amounts = st.decimals(min_value=Decimal(-3), max_value=Decimal(20), places=5)
percents = st.sampled_from([Decimal(0), Decimal(7), Decimal("19.0000"), Decimal("8.875"), Decimal(100)])
lines_of_charges = st.lists(st.lists(amounts, min_size=1, max_size=4), min_size=1, max_size=5)
shuffled = st.randoms(use_true_random=False)


@dataclass
class Invoiced:
    """An invoice of one tax rate by the engine's rules, and what was credited of it."""

    charges: list[list[Decimal]]
    percent: Decimal
    minor_units: int
    net_credited: Decimal = NOTHING
    tax_credited: Decimal = NOTHING
    exact_credited: Decimal = NOTHING
    left: dict[int, Decimal] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        amounts = allocate_largest_remainder([exact_sum(line) for line in self.charges], self.minor_units)
        self.lines, self.net = amounts, exact_sum(amounts)
        self.tax = round_half_up(exact_product(self.net, self.percent, HUNDREDTH), self.minor_units)
        self.left = dict(enumerate(amounts))
        self.counts = dict.fromkeys(self.left, 0)

    def credit(self, piece: list[Charge]) -> CreditedPart:
        """Credit these charges, each its line, its place and its amount. Raises MoreThanInvoiced."""
        of_line = {number: [amount for line, _, amount in piece if line == number] for number in self.left}
        chosen = tuple(
            ChosenLine(number, self.left[number], exact_sum(found), self._is_rest(number, len(found)))
            for number, found in of_line.items()
            if found
        )
        credited = (self.net_credited, self.tax_credited, self.exact_credited)
        done = credited_part(TaxedPart(1, self.percent, self.net, self.tax, *credited, chosen), self.minor_units)
        for number, amount in done.amounts.items():
            self.left[number] = exact_sum([self.left[number], amount.copy_negate()])
            self.counts[number] += len(of_line[number])
        self.net_credited = exact_sum([self.net_credited, done.net])
        self.tax_credited = exact_sum([self.tax_credited, done.tax])
        self.exact_credited = exact_sum([self.exact_credited, *(amount for _, _, amount in piece)])
        return done

    def _is_rest(self, number: int, count: int) -> bool:
        return self.counts[number] + count == len(self.charges[number])


@given(lines_of_charges, percents, st.sampled_from([0, 2, 3]), shuffled)
@settings(max_examples=400, deadline=None)
def test_pieces_of_a_tax_rate_never_go_below_nothing_and_end_at_nothing(
    charges: list[list[Decimal]], percent: Decimal, minor_units: int, random: Random
) -> None:
    """By the engine alone; of a piece that is more than what is left, all that remains is credited in its place."""
    invoiced = Invoiced(charges, percent, minor_units)
    waiting = [(number, place, amount) for number, line in enumerate(charges) for place, amount in enumerate(line)]
    random.shuffle(waiting)
    while waiting:
        piece = waiting[: random.randint(1, len(waiting))]
        try:
            done = invoiced.credit(piece)
        except MoreThanInvoiced:
            event("more than is left")
            piece = waiting
            done = invoiced.credit(piece)
        assert done.net == exact_sum(done.amounts.values())
        for number, rest in invoiced.left.items():
            lowest, highest = sorted([NOTHING, invoiced.lines[number]])
            assert lowest <= rest <= highest
        sign = 1 if invoiced.net >= 0 else -1
        assert sign * invoiced.net_credited <= sign * invoiced.net
        assert sign * invoiced.tax_credited <= sign * invoiced.tax
        waiting = waiting[len(piece) :]
    assert (invoiced.net_credited, invoiced.tax_credited) == (invoiced.net, invoiced.tax)
    assert set(invoiced.left.values()) == {NOTHING}


def test_many_small_notes_have_the_tax_of_one() -> None:
    """40 x 0.05 = 2.00, of which 19 % is 0.38; of 0.05 each by itself it would be 0.0095: 0.01, and 0.40 in the end."""
    invoiced = Invoiced([[Decimal("0.05")] * 40], Decimal(19), 2)
    taxes = [invoiced.credit([(0, place, Decimal("0.05"))]).tax for place in range(40)]
    assert sorted(set(taxes)) == [NOTHING, Decimal("0.01")]
    assert sum(taxes) == Decimal("0.38")


@given(amounts, percents, st.sampled_from([0, 2, 3]))
def test_the_first_note_is_rounded_as_any_document(amount: Decimal, percent: Decimal, minor_units: int) -> None:
    """One charge of a line of two, the other as large as it takes for nothing to be in the way."""
    invoiced = Invoiced([[amount, Decimal(100) - amount]], percent, minor_units)
    part = invoiced.credit([(0, 0, max(amount, NOTHING))])
    assert part.net == round_half_up(max(amount, NOTHING), minor_units)
    assert part.tax == round_half_up(exact_product(part.net, percent, HUNDREDTH), minor_units)


prices = st.sampled_from(["0.333", "0.0049", "1.005", "12"])
quantities = st.lists(st.integers(1, 9), min_size=1, max_size=5)
fees = st.lists(
    st.tuples(st.decimals(Decimal(-1), Decimal(9), places=3), st.sampled_from([None, 7])), min_size=0, max_size=3
)


@pytest.mark.django_db
@given(prices, quantities, fees, shuffled)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_an_invoice_in_pieces_is_accounted_for_to_the_cent(
    price: str, quantities: list[int], fees: list[tuple[Decimal, int | None]], random: Random
) -> None:
    acme, call = customer_at(price)
    records = [use(acme, call, quantity) for quantity in quantities]
    for unit_price, percent in fees:
        rate = None if percent is None else TaxRateFactory(percent=Decimal(percent))
        TransactionFactory(customer=acme, unit_price=unit_price, tax_rate=rate)
    run = bill()
    if not Invoice.objects.filter(customer=acme, kind="INVOICE", net_amount__gt=0).exists():
        event("nothing to credit")
        return
    document = invoice(post(run), acme)
    for _ in range(4):
        try:
            credit(document, **_piece(document, records, random))
        except (CreditRefused, CreditConflict) as refused:
            event(type(refused).__name__)
        _never_below_nothing(document)
    try:
        credit(document)
    except CreditConflict:
        event("in pieces to the end")
    except CreditRefused:
        # What is left comes to nothing by itself.
        event("nothing of worth is left")
        return
    assert left(document) == "0.00 + 0.00 = 0.00"
    _never_below_nothing(document)
    successors = UsageDataRecord.objects.filter(original__in=records, life_cycle_state="POSTED")
    assert pending(acme) == set(successors.values_list("pk", flat=True))
    first = UsageDataRecord.objects.get(pk=records[0].pk)
    day, sender = first.created_at.date(), first.source_system_id
    (figures,) = day_figures(scope_of_days(from_day=day, to_day=day, source_system_id=sender), at=THEN)
    assert figures.balances, figures


def _piece(document: Invoice, records: Sequence[UsageDataRecord], random: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {"gives_usage_back": random.random() < HALF}
    if random.random() < HALF:
        numbers = list(document.lines.values_list("line_number", flat=True))
        return fields | {"lines": random.sample(numbers, random.randint(1, len(numbers)))}
    chosen = random.sample(list(records), random.randint(1, len(records)))
    return fields | {"records": [record.number for record in chosen]}


def _never_below_nothing(document: Invoice) -> None:
    assert document.total_amount + sum(note.total_amount for note in document.credit_notes.all()) >= 0
    for line in document.lines.all():
        taken = line.credits.aggregate(amount=Sum("amount"))["amount"] or NOTHING
        assert min(line.amount, NOTHING) <= line.amount + taken <= max(line.amount, NOTHING)
    for tax in document.taxes.all():
        notes = InvoiceTax.objects.filter(invoice__credited_invoice=document, tax_rate=tax.tax_rate)
        sums = notes.aggregate(net=Sum("net_amount"), tax=Sum("tax_amount"))
        sign = 1 if tax.net_amount >= 0 else -1
        assert sign * (tax.net_amount + (sums["net"] or NOTHING)) >= 0
        assert sign * (tax.tax_amount + (sums["tax"] or NOTHING)) >= 0
