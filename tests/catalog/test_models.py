from collections.abc import Callable
from datetime import date, time
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ProtectedError

from catalog.models import Currency, Product, Rate, TaxRate
from tests.factories import (
    CurrencyFactory,
    CustomerFactory,
    ProductFactory,
    PublicHolidayFactory,
    RateCardFactory,
    RateFactory,
    RateTierFactory,
    SubscriptionServiceFactory,
    TaxRateFactory,
    TimeBandHoursFactory,
    UsageChargeFactory,
    UsageDataRecordFactory,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("currency_code_is_iso", lambda: CurrencyFactory(code="usd")),
        ("currency_minor_units_range", lambda: CurrencyFactory(code="ZZZ", minor_units=5)),
        ("tax_rate_percent_range", lambda: TaxRateFactory(percent=Decimal("100.01"))),
        ("tax_rate_percent_range", lambda: TaxRateFactory(percent=Decimal("-0.01"))),
        ("tax_rate_treatment_known", lambda: TaxRateFactory(treatment="forgotten")),
        ("tax_rate_untaxed_is_0_and_says_why", lambda: TaxRateFactory(treatment="exempt", note="Exempt")),
        ("tax_rate_untaxed_is_0_and_says_why", lambda: TaxRateFactory(treatment="exempt", percent=0)),
        ("tax_rate_replaces_from_a_day", lambda: TaxRateFactory(start_date=date(2026, 1, 1))),
        ("tax_rate_replaces_from_a_day", lambda: TaxRateFactory(predecessor=TaxRateFactory(name="Old"))),
        ("product_code_not_empty", lambda: ProductFactory(code="")),
        ("product_kind_known", lambda: ProductFactory(kind="GIFT")),
        ("time_band_ends_after_start", lambda: TimeBandHoursFactory(start_time=time(18), end_time=time(18))),
        ("time_band_days_known", lambda: TimeBandHoursFactory(days=[0, 1])),
        ("time_band_days_known", lambda: TimeBandHoursFactory(days=[])),
        ("time_band_whole_minutes", lambda: TimeBandHoursFactory(start_time=time(8, 0, 1))),
        ("rate_ends_after_start", lambda: RateFactory(start_date=date(2026, 1, 1), end_date=date(2025, 12, 31))),
        ("rate_unit_size_positive", lambda: RateFactory(unit_size=0)),
        ("rate_destination_prefix_is_digits", lambda: RateFactory(destination_prefix="+44")),
        ("rate_connection_fee_not_negative", lambda: RateFactory(connection_fee=-1)),
        ("rate_minimum_quantity_not_negative", lambda: RateFactory(minimum_quantity=-1)),
        ("rate_included_quantity_not_negative", lambda: RateFactory(included_quantity=-1)),
        ("rate_minimum_charge_not_negative", lambda: RateFactory(minimum_charge=-1)),
        ("rate_maximum_charge_not_negative", lambda: RateFactory(maximum_charge=-1)),
        ("rate_first_increment_positive", lambda: RateFactory(first_increment=0)),
        ("rate_increment_positive", lambda: RateFactory(increment=0)),
        ("rate_charge_limits_in_order", lambda: RateFactory(minimum_charge=2, maximum_charge=1)),
        ("rate_charge_limits_of_single_uses", lambda: RateFactory(minimum_charge=1, included_quantity=1)),
        ("rate_charge_limits_of_single_uses", lambda: RateFactory(maximum_charge=1, pricing_model="package")),
        ("rate_pricing_model_known", lambda: RateFactory(pricing_model="gift")),
        ("rate_counted_per_known", lambda: RateFactory(counted_per="site")),
        ("rate_card_band_rule_known", lambda: RateCardFactory(band_rule="end")),
        ("rate_card_holiday_country_is_iso", lambda: RateCardFactory(holiday_country="de")),
        ("public_holiday_country_is_iso", lambda: PublicHolidayFactory(country="de")),
        ("rate_rounding_digits_range", lambda: RateFactory(rounding_digits=19)),
        ("rate_rounding_mode_known", lambda: RateFactory(rounding_mode="halfDown")),
        ("rate_tier_from_positive", lambda: RateTierFactory(from_quantity=0)),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


def test_a_rate_has_each_tier_once() -> None:
    tier = RateTierFactory(from_quantity=100)
    with refused(by="rate_tier_starts_once"):
        RateTierFactory(rate=tier.rate, from_quantity=100)


def test_a_currency_has_one_default_rate_card() -> None:
    RateCardFactory(is_default=True)
    RateCardFactory(is_default=False)
    RateCardFactory(is_default=True, currency__code="EUR")
    with refused(by="rate_card_one_default_per_currency"):
        RateCardFactory(is_default=True)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 1, 1), date(2026, 7, 1)),
        (date(2026, 6, 30), None),
        (date(2025, 1, 1), date(2026, 1, 2)),
        (date(2025, 1, 1), None),
        (date(2026, 3, 1), date(2026, 3, 2)),
    ],
)
def test_versions_of_one_rate_do_not_overlap(start: date, end: date | None) -> None:
    first = RateFactory(start_date=date(2026, 1, 1), end_date=date(2026, 7, 1))
    with refused(by="rate_versions_do_not_overlap"):
        RateFactory(rate_card=first.rate_card, product=first.product, start_date=start, end_date=end)


