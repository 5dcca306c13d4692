"""What the pricing engine makes of a drawn customer's records, run by run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalog.choices import CountedPer
from catalog.engine.counted import Count, rounded
from catalog.engine.money import exact_sum, with_sign_of
from catalog.engine.pricing import price_use
from catalog.engine.quantities import billed_quantity, included_in_month
from catalog.engine.rates import Rate
from catalog.engine.selection import Selection, Use, counted_month, select_rate
from invoicing.models import UsageCharge
from tests.properties.company import Party
from tests.properties.drawn import CUTOFF
from usage.choices import BillingDirective
from usage.models import UsageDataRecord

# A rate's version, the first day of a month, and what is counted together in it.
Counter = tuple[int, date, int]


@dataclass(frozen=True)
class Charged:
    """The charge of a record, as it is stored."""

    rate_id: int | None
    quantity: Decimal
    billed_quantity: Decimal | None
    amount: Decimal
    counted_month: date | None = None
    counted_id: int | None = None
    quantity_before: Decimal | None = None
    quantity_total: Decimal | None = None
    included_quantity: Decimal | None = None
    correction: Decimal | None = None


@dataclass(frozen=True)
class Found:
    """A record with its rate, and what is billed of it, with its sign."""

    record: UsageDataRecord
    use: Use
    selection: Selection
    billed: Decimal

    @property
    def rate(self) -> Rate:
        assert self.selection.rate
        return self.selection.rate

    @property
    def counter(self) -> Counter:
        return self.rate.id, counted_month(self.use), counted_id(self.record, self.rate)


def is_due(record: UsageDataRecord, cutoff: date = CUTOFF) -> bool:
    """Whether a run with this cutoff takes the record."""
    return record.billing_directive != BillingDirective.NOT_TO_BE_BILLED and record.billing_effective_date < cutoff


def charged(party: Party) -> dict[int, Charged]:
    """The stored charges of a customer by record."""
    fields = Charged.__annotations__
    rows = UsageCharge.objects.filter(customer=party.customer).values("record_id", *fields)
    return {row["record_id"]: Charged(**{name: row[name] for name in fields}) for row in rows}


def engine_charges(
    party: Party, cutoffs: Sequence[date] = (CUTOFF,), *, records: Iterable[UsageDataRecord] | None = None
) -> dict[int, Charged]:
    """What the engine makes of the billable records in runs with these cutoffs; what nothing prices is left out."""
    left = list(party.records if records is None else records)
    made: dict[int, Charged] = {}
    for cutoff in cutoffs:
        taken = [record for record in left if is_due(record, cutoff) and record.id not in made]
        made |= _of_a_run(party, taken, made)
    return made


def _of_a_run(party: Party, taken: list[UsageDataRecord], earlier: dict[int, Charged]) -> dict[int, Charged]:
    made: dict[int, Charged] = {}
    counted: dict[Counter, list[Found]] = {}
    for record in taken:
        use = use_of(record)
        selection = select_rate(party.cards, party.rates, use)
        if use.own_amount is None and selection.rate is None:
            continue
        if use.own_amount is None and selection.rate and selection.rate.is_counted:
            sign = Decimal(-1 if use.directive == BillingDirective.TO_BE_CREDITED else 1)
            found = Found(record, use, selection, billed_quantity(with_sign_of(sign, use.quantity), selection.rate))
            counted.setdefault(found.counter, []).append(found)
        else:
            priced = price_use(use, selection, rates=party.rates)
            made[record.id] = Charged(
                priced.rate.id if priced.rate else None,
                priced.quantity,
                None if priced.billed_quantity == priced.quantity else priced.billed_quantity,
                priced.amount,
            )
    for counter, found_records in counted.items():
        made |= _of_a_counter(counter, found_records, earlier)
    return made


def _of_a_counter(counter: Counter, found: list[Found], earlier: dict[int, Charged]) -> dict[int, Charged]:
    rate, (rate_id, month, whose) = found[0].rate, counter
    before_run = [
        charge
        for charge in earlier.values()
        if (charge.rate_id, charge.counted_month, charge.counted_id) == (rate_id, month, whose)
    ]
    before = exact_sum(charge.billed_quantity or charge.quantity for charge in before_run)
    total = exact_sum([before, *(one.billed for one in found)])
    included = included_quantity(found[0].record, rate, month)
    charged_before: Decimal | None = exact_sum([*(charge.amount for charge in before_run), *_fees(before_run, rate)])
    made: dict[int, Charged] = {}
    for one in sorted(found, key=lambda one: (one.use.started_at, one.record.id)):
        count = Count(before, total, included, charged_before, month, whose)
        priced = price_use(one.use, one.selection, count=count)
        without = price_use(one.use, one.selection, count=Count(before, total, included))
        made[one.record.id] = Charged(
            rate_id,
            priced.quantity,
            None if priced.billed_quantity == priced.quantity else priced.billed_quantity,
            priced.amount,
            month,
            whose,
            before,
            total,
            included,
            exact_sum([priced.amount, without.amount.copy_negate()]),
        )
        before, charged_before = exact_sum([before, priced.billed_quantity]), None
    return made


def _fees(charges: list[Charged], rate: Rate) -> list[Decimal]:
    """The fees of earlier charges, turned round: what they came to without them is what a count goes on from."""
    fee = rounded(rate.connection_fee, rate)
    return [fee.copy_negate() if charge.quantity > 0 else fee for charge in charges if charge.quantity]


def use_of(record: UsageDataRecord) -> Use:
    return Use(
        product=record.product.code,
        started_at=record.from_date,
        ended_at=record.to_date,
        timezone=record.customer.timezone,
        quantity=record.usage_amount,
        region=record.region,
        destination=record.destination,
        directive=record.billing_directive,
        own_amount=record.total_amount,
    )


def counted_id(record: UsageDataRecord, rate: Rate) -> int:
    """What the record is counted with."""
    service = record.subscription_service
    return {CountedPer.CUSTOMER: 0, CountedPer.SUBSCRIPTION: service.subscription_id, CountedPer.SERVICE: service.pk}[
        CountedPer(rate.counted_per)
    ]


def included_quantity(record: UsageDataRecord, rate: Rate, month: date) -> Decimal:
    """What is free in the month for what the record is counted with."""
    service = record.subscription_service
    starts = {CountedPer.SUBSCRIPTION: service.subscription.start_date, CountedPer.SERVICE: service.start_date}
    start = starts.get(CountedPer(rate.counted_per))
    return included_in_month(rate.included_quantity, month, start, is_prorated=record.product.is_prorated)
