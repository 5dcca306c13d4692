"""What a pre-flight says of the customers that a run would take, and of their usage."""

from datetime import date, time
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.choices import PreflightVerdict
from billing.models import BillingRun
from billing.operations.runs import commence_run
from billing.queries.preflight import preflight
from billing.queries.preflight_checks import PreflightCheck
from catalog.models import Product, RateCard
from customers.models import Customer, SubscriptionService
from tests.factories import (
    BillingRunFactory,
    CustomerFactory,
    InvoiceFactory,
    ProductFactory,
    PublicHolidayFactory,
    RateCardFactory,
    RateFactory,
    RecurringChargeFactory,
    TaxRateFactory,
    TimeBandFactory,
    TimeBandHoursFactory,
    TransactionFactory,
)
from tests.runs import AT, customer_at, rate_of, use

pytestmark = pytest.mark.django_db

EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture
def run() -> BillingRun:
    return BillingRunFactory(cutoff_date=date(2026, 2, 1))


@pytest.fixture
def call() -> Product:
    return ProductFactory(code="CALL")


@pytest.fixture
def card() -> RateCard:
    return RateCardFactory()


@pytest.fixture
def acme(card: RateCard) -> Customer:
    return CustomerFactory(account_number="A-1", rate_cards=[card])


def check(run: BillingRun, code: str) -> PreflightCheck:
    (found,) = [each for each in preflight(run=run, at=AT) if each.code == code]
    return found


def unpriced(run: BillingRun) -> int:
    return check(run, "unpriced_usage").count


def test_usage_without_a_rate_is_counted_and_the_first_is_named(
    run: BillingRun, call: Product, card: RateCard, acme: Customer
) -> None:
    RateFactory(rate_card=card, product=call, destination_prefix="44")
    use(acme, call, 60, destination="+447700900123")
    first = use(acme, call, 60, destination="+33123")
    use(acme, call, 60, destination="+34123")
    found = check(run, "unpriced_usage")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 2)
    assert found.detail == (
        f"2 records of 1 customer (A-1): no rate for CALL. The first: {first.number}, CALL to +33123 on 2026-01-15. "
        "The records wait, and so does the rest: its account is held. Add the rates."
    )
    assert (found.model, found.query) == ("usage_pendingusage", (("customer__id__exact", str(acme.pk)),))
    run.bill_unpriced = True
    assert "The records wait, the rest is billed." in check(run, "unpriced_usage").detail


def test_usage_that_the_run_does_not_bill_needs_no_rate(run: BillingRun, call: Product, acme: Customer) -> None:
    use(acme, call, 60, on="2026-02-01")
    use(acme, call, 60, rating_type="PRERATED", total_amount=Decimal(1))
    use(acme, call, 60, billing_directive="NOT_TO_BE_BILLED")
    assert unpriced(run) == 0


def test_versions_that_follow_each_other_price_the_whole_month(
    run: BillingRun, call: Product, card: RateCard, acme: Customer
) -> None:
    for day in ("2026-01-02", "2026-01-15", "2026-01-30"):
        use(acme, call, 60, on=day)
    RateFactory(rate_card=card, product=call, end_date=date(2026, 1, 10))
    RateFactory(rate_card=card, product=call, start_date=date(2026, 1, 20))
    # The 15th lies between the two versions.
    assert unpriced(run) == 1
    RateFactory(rate_card=card, product=call, start_date=date(2026, 1, 10), end_date=date(2026, 1, 20))
    assert unpriced(run) == 0


def test_a_withdrawn_rate_prices_nothing(run: BillingRun, call: Product, card: RateCard, acme: Customer) -> None:
    use(acme, call, 60, on="2026-01-15")
    RateFactory(rate_card=card, product=call, start_date=date(2026, 1, 15), end_date=date(2026, 1, 15))
    assert unpriced(run) == 1


@pytest.mark.parametrize(
    ("prefix", "destination", "is_priced"),
    [
        ("", "sip:someone", True),
        ("44", "+447700900123", True),
        ("44", "447700900123", True),
        ("44", "++44770", False),
        ("44", "4", False),
        ("44770090", "447700900123", True),
        ("44770090", "447700800123", False),
        ("4477009001234", "447700900123456789", True),
        ("4477009001234", "447700900123", False),
        ("4477", "44-77", False),
    ],
)
def test_prefixes_are_looked_for_however_long(
    run: BillingRun, call: Product, card: RateCard, acme: Customer, prefix: str, destination: str, *, is_priced: bool
) -> None:
    RateFactory(rate_card=card, product=call, destination_prefix=prefix)
    use(acme, call, 60, destination=destination)
    assert unpriced(run) == (0 if is_priced else 1)


