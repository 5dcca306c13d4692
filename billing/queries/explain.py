"""Why a charge is what it is: made anew by the pricing engine from what is stored, and held against it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from django.db.models import QuerySet

from billing.models import RunAccount
from billing.queries.explained import NO_RATE, Explanation, correction_sentence
from billing.queries.price_lists import PriceLists, price_lists
from catalog.choices import CountedPer
from catalog.engine.counted import Count
from catalog.engine.pricing import PricedUse, price_use
from catalog.engine.rates import Rate
from catalog.engine.selection import Candidate, Use, counted_month, select_rate
from catalog.engine.wording import plain, with_unit
from customers.models import SubscriptionService
from invoicing.models import Invoice, PriceCorrection, UsageCharge
from usage.models import UsageDataRecord

SHOWN_WITH_A_CHARGE = (
    *("customer", "record__product", "record__usage_type", "record__source_system", "record__subscription_service"),
    *("line__invoice__currency", "line__invoice__run_account__run", "reversal__invoice_line__invoice"),
)
BATCH = 500


def explain_charge(*, record_id: int | None = None, charge_id: int | None = None) -> Explanation | None:
    """Why a record's charge is what it is, in a handful of queries; None where it is on no invoice.

    The rates are those that the run which wrote the charge saw, with the ends that they had then. What was corrected
    since is told beside it.
    """
    asked = {"record_id": record_id} if charge_id is None else {"id": charge_id}
    charge = charges().filter(**asked).first()
    if charge is None:
        return None
    account = run_account_of(charge.line.invoice)
    explanation = explained(charge, account, None if account is None else lists_of_run(account, charge.record))
    corrections = PriceCorrection.objects.filter(charge=charge).select_related("credit__invoice_line__invoice")
    return replace(
        explanation,
        corrections=tuple(
            correction_sentence(correction, explanation.currency) for correction in corrections.order_by("turn")
        ),
    )


def explanations(invoice: Invoice, *, limit: int | None = None) -> Iterator[Explanation]:
    """Those of an invoice's charges, or of the first so many, line by line.

    What they have in common, rate cards and the rates to one destination, is looked up once for all of them.
    """
    # The line first: to look for an invoice's charges in the order of all charges would be to read all of them.
    of_invoice = charges().filter(line__in=invoice.lines.values("id")).order_by("line_id", "id")[:limit]
    by_year: dict[int, PriceLists] = {}
    for charge in of_invoice.iterator(chunk_size=BATCH):
        account = run_account_of(charge.line.invoice)
        if account is not None and charge.record.from_date.year not in by_year:
            by_year[charge.record.from_date.year] = lists_of_run(account, charge.record)
        yield explained(charge, account, by_year.get(charge.record.from_date.year))


def charges() -> QuerySet[UsageCharge]:
    """Charges with all that their explanation is made from, but the rates."""
    return UsageCharge.objects.select_related(*SHOWN_WITH_A_CHARGE)


def run_account_of(invoice: Invoice) -> RunAccount | None:
    """The account of the run that made the document, read with it."""
    account: RunAccount | None = getattr(invoice, "run_account", None)
    return account


def lists_of_run(account: RunAccount, record: UsageDataRecord) -> PriceLists:
    """The price lists of an account as its run saw them, with the public holidays around a record's start."""
    snapshot = account.price_snapshot or account.run.snapshot
    return price_lists(account.rate_card_ids, years=[record.from_date.year], snapshot=snapshot)


def use_of(record: UsageDataRecord, timezone: str) -> Use:
    """A record as the engine prices it."""
    return Use(
        product=record.product.code,
        started_at=record.from_date,
        timezone=timezone,
        quantity=record.usage_amount,
        region=record.region,
        destination=record.destination,
        ended_at=record.to_date,
        directive=record.billing_directive,
        own_amount=record.total_amount,
        unit=record.usage_type.unit,
    )


