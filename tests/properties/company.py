"""A drawn company in the database, with its price lists as the pricing engine sees them."""

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import catalog.engine.rates as engine
from catalog.models import Product, PublicHoliday, Rate, RateCard, RateTier, TimeBand
from catalog.queries.pricing import engine_cards, engine_rate, with_terms
from customers.models import Customer, CustomerGroup, SubscriptionService
from tests.factories import (
    BillingCycleFactory,
    CustomerBillingFactory,
    CustomerFactory,
    CustomerGroupFactory,
    GroupRateCardFactory,
    InvoiceFactory,
    ProductFactory,
    RateCardFactory,
    SourceSystemFactory,
    SubscriptionFactory,
    SubscriptionServiceFactory,
    TaxRateFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
    UsageTypeFactory,
)
from tests.properties.drawn import (
    BANDS,
    DEFAULT,
    FOREIGN,
    GROUP_CARDS,
    HOLIDAYS,
    DrawnCustomer,
    DrawnPrices,
    DrawnRate,
    DrawnRecord,
    numbers,
)
from usage.choices import BillingDirective, RatingType
from usage.models import PendingUsage, UsageDataRecord

LATE_BEFORE = date(2026, 1, 10)
# Of which subscription each service is.
SUBSCRIPTION_OF = [0, 0, 1]


@dataclass(frozen=True)
class Party:
    """A customer with its records in the database, and its price lists in order as the engine sees them."""

    drawn: DrawnCustomer
    customer: Customer
    cards: list[engine.Card]
    rates: list[engine.Rate]
    records: list[UsageDataRecord]


@dataclass(frozen=True)
class Catalogue:
    """What the customers of a company share."""

    products: list[Product]
    cards: list[RateCard]
    groups: list[CustomerGroup]
    rates: list[engine.Rate]


def make_company(currency: str, drawn: Sequence[DrawnCustomer], prices: DrawnPrices) -> tuple[str, list[Party]]:
    """The subrun of a new company's customers, and the customers. Only the latest company has a default price list."""
    catalogue = _make_catalogue(currency, prices)
    cycle = BillingCycleFactory(subrun=f"subrun {next(numbers)}")
    parties = [_make_party(one, currency, catalogue) for one in drawn]
    for party in parties:
        CustomerBillingFactory(customer=party.customer, billing_cycle=cycle)
    return cycle.subrun, parties


def _make_catalogue(currency: str, prices: DrawnPrices) -> Catalogue:
    RateCard.objects.filter(is_default=True).update(is_default=False)
    for day in HOLIDAYS:
        PublicHoliday.objects.get_or_create(country="DE", day=day, defaults={"name": "A day off"})
    products: list[Product] = [
        ProductFactory(code=code + str(next(numbers)), is_prorated=prorated)
        for code, prorated in zip(("Voice", "data"), prices.prorated, strict=True)
    ]
    cards: list[RateCard] = [
        RateCardFactory(currency__code="EUR" if n == FOREIGN else currency, is_default=n == DEFAULT, **vars(card))
        for n, card in enumerate(prices.cards)
    ]
    groups = [CustomerGroupFactory() for _ in GROUP_CARDS]
    for group, listed in zip(groups, GROUP_CARDS, strict=True):
        for card, position in listed:
            GroupRateCardFactory(group=group, rate_card=cards[card], position=position)
    bands = [TimeBandFactory(name=f"Band {next(numbers)}") for _ in BANDS]
    for band, hours in zip(bands, BANDS, strict=True):
        for days, start, end in hours:
            TimeBandHoursFactory(time_band=band, days=days, start_time=start, end_time=end)
    versions = [
        (version, rate)
        for rate in prices.rates
        for version in _versions(
            rate, cards[rate.card], products[rate.product], None if rate.band is None else bands[rate.band]
        )
    ]
    Rate.objects.bulk_create(version for version, _ in versions)
    RateTier.objects.bulk_create(
        RateTier(rate=version, from_quantity=above, unit_price=price)
        for version, rate in versions
        for above, price in rate.tiers
    )
    made = with_terms(Rate.objects.filter(rate_card__in=cards))
    return Catalogue(products, cards, groups, [engine_rate(rate) for rate in made])