def test_a_region_and_another_card_price_too(run: BillingRun, call: Product, card: RateCard, acme: Customer) -> None:
    RateFactory(rate_card=card, product=call, region="EU")
    use(acme, call, 60, region="EU")
    use(acme, call, 60, region="US")
    assert unpriced(run) == 1
    RateFactory(rate_card=RateCardFactory(is_default=True), product=call, region="")
    assert unpriced(run) == 0


def test_hours_that_no_band_has_are_not_priced(run: BillingRun, call: Product, card: RateCard, acme: Customer) -> None:
    day, night = TimeBandFactory(), TimeBandFactory()
    TimeBandHoursFactory(time_band=day, days=EVERY_DAY, start_time=time(8), end_time=time(20))
    TimeBandHoursFactory(time_band=night, days=EVERY_DAY, start_time=time(0), end_time=time(8))
    TimeBandHoursFactory(time_band=night, days=EVERY_DAY, start_time=time(20), end_time=None)
    use(acme, call, 60, on="2026-01-15T07:59:59")
    use(acme, call, 60, on="2026-01-15T08:00")
    RateFactory(rate_card=card, product=call, time_band=day)
    assert unpriced(run) == 1
    RateFactory(rate_card=card, product=call, time_band=night)
    assert unpriced(run) == 0


def test_on_a_public_holiday_hours_of_weekdays_do_not_hold(run: BillingRun, call: Product) -> None:
    card = RateCardFactory(holiday_country="DE", timezone="Europe/Berlin")
    band = TimeBandFactory()
    TimeBandHoursFactory(time_band=band, days=EVERY_DAY, start_time=time(0), end_time=None)
    RateFactory(rate_card=card, product=call, time_band=band)
    acme = CustomerFactory(rate_cards=[card])
    use(acme, call, 60, on="2026-01-14T22:59")
    # Midnight in Berlin.
    use(acme, call, 60, on="2026-01-14T23:00")
    assert unpriced(run) == 0
    PublicHolidayFactory(country="DE", day=date(2026, 1, 15))
    assert unpriced(run) == 1


def test_a_customer_without_a_rate_card_and_its_currency_are_named(run: BillingRun, call: Product) -> None:
    customer = CustomerFactory(account_number="A-1", currency__code="CHF")
    CustomerFactory()
    assert check(run, "no_price_list").verdict == PreflightVerdict.PASS
    use(customer, call, 60)
    found = check(run, "no_price_list")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)
    assert found.detail == (
        "1 customer (A-1) with usage: no rate card in the currency, of its own, of a group or default. Give it one."
    )
    assert (found.model, found.query) == ("customers_customer", (("id__in", str(customer.pk)),))
    default = check(run, "no_default_card")
    assert (default.verdict, default.count) == (PreflightVerdict.WARN, 1)
    assert default.detail == (
        "CHF has no default rate card, and there are customers without any other. Make a card the default."
    )
    RateCardFactory(currency=customer.currency, is_default=True)
    assert check(run, "no_price_list").count == check(run, "no_default_card").count == 0


def test_customers_without_a_tax_rate_are_named_where_they_have_something_to_bill(run: BillingRun) -> None:
    acme, call = customer_at("1", account_number="A-1", tax_rate=None)
    other = CustomerFactory(account_number="A-2", tax_rate=None)
    assert check(run, "no_tax_rate").count == 0
    TransactionFactory(customer=other, transaction_date=date(2026, 2, 1), tax_rate=None)
    assert check(run, "no_tax_rate").count == 0
    use(acme, call, 60)
    TransactionFactory(customer=other, transaction_date=date(2026, 1, 31), tax_rate=None)
    found = check(run, "no_tax_rate")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 2)
    assert found.detail == (
        "2 customers (A-1, A-2) with something to bill: their accounts are held. Give them a tax rate."
    )


def test_closed_customers_with_usage_are_named(run: BillingRun) -> None:
    acme, call = customer_at("1", account_number="A-1", status="CLOSED")
    assert check(run, "closed_customers").count == 0
    use(acme, call, 60)
    found = check(run, "closed_customers")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)
    assert found.detail == "1 customer (A-1): closed, with 1 record that is billed. Ask whether it is to be."