def explained(charge: UsageCharge, account: RunAccount | None, lists: PriceLists | None) -> Explanation:
    """The explanation of a charge by the price lists that the account of its run had."""
    record, currency = charge.record, charge.line.invoice.currency_id
    use = use_of(record, charge.customer.timezone if account is None else account.timezone)
    base = Explanation(use=use, currency=currency, record=record, charge=charge)
    if use.own_amount is not None:
        return _held_against(base, price_use(use, NO_RATE), NO_RATE.candidates)
    if lists is None:
        return replace(base, is_equal=False, fault="No billing run made the invoice: what prices it saw is not known.")
    rates = lists.rates_for(use, product_id=record.product_id)
    selection = select_rate(lists.cards, rates, use)
    try:
        priced = price_use(
            use, selection, rates=rates, count=_stored_count(charge), correction=charge.correction or Decimal(0)
        )
    except ValueError as error:
        fault = f"The charge says {plain(charge.amount)} {currency}, and it cannot be explained: {error}"
        steps = selection.explanation
        return replace(base, candidates=selection.candidates, steps=steps, is_equal=False, fault=fault)
    return _held_against(base, priced, selection.candidates)


def counted_id_of(rate: Rate, service: SubscriptionService | None) -> int:
    """Whose usage counts together with a service's by a rate: the subscription's, its own; 0: the customer's."""
    if service is None or rate.counted_per == CountedPer.CUSTOMER:
        return 0
    return service.pk if rate.counted_per == CountedPer.SERVICE else service.subscription_id


def _stored_count(charge: UsageCharge) -> Count | None:
    if charge.counted_month is None:
        return None
    return Count(
        before=charge.quantity_before or Decimal(0),
        total=charge.quantity_total or Decimal(0),
        included=charge.included_quantity or Decimal(0),
        counted_month=charge.counted_month,
        counted_id=charge.counted_id or 0,
    )


def _held_against(base: Explanation, priced: PricedUse, candidates: tuple[Candidate, ...]) -> Explanation:
    """The explanation with what the engine came to, and with what of the stored charge is not the same."""
    assert base.charge is not None  # noqa: S101  of a charge
    faults = tuple(_faults(base.charge, priced, base))
    return replace(
        base,
        steps=priced.explanation,
        candidates=candidates,
        quantity=priced.quantity,
        billed_quantity=priced.billed_quantity,
        amount=priced.amount,
        rate=priced.rate,
        is_equal=not faults,
        fault=" ".join(faults),
    )


def _faults(charge: UsageCharge, priced: PricedUse, base: Explanation) -> Iterator[str]:
    if priced.amount != charge.amount:
        yield f"The explanation comes to {plain(priced.amount)}, the charge says {plain(charge.amount)}."
    billed = charge.quantity if charge.billed_quantity is None else charge.billed_quantity
    if (priced.quantity, priced.billed_quantity) != (charge.quantity, billed):
        as_explained = _quantities(priced.quantity, priced.billed_quantity, base.use.unit)
        as_charged = _quantities(charge.quantity, billed, base.use.unit)
        yield f"The explanation is of {as_explained}, the charge of {as_charged}."
    rate_id = priced.rate.id if priced.rate else None
    if rate_id != charge.rate_id:
        yield f"The explanation finds {_rate(rate_id)}, the charge has {_rate(charge.rate_id)}."
    yield from _count_faults(charge, priced, base)


def _count_faults(charge: UsageCharge, priced: PricedUse, base: Explanation) -> Iterator[str]:
    is_counted = priced.rate is not None and priced.rate.is_counted
    if is_counted != (charge.counted_month is not None):
        yield (
            "The rate counts the usage of the month, the charge says nothing of it."
            if is_counted
            else "The rate counts no usage, the charge says that it does."
        )
    elif priced.rate is not None and is_counted:
        service = charge.record.subscription_service
        expected = (counted_month(base.use), counted_id_of(priced.rate, service))
        if expected != (charge.counted_month, charge.counted_id):
            yield (
                f"It counts for {expected[0]:%Y-%m} of {expected[1] or 'the customer'}, the charge says "
                f"{charge.counted_month:%Y-%m} of {charge.counted_id or 'the customer'}."
            )


def _quantities(quantity: Decimal, billed: Decimal, unit: str) -> str:
    return with_unit(quantity, unit) + ("" if billed == quantity else f", billed as {with_unit(billed, unit)}")


def _rate(rate_id: int | None) -> str:
    return "no rate" if rate_id is None else f"rate {rate_id}"
