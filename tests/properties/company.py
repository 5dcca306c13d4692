"""Companies drawn by hypothesis: price lists, customers and usage, in the database and as the engine sees them."""

import itertools
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

import catalog.engine.pricing as engine
from catalog.choices import RoundingMode
from catalog.models import Product, Rate, RateCard
from customers.models import Customer, CustomerGroup
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
    SubscriptionServiceFactory,
    TaxRateFactory,
    UsageTypeFactory,
)
from usage.choices import BillingDirective, RatingType
from usage.models import PendingUsage, UsageDataRecord

CUTOFF = date(2026, 2, 1)
LATE_BEFORE = date(2026, 1, 10)
# Case, accents and the empty text: where orders of texts differ.
REGIONS = ["", "EU", "eu", "Île"]
# Few, so that records meet on one day; around midnight here and there, and around the turn of months and versions.
INSTANTS = [
    datetime(2025, 12, 25, 12, 0, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 1, 9, 11, 0, tzinfo=UTC),
    datetime(2026, 1, 9, 18, 29, 59, tzinfo=UTC),
    datetime(2026, 1, 9, 18, 30, tzinfo=UTC),
    datetime(2026, 1, 9, 23, 30, tzinfo=UTC),
    datetime(2026, 1, 20, 4, 0, tzinfo=UTC),
    datetime(2026, 1, 31, 12, 30, tzinfo=UTC),
]
# Price lists: two that customers have, one of a group, the default one, one in another currency.
FIRST, SECOND, OF_GROUP, DEFAULT, FOREIGN = range(5)
# The price lists of two groups, with their positions.
GROUP_CARDS = [[(OF_GROUP, 2), (FIRST, 3)], [(SECOND, 2)]]
numbers = itertools.count(1)


@dataclass(frozen=True)
class DrawnRate:
    card: int
    product: int
    region: str
    unit_price: Decimal
    unit_size: Decimal
    rounding_digits: int | None
    rounding_mode: str
    # Day of January on which this version ends and the next, at another price, begins.
    changes_on: int | None


@dataclass(frozen=True)
class DrawnRecord:
    product: int
    region: str
    usage_type: str
    from_date: datetime
    days_effective_later: int
    quantity: Decimal
    directive: str
    own_amount: Decimal | None


@dataclass(frozen=True)
class DrawnCustomer:
    timezone: str
    tax_percent: Decimal
    minimum: Decimal | None
    cards: list[int]
    groups: list[int]
    has_earlier_invoice: bool
    records: list[DrawnRecord]


currencies = st.sampled_from(["USD", "JPY", "KWD"])
unit_prices = (
    st.decimals(min_value=Decimal("-0.5"), max_value=20, places=18)
    | st.decimals(min_value=0, max_value=1000, places=2)
    | st.sampled_from([Decimal(0), Decimal("1e-18"), Decimal("0.005")])
)
quantities = (
    st.decimals(min_value=-10, max_value=10_000, places=18)
    | st.integers(0, 9).map(Decimal)
    | st.sampled_from([Decimal("1e-18"), Decimal(10**9), Decimal("-0.5"), Decimal("0.0000001453")])
)
rules = st.lists(
    st.sampled_from(list(itertools.product(range(5), range(2), REGIONS[:3]))), min_size=6, max_size=12, unique=True
)


@st.composite
def rates(draw: st.DrawFn) -> list[DrawnRate]:
    """Prices of some rules, each for a price list, a product and a region or every region."""
    return [
        DrawnRate(
            card=card,
            product=product,
            region=region,
            unit_price=draw(unit_prices),
            unit_size=draw(st.sampled_from([Decimal(size) for size in ("1", "60", "7", "1024", "0.5", "0.03")])),
            rounding_digits=draw(st.none() | st.integers(0, 6) | st.just(18)),
            rounding_mode=draw(st.sampled_from(RoundingMode.values)),
            changes_on=draw(st.none() | st.sampled_from([9, 10, 20])),
        )
        for card, product, region in draw(rules)
    ]


records = st.lists(
    st.builds(
        DrawnRecord,
        product=st.integers(0, 1),
        region=st.sampled_from(REGIONS),
        usage_type=st.sampled_from(["Call", "call", "Data"]),
        from_date=st.sampled_from(INSTANTS),
        days_effective_later=st.integers(0, 2),
        quantity=quantities,
        directive=st.sampled_from(BillingDirective.values),
        own_amount=st.none() | st.none() | st.decimals(min_value=-5, max_value=50, places=18),
    ),
    min_size=6,
    max_size=18,
)
customers = st.builds(
    DrawnCustomer,
    timezone=st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"]),
    tax_percent=st.sampled_from([Decimal(0), Decimal(19), Decimal("7.7125")]),
    minimum=st.none() | st.sampled_from([Decimal(0), Decimal(25)]),
    cards=st.permutations([FIRST, SECOND, FOREIGN]).flatmap(lambda cards: st.integers(0, 3).map(lambda n: cards[:n])),
    groups=st.sampled_from([[], [0], [1], [0, 1]]),
    has_earlier_invoice=st.booleans(),
    records=records,
)