@pytest.mark.parametrize("ended", ["service", "subscription"])
def test_usage_after_the_end_of_a_service_is_counted(run: BillingRun, ended: str) -> None:
    acme, call = customer_at("1")
    use(acme, call, 60, on="2026-01-14")
    use(acme, call, 60, on="2026-01-15")
    assert check(run, "ended_services").count == 0
    service = SubscriptionService.objects.get()
    thing = service if ended == "service" else service.subscription
    thing.end_date = date(2026, 1, 15)
    thing.save()
    found = check(run, "ended_services")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 1)
    assert found.detail == (
        f"1 record of 1 service ({service.identifier}): used on or after the day on which the service or its "
        "subscription ended. The run bills it; ask whether it is to."
    )


def test_late_usage_warns_from_a_hundredth_on(run: BillingRun) -> None:
    acme, call = customer_at("1", account_number="A-1")
    InvoiceFactory(customer=acme, period_start=date(2025, 12, 1), period_end=date(2026, 1, 1))
    for _ in range(100):
        use(acme, call, 60)
    use(acme, call, 60, on="2025-12-31")
    # 1 of 101 is less than a hundredth.
    found = check(run, "late_usage")
    assert (found.verdict, found.count) == (PreflightVerdict.PASS, 1)
    use(acme, call, 60, on="2025-12-31")
    found = check(run, "late_usage")
    assert (found.verdict, found.count) == (PreflightVerdict.WARN, 2)
    assert found.detail == (
        "2 records of 1 customer (A-1): used before the end of an invoice that the customer has. They go on lines of "
        "their own that name the month. Ask why they came so late."
    )


def test_only_customers_of_the_run_count(run: BillingRun, call: Product) -> None:
    run.subrun = "odd"
    use(CustomerFactory(tax_rate=None), call, 60)
    assert (unpriced(run), check(run, "no_tax_rate").count) == (0, 0)


def test_many_customers_take_as_many_queries_as_one(run: BillingRun) -> None:
    acme, call = customer_at("1")
    use(acme, call, 60)
    with CaptureQueriesContext(connection) as for_one:
        preflight(run=run, at=AT)
    for _ in range(5):
        use(CustomerFactory(rate_cards=[rate_of(call).rate_card]), call, 60)
    with CaptureQueriesContext(connection) as for_many:
        preflight(run=run, at=AT)
    assert len(for_many) == len(for_one)


def test_what_was_set_for_the_planner_is_set_back(run: BillingRun) -> None:
    acme, _ = customer_at("1")
    use(acme, ProductFactory(), 60)
    names = ("work_mem", "jit", "enable_hashjoin", "enable_mergejoin", "parallel_tuple_cost", "parallel_setup_cost")
    asked = f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}"
    with connection.cursor() as cursor:
        cursor.execute(asked)
        before = cursor.fetchone()
        preflight(run=run, at=AT)
        cursor.execute(asked)
        assert cursor.fetchone() == before


def test_a_customer_of_whom_only_a_recurring_charge_falls_due_needs_a_tax_rate(run: BillingRun) -> None:
    RecurringChargeFactory(customer=CustomerFactory(account_number="R-1", tax_rate=None))
    taxed_by_itself = CustomerFactory(account_number="R-2", tax_rate=None)
    RecurringChargeFactory(customer=taxed_by_itself, tax_rate=TaxRateFactory(name="Reduced"))
    # In arrears January falls due on its last day, February on its last, which is after the cutoff.
    later = CustomerFactory(account_number="R-3", tax_rate=None)
    RecurringChargeFactory(customer=later, start_date=date(2026, 2, 1))
    found = check(run, "no_tax_rate")
    assert found.detail == ("1 customer (R-1) with something to bill: its account is held. Give it a tax rate.")
    run.transaction_cutoff_date = date(2025, 12, 31)
    assert check(run, "no_tax_rate").count == 0


def test_a_closed_customer_is_expected_where_a_recurring_charge_falls_due(run: BillingRun) -> None:
    CustomerFactory(account_number="A-1")
    closed = CustomerFactory(account_number="A-2", status="CLOSED")
    assert check(run, "expected_accounts").count == 1
    # Closed without a date, it pays what is left of the minimum term.
    RecurringChargeFactory(customer=closed, minimum_months=12)
    assert check(run, "expected_accounts").count == 2
    commenced = commence_run(run_id=run.pk, at=AT, without_preflight=True)
    assert commenced.accounts.count() == 2