def _versions(drawn: DrawnRate, card: RateCard, product: Product, band: TimeBand | None) -> list[Rate]:
    """A rate and, from the day on which it changes, one at twice the price."""

    def version(start: date, end: date | None, times: int) -> Rate:
        return Rate(
            rate_card=card,
            product=product,
            region=drawn.region,
            destination_prefix=drawn.prefix,
            time_band=band,
            start_date=start,
            end_date=end,
            **drawn.terms | {"unit_price": drawn.terms["unit_price"] * times},
        )

    first_day = date(2025, 10, 1)
    if drawn.changes_on is None:
        return [version(first_day, None, 1)]
    change = date(2026, 1, drawn.changes_on)
    return [version(first_day, change, 1), version(change, None, 2)]


def _make_party(drawn: DrawnCustomer, currency: str, catalogue: Catalogue) -> Party:
    customer = CustomerFactory(
        currency__code=currency,
        timezone=drawn.timezone,
        tax_rate=TaxRateFactory(percent=drawn.tax_percent),
        minimum_invoice_amount=drawn.minimum,
        rate_cards=[catalogue.cards[card] for card in drawn.cards],
        groups=[catalogue.groups[group] for group in drawn.groups],
    )
    if drawn.has_earlier_invoice:
        InvoiceFactory(customer=customer, period_start=date(2025, 12, 1), period_end=LATE_BEFORE)
    of_groups = sorted((position, group, card) for group in drawn.groups for card, position in GROUP_CARDS[group])
    order = [*drawn.cards, *(card for _, _, card in of_groups), DEFAULT]
    return Party(
        drawn=drawn,
        customer=customer,
        cards=engine_cards([catalogue.cards[card].pk for card in order if card != FOREIGN], years=[2025, 2026]),
        rates=catalogue.rates,
        records=_make_records(customer, catalogue.products, _make_services(customer, drawn), drawn.records),
    )


def _make_services(customer: Customer, drawn: DrawnCustomer) -> list[SubscriptionService]:
    subscriptions = [SubscriptionFactory(customer=customer, start_date=start) for start in drawn.subscription_starts]
    return [
        SubscriptionServiceFactory(customer=customer, subscription=subscriptions[number], start_date=start)
        for number, start in zip(SUBSCRIPTION_OF, drawn.service_starts, strict=True)
    ]


def _make_records(
    customer: Customer, products: list[Product], services: list[SubscriptionService], drawn: list[DrawnRecord]
) -> list[UsageDataRecord]:
    source = SourceSystemFactory()
    types = {name: UsageTypeFactory(name=name) for name in ("Call", "call", "Data")}
    made = UsageDataRecord.objects.bulk_create(
        UsageDataRecord(
            customer=customer,
            subscription_service=services[one.service],
            product=products[one.product],
            usage_type=types[one.usage_type],
            source_system=source,
            number=f"N{next(numbers)}",
            billing_directive=one.directive,
            from_date=one.from_date,
            to_date=one.from_date + one.length,
            billing_effective_date=local_date(customer, one.from_date) + timedelta(days=one.days_effective_later),
            usage_amount=one.quantity,
            destination=one.destination,
            region=one.region,
            rating_type=RatingType.POSTRATED if one.own_amount is None else RatingType.PRERATED,
            total_amount=one.own_amount,
        )
        for one in drawn
    )
    PendingUsage.objects.bulk_create(
        PendingUsage(record=record, customer=customer, billing_effective_date=record.billing_effective_date)
        for record in made
        if record.billing_directive != BillingDirective.NOT_TO_BE_BILLED
    )
    return made


def local_date(customer: Customer, at: datetime) -> date:
    """The customer's day of an instant."""
    return at.astimezone(zoneinfo.ZoneInfo(customer.timezone)).date()