@dataclass(frozen=True)
class Party:
    """A customer with its records in the database, and its price lists and rates as the engine sees them."""

    drawn: DrawnCustomer
    customer: Customer
    card_ids: list[int]
    rates: list[engine.Rate]
    records: list[UsageDataRecord]


@dataclass(frozen=True)
class Catalogue:
    """What the customers of a company share."""

    products: list[Product]
    cards: list[RateCard]
    groups: list[CustomerGroup]
    rates: list[engine.Rate]


def make_company(currency: str, drawn: list[DrawnCustomer], drawn_rates: list[DrawnRate]) -> tuple[str, list[Party]]:
    """The subrun of a new company's customers, and the customers. Only the latest company has a default price list."""
    RateCard.objects.filter(is_default=True).update(is_default=False)
    products = [ProductFactory(code=code + str(next(numbers))) for code in ("Voice", "data")]
    cards: list[RateCard] = [
        RateCardFactory(currency__code="EUR" if n == FOREIGN else currency, is_default=n == DEFAULT) for n in range(5)
    ]
    groups = [CustomerGroupFactory() for _ in GROUP_CARDS]
    for group, listed in zip(groups, GROUP_CARDS, strict=True):
        for card, position in listed:
            GroupRateCardFactory(group=group, rate_card=cards[card], position=position)
    versions = [version for rate in drawn_rates for version in _versions(rate, cards, products)]
    Rate.objects.bulk_create(versions)
    catalogue = Catalogue(products, cards, groups, [_as_engine_sees(version) for version in versions])
    cycle = BillingCycleFactory(subrun=f"subrun {next(numbers)}")
    parties = [_make_party(one, currency, catalogue) for one in drawn]
    for party in parties:
        CustomerBillingFactory(customer=party.customer, billing_cycle=cycle)
    return cycle.subrun, parties


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
        card_ids=[catalogue.cards[card].id for card in order if card != FOREIGN],
        rates=catalogue.rates,
        records=_make_records(customer, catalogue.products, drawn.records),
    )


def _versions(drawn: DrawnRate, cards: list[RateCard], products: list[Product]) -> list[Rate]:
    first = Rate(
        rate_card=cards[drawn.card],
        product=products[drawn.product],
        region=drawn.region,
        unit_price=drawn.unit_price,
        unit_size=drawn.unit_size,
        rounding_digits=drawn.rounding_digits,
        rounding_mode=drawn.rounding_mode,
        start_date=date(2025, 12, 28),
    )
    if drawn.changes_on is None:
        return [first]
    first.end_date = date(2026, 1, drawn.changes_on)
    second = Rate(
        rate_card=first.rate_card,
        product=first.product,
        region=first.region,
        unit_price=drawn.unit_price * 2,
        start_date=first.end_date,
    )
    return [first, second]


def _as_engine_sees(rate: Rate) -> engine.Rate:
    return engine.Rate(
        id=rate.id,
        card_id=rate.rate_card_id,
        card_name=rate.rate_card.name,
        product=rate.product.code,
        region=rate.region,
        unit_price=rate.unit_price,
        unit_size=rate.unit_size,
        rounding_digits=rate.rounding_digits,
        rounding_mode=rate.rounding_mode,
        start_date=rate.start_date,
        end_date=rate.end_date,
    )


def _make_records(customer: Customer, products: list[Product], drawn: list[DrawnRecord]) -> list[UsageDataRecord]:
    service = SubscriptionServiceFactory(customer=customer)
    source = SourceSystemFactory()
    types = {name: UsageTypeFactory(name=name) for name in ("Call", "call", "Data")}
    made = UsageDataRecord.objects.bulk_create(
        UsageDataRecord(
            customer=customer,
            subscription_service=service,
            product=products[one.product],
            usage_type=types[one.usage_type],
            source_system=source,
            number=f"N{next(numbers)}",
            billing_directive=one.directive,
            from_date=one.from_date,
            to_date=one.from_date,
            billing_effective_date=local_date(customer, one.from_date) + timedelta(days=one.days_effective_later),
            usage_amount=one.quantity,
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
