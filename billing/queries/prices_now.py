"""What a use would cost now: a record that waits for its run, or one that is only asked about. Nothing is stored."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from django.db import connection

from billing.queries.explain import counted_id_of, use_of
from billing.queries.explained import NO_RATE, Explanation
from billing.queries.price_lists import price_lists, rate_card_ids_of, why_unpriced
from catalog.choices import CountedPer
from catalog.engine.counted import Count, cumulative_amount, rounded
from catalog.engine.money import exact_product, exact_sum
from catalog.engine.pricing import price_use
from catalog.engine.quantities import billed_quantity, included_in_month
from catalog.engine.rates import Rate
from catalog.engine.selection import TO_BE_CREDITED, Selection, Use, counted_month, select_rate
from catalog.engine.wording import with_unit
from catalog.models import Product
from customers.models import Customer, SubscriptionService
from usage.choices import BillingDirective
from usage.models import PendingUsage

SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Question:
    """What a use is to be priced by: whose it is, of what, where to, when and how much.

    `used_before` is what was billed earlier in the month; None: what the charges of the month say.
    """

    customer: Customer
    product: Product
    quantity: Decimal
    started_at: datetime
    service: SubscriptionService | None = None
    destination: str = ""
    region: str = ""
    ended_at: datetime | None = None
    used_before: Decimal | None = None
    unit: str = ""


def price_of(question: Question) -> Explanation:
    """What a use would cost by the prices of now, and why; or why nothing prices it."""
    use = Use(
        product=question.product.code,
        started_at=question.started_at,
        timezone=question.customer.timezone,
        quantity=question.quantity,
        region=question.region,
        destination=question.destination,
        ended_at=question.ended_at,
        unit=question.unit,
    )
    return _priced(use, question)


def explain_pending(*, record_id: int) -> Explanation | None:
    """What a record that waits in the inbox would cost if it were billed now by itself; None where it does not wait."""
    waiting = PendingUsage.objects.select_related(
        *("record__product", "record__usage_type", "record__source_system"),
        *("record__customer", "record__subscription_service__subscription"),
    )
    found = waiting.filter(record_id=record_id).first()
    if found is None or found.record.billing_directive == BillingDirective.NOT_TO_BE_BILLED:
        return None
    record = found.record
    question = Question(
        customer=record.customer,
        product=record.product,
        quantity=record.usage_amount,
        started_at=record.from_date,
        service=record.subscription_service,
        destination=record.destination,
        region=record.region,
    )
    return replace(_priced(use_of(record, record.customer.timezone), question), record=record)


def _priced(use: Use, question: Question) -> Explanation:
    base = Explanation(use=use, currency=question.customer.currency_id)
    if use.own_amount is not None:
        priced = price_use(use, NO_RATE)
        return replace(base, steps=priced.explanation, quantity=priced.quantity, amount=priced.amount)
    lists = price_lists(rate_card_ids_of(question.customer), years=[use.started_at.year])
    rates = lists.rates_for(use, product_id=question.product.pk)
    selection = select_rate(lists.cards, rates, use)
    if selection.rate is None:
        fault = why_unpriced(lists, use, product_id=question.product.pk, customer=question.customer)
        return replace(base, candidates=selection.candidates, fault=fault)
    counted = _counted(use, selection.rate, question) if selection.rate.is_counted else None
    priced = price_use(use, selection, rates=rates, count=counted)
    return replace(
        base,
        steps=(*priced.explanation, *_notes(selection, question)),
        candidates=selection.candidates,
        quantity=priced.quantity,
        billed_quantity=priced.billed_quantity,
        amount=priced.amount,
        rate=priced.rate,
    )


def _counted(use: Use, rate: Rate, question: Question) -> Count:
    """Where the use would stand in its month if it were the next one, and the only one of its run."""
    month, counted_id = counted_month(use), counted_id_of(rate, question.service)
    included = included_in_month(
        rate.included_quantity, month, _start_of(rate, question.service), is_prorated=question.product.is_prorated
    )
    billed = billed_quantity(use.quantity, rate)
    if use.directive == TO_BE_CREDITED:
        billed = billed.copy_negate()
    if question.used_before is not None:
        before = question.used_before
        charged = cumulative_amount(rate, before, total=before, included=included)
    else:
        before, charged = _charged_so_far(rate, question.customer, month.isoformat(), counted_id)
    return Count(
        before=before,
        total=exact_sum([before, billed]),
        included=included,
        charged_before=charged,
        counted_month=month,
        counted_id=counted_id,
    )


def _charged_so_far(rate: Rate, customer: Customer, month: str, counted_id: int) -> tuple[Decimal, Decimal]:
    """The billed quantity and the amount without fees of a count, as its charges say."""
    asked: dict[str, int | str] = {
        "customer_id": customer.pk,
        "rate_id": rate.id,
        "counted_month": month,
        "counted_id": counted_id,
    }
    with connection.cursor() as cursor:
        cursor.execute((SQL / "counted_so_far.sql").read_text(), asked)
        quantity, amount, fees = cursor.fetchone()
    fee = exact_product(fees, rounded(rate.connection_fee, rate))
    return quantity, exact_sum([amount, fee.copy_negate()])


def _start_of(rate: Rate, service: SubscriptionService | None) -> date | None:
    """When what counts together began."""
    if service is None or rate.counted_per == CountedPer.CUSTOMER:
        return None
    return service.start_date if rate.counted_per == CountedPer.SERVICE else service.subscription.start_date


def _notes(selection: Selection, question: Question) -> list[str]:
    """What to know of a price that depends on the month."""
    rate = selection.rate
    if rate is None or not rate.is_counted:
        return []
    if question.used_before is not None:
        return [f"Counted on from {with_unit(question.used_before, question.unit)}, as given."]
    if rate.counted_per != CountedPer.CUSTOMER and question.service is None:
        return [f"It counts per {rate.counted_per}, and no service is given: as if nothing was used before."]
    return ["Counted on from what is charged so far: other usage of the month that waits is not counted."]
