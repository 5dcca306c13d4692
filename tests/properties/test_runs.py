"""What a billing run makes in SQL is what the pricing engine makes in Python, to the last digit."""

import itertools
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import catalog.engine.pricing as engine
from billing.models import BillingCycle, BillingRun, RunAccount
from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run, create_run
from catalog.choices import RoundingMode
from catalog.engine.documents import Charge, Document, Terms, make_document
from catalog.models import Product, Rate, RateCard
from customers.models import Customer
from invoicing.models import Invoice, UsageCharge
from tests.factories import (
    BillingCycleFactory,
    CustomerBillingFactory,
    CustomerFactory,
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

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
CUTOFF = date(2026, 2, 1)
LATE_BEFORE = date(2026, 1, 10)
# Case, accents and the empty text: where orders of texts differ.
REGIONS = ["", "EU", "eu", "Île"]
# Few, so that records meet on one day; around midnight here and there, and around the turn of months and versions.
INSTANTS = [
    datetime(2025, 12, 25, 12, 0, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 1, 9, 11, 0, tzinfo=UTC),
    datetime(2026, 1, 9, 23, 30, tzinfo=UTC),
    datetime(2026, 1, 20, 4, 0, tzinfo=UTC),
    datetime(2026, 1, 31, 12, 30, tzinfo=UTC),
]
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
    # Days of January on which one version ends and the next, at another price, begins.
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
    has_earlier_invoice: bool
    records: list[DrawnRecord]


rates = st.lists(
    st.builds(
        DrawnRate,
        card=st.integers(0, 1),
        product=st.integers(0, 1),
        region=st.sampled_from(REGIONS[:3]),
        unit_price=st.decimals(min_value=Decimal("-0.5"), max_value=20, places=9),
        unit_size=st.sampled_from([Decimal(1), Decimal(7), Decimal(60), Decimal("0.03")]),
        rounding_digits=st.none() | st.integers(0, 6),
        rounding_mode=st.sampled_from(RoundingMode.values),
        changes_on=st.none() | st.sampled_from([9, 10, 20]),
    ),
    min_size=4,
    max_size=8,
    unique_by=lambda rate: (rate.card, rate.product, rate.region),
)
records = st.lists(
    st.builds(
        DrawnRecord,
        product=st.integers(0, 1),
        region=st.sampled_from(REGIONS),
        usage_type=st.sampled_from(["Call", "call", "Data"]),
        from_date=st.sampled_from(INSTANTS),
        days_effective_later=st.integers(0, 2),
        quantity=st.decimals(min_value=0, max_value=10_000, places=18) | st.integers(0, 9).map(Decimal),
        directive=st.sampled_from(BillingDirective.values),
        own_amount=st.none() | st.decimals(min_value=-5, max_value=50, places=18),
    ),
    min_size=8,
    max_size=20,
)
customers = st.builds(
    DrawnCustomer,
    timezone=st.sampled_from(["UTC", "Pacific/Auckland", "America/Los_Angeles"]),
    tax_percent=st.sampled_from([Decimal(0), Decimal(19), Decimal("7.7125")]),
    minimum=st.none() | st.sampled_from([Decimal(0), Decimal(25)]),
    cards=st.permutations([0, 1]).flatmap(lambda cards: st.integers(1, 2).map(lambda count: cards[:count])),
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


def make_run(currency: str, drawn: list[DrawnCustomer], drawn_rates: list[DrawnRate]) -> tuple[BillingRun, list[Party]]:
    """A pending run and its customers, which the price lists are shared by."""
    products = [ProductFactory(code=code + str(next(numbers))) for code in ("Voice", "data")]
    cards = [RateCardFactory(currency__code=currency) for _ in range(2)]
    versions = [version for rate in drawn_rates for version in make_versions(rate, cards, products)]
    Rate.objects.bulk_create(versions)
    rates = [as_engine_sees(version) for version in versions]
    subrun = f"subrun {next(numbers)}"
    cycle = BillingCycleFactory(subrun=subrun)
    run = create_run(
        name=subrun, invoice_date=CUTOFF, cutoff_date=CUTOFF, due_date=CUTOFF, subrun=subrun, bill_unpriced=True
    )
    return run, [make_party(one, currency, cards, rates, products, cycle) for one in drawn]


def make_party(
    drawn: DrawnCustomer,
    currency: str,
    cards: list[RateCard],
    rates: list[engine.Rate],
    products: list[Product],
    cycle: BillingCycle,
) -> Party:
    own_cards = [cards[card] for card in drawn.cards]
    customer = CustomerFactory(
        currency__code=currency,
        timezone=drawn.timezone,
        tax_rate=TaxRateFactory(percent=drawn.tax_percent),
        minimum_invoice_amount=drawn.minimum,
        rate_cards=own_cards,
    )
    CustomerBillingFactory(customer=customer, billing_cycle=cycle)
    if drawn.has_earlier_invoice:
        InvoiceFactory(customer=customer, period_start=date(2025, 12, 1), period_end=LATE_BEFORE)
    return Party(
        drawn=drawn,
        customer=customer,
        card_ids=[card.id for card in own_cards],
        rates=rates,
        records=make_records(customer, products, drawn.records),
    )


def make_versions(drawn: DrawnRate, cards: list[RateCard], products: list[Product]) -> list[Rate]:
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


def as_engine_sees(rate: Rate) -> engine.Rate:
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


def make_records(customer: Customer, products: list[Product], drawn: list[DrawnRecord]) -> list[UsageDataRecord]:
    service = SubscriptionServiceFactory(customer=customer)
    source = SourceSystemFactory()
    made = UsageDataRecord.objects.bulk_create(
        UsageDataRecord(
            customer=customer,
            subscription_service=service,
            product=products[one.product],
            usage_type=UsageTypeFactory(name=one.usage_type),
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
    return at.astimezone(zoneinfo.ZoneInfo(customer.timezone)).date()


def priced(party: Party, record: UsageDataRecord) -> engine.PricedUsage | None:
    """The engine's price of a record that is due; None if it is not due or nothing prices it."""
    if record.billing_directive == BillingDirective.NOT_TO_BE_BILLED or record.billing_effective_date >= CUTOFF:
        return None
    day = local_date(party.customer, record.from_date)
    rate = engine.select_rate(party.card_ids, party.rates, record.product.code, record.region, day)
    if rate is None and record.total_amount is None:
        return None
    return engine.price_usage(
        engine.Usage(quantity=record.usage_amount, directive=record.billing_directive, own_amount=record.total_amount),
        rate,
    )


def expected_document(party: Party, prices: dict[int, engine.PricedUsage]) -> Document | None:
    currency = party.customer.currency
    charges = [
        Charge(
            product_code=record.product.code,
            region=record.region,
            usage_type=record.usage_type.name,
            rate=prices[record.id].rate,
            late_period=(
                record.billing_effective_date.replace(day=1)
                if party.drawn.has_earlier_invoice and record.billing_effective_date < LATE_BEFORE
                else None
            ),
            quantity=prices[record.id].quantity,
            amount=prices[record.id].amount,
        )
        for record in party.records
        if record.id in prices
    ]
    least = Decimal(1).scaleb(-currency.minor_units) if party.drawn.minimum is None else party.drawn.minimum
    return make_document(
        charges, Terms(tax_percent=party.drawn.tax_percent, minor_units=currency.minor_units, minimum_amount=least)
    )


def shown(document: Document) -> list[tuple[object, ...]]:
    return [
        ("net", document.net_amount, document.tax_amount, document.total_amount, document.is_credit_note),
        *(
            (
                line.product_code,
                line.region,
                line.usage_type,
                line.rate.id if line.rate else None,
                line.late_period,
                line.quantity,
                line.exact_amount,
                line.amount,
                line.charge_count,
            )
            for line in document.lines
        ),
    ]


def stored(invoice: Invoice) -> list[tuple[object, ...]]:
    return [
        ("net", invoice.net_amount, invoice.tax_amount, invoice.total_amount, invoice.kind == "CREDIT_NOTE"),
        *invoice.lines.order_by("line_number").values_list(
            "product_code",
            "region",
            "usage_type",
            "rate_id",
            "late_period",
            "quantity",
            "exact_amount",
            "amount",
            "charge_count",
        ),
    ]


def check(run: BillingRun, party: Party) -> None:
    """Compare a customer's account, invoice, charges and inbox with what the engine makes of its records."""
    prices = {record.id: price for record in party.records if (price := priced(party, record))}
    expected = expected_document(party, prices)
    account = RunAccount.objects.get(run=run, customer=party.customer)
    left = set(PendingUsage.objects.filter(customer=party.customer).values_list("record_id", flat=True))
    inbox = {record.id for record in party.records if record.billing_directive != BillingDirective.NOT_TO_BE_BILLED}
    event("invoiced" if expected else "not invoiced")
    if expected is None:
        assert (account.invoice, left) == (None, inbox)
        return
    assert account.invoice is not None, account.reason
    assert stored(account.invoice) == shown(expected)
    charges = UsageCharge.objects.filter(line__invoice=account.invoice)
    assert {charge.record_id: (charge.rate_id, charge.quantity, charge.amount) for charge in charges} == {
        record_id: (price.rate.id if price.rate else None, price.quantity, price.amount)
        for record_id, price in prices.items()
    }
    assert left == inbox - set(prices)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.sampled_from(["USD", "JPY", "KWD"]), st.lists(customers, min_size=1, max_size=3), rates)
def test_a_run_makes_what_the_engine_makes(
    currency: str, drawn: list[DrawnCustomer], drawn_rates: list[DrawnRate]
) -> None:
    run, parties = make_run(currency, drawn, drawn_rates)
    commence_run(run_id=run.id, at=AT)
    while produce_next_chunk(run_id=run.id, at=AT):
        pass
    for party in parties:
        check(run, party)