def test_versions_of_one_rate_may_follow_each_other_to_the_day() -> None:
    first = RateFactory(start_date=date(2026, 1, 1), end_date=date(2026, 7, 1))
    RateFactory(rate_card=first.rate_card, product=first.product, start_date=date(2026, 7, 1))
    RateFactory(rate_card=first.rate_card, product=first.product, end_date=date(2026, 1, 1))
    assert Rate.objects.count() == 3


def test_another_region_product_or_card_has_rates_of_its_own() -> None:
    first = RateFactory()
    RateFactory(rate_card=first.rate_card, product=first.product, region="EU")
    RateFactory(rate_card=first.rate_card)
    RateFactory(product=first.product)
    assert Rate.objects.count() == 4


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("unit_price", "0.02"),
        ("unit_size", "60"),
        ("region", "EU"),
        ("destination_prefix", "44"),
        ("pricing_model", "package"),
        ("connection_fee", "1"),
        ("minimum_quantity", "1"),
        ("first_increment", "30"),
        ("increment", "6"),
        ("minimum_charge", "1"),
        ("maximum_charge", "1"),
        ("included_quantity", "1"),
        ("counted_per", "service"),
        ("start_date", "2019-01-01"),
        ("rounding_digits", "2"),
        ("rounding_mode", "up"),
    ],
)
def test_a_rate_keeps_its_price(column: str, value: str) -> None:
    rate = RateFactory()
    with refused(by="A rate keeps its price"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE rate SET {column} = %s WHERE id = %s", [value, rate.id])


def test_a_rate_keeps_its_product_and_its_card() -> None:
    rate = RateFactory()
    with refused(by="A rate keeps its price"):
        Rate.objects.filter(id=rate.id).update(product=ProductFactory())
    with refused(by="A rate keeps its price"):
        Rate.objects.filter(id=rate.id).update(rate_card=RateCardFactory())


def test_ending_a_rate_notes_the_transaction_that_did() -> None:
    rate = RateFactory()
    assert rate.ended_in is None
    Rate.objects.filter(id=rate.id).update(end_date=date(2026, 3, 1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT ended_in = pg_current_xact_id(), created_in = pg_current_xact_id() FROM rate")
        assert cursor.fetchone() == (True, True)


def test_a_rate_that_priced_a_record_is_not_deleted() -> None:
    rate = RateFactory()
    UsageChargeFactory(rate=rate, line__rate=rate)
    with refused(by="rate .* is used by invoice_line"):
        rate.delete()
    with refused(by="rate .* is used by invoice_line"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM rate WHERE id = %s", [rate.id])


def test_a_rate_that_priced_nothing_may_be_deleted() -> None:
    rate = RateFactory()
    assert rate.delete() == (1, {"catalog.Rate": 1})


@pytest.mark.parametrize("make", [UsageDataRecordFactory, SubscriptionServiceFactory, RateFactory])
def test_a_product_in_use_is_not_deleted(make: Callable[..., object]) -> None:
    product = ProductFactory()
    make(product=product)
    with pytest.raises(ProtectedError) if make is not UsageDataRecordFactory else refused(by="is used by"):
        product.delete()
    with refused(by="product"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM product WHERE id = %s", [product.id])


def test_a_tax_rate_and_a_currency_in_use_are_not_deleted() -> None:
    customer = CustomerFactory()
    with refused(by="customer"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM tax_rate WHERE id = %s", [customer.tax_rate_id])
    with refused(by="customer"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM currency WHERE code = 'USD'")


def test_the_currencies_of_iso_4217_are_there_with_their_decimals() -> None:
    decimals = dict(Currency.objects.values_list("code", "minor_units"))
    assert {code: decimals[code] for code in ("USD", "JPY", "KWD", "CLF")} == {"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4}


def test_a_currency_keeps_its_decimals() -> None:
    with refused(by="Cannot update rows from currency"):
        Currency.objects.filter(code="USD").update(minor_units=0)
    Currency.objects.filter(code="USD").update(name="Dollar")


@pytest.mark.parametrize("update", ["orm", "sql"])
def test_no_way_of_writing_forgets_when_a_row_was_updated(update: str) -> None:
    product = ProductFactory()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE product DISABLE TRIGGER USER")
        cursor.execute("UPDATE product SET updated_at = '2020-01-01'")
        cursor.execute("ALTER TABLE product ENABLE TRIGGER USER")
        if update == "sql":
            cursor.execute("UPDATE product SET name = 'New'")
        else:
            Product.objects.filter(id=product.id).update(name="New")
        cursor.execute("SELECT updated_at = now() FROM product")
        assert cursor.fetchone() == (True,)


def test_a_tax_rate_keeps_its_percent() -> None:
    rate = TaxRateFactory()
    with refused(by="Cannot update rows from tax_rate"):
        TaxRate.objects.filter(id=rate.id).update(percent=7)
    TaxRate.objects.filter(id=rate.id).update(name="Standard")


def test_who_changed_a_rate_and_when_is_kept() -> None:
    rate = RateFactory()
    Rate.objects.filter(id=rate.id).update(end_date=date(2026, 3, 1))
    events = apps.get_model("catalog", "RateEvent").objects.filter(pgh_obj=rate).order_by("pgh_id")
    assert [(event.pgh_label, event.end_date) for event in events] == [("insert", None), ("update", date(2026, 3, 1))]
