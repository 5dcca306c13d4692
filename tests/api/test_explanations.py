"""Explanations of prices in the usage API: with a record, as JSON and as text, for staff and for customers."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.operations.price_corrections import draft_corrections
from catalog.models import Product, Rate
from catalog.operations.rates import add_rate_version
from customers.models import Customer
from invoicing.models import UsageCharge
from tests.api.caller import Caller, assert_error, parsed
from tests.billing.received import behind_its_back
from tests.factories import RateFactory
from tests.runs import bill, customer_at, post, rate_of, use
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/usage/v1/usage_data_records"


@pytest.fixture
def acme() -> tuple[Customer, Product]:
    """A customer whose calls cost 0.003 a second by 60s, and one region's calls more."""
    customer, call = customer_at("0.003", name="Acme", rate__increment=60)
    RateFactory(
        rate_card=rate_of(call).rate_card, product=call, region="", destination_prefix="44", start_date="2027-01-01"
    )
    return customer, call


@pytest.fixture
def record(acme: tuple[Customer, Product]) -> UsageDataRecord:
    return use(*acme, 40, number="R1", destination="+44207")


def rate_of_any_destination(product: Product) -> Rate:
    return Rate.objects.get(product=product, destination_prefix="")


def steps(record: UsageDataRecord) -> list[str]:
    """40 s are 60 s: 60 x 0.003 = 0.18."""
    rate = rate_of_any_destination(record.product)
    return [
        f"Rate card {rate.rate_card.name}, the customer's first.",
        f"Rate {rate.pk}: {record.product.code}, in every region, from 2020-01-01.",
        "40 second are billed as 60 second: steps of 60.",
        "60 second x 0.003 = 0.18.",
        "Amount: 0.18.",
    ]


def test_a_charged_record_has_its_charge_explained(staff: Caller, record: UsageDataRecord) -> None:
    bill()
    charge = staff.ask(f"{PATH}/{record.pk}")["charge"]
    assert (charge["quantity"], charge["billed_quantity"], charge["amount"]) == (40, 60, Decimal("0.18"))
    explanation = charge["explanation"]
    assert (explanation["is_equal"], explanation["fault"]) == (True, "")
    assert explanation["steps"][-2:] == ["60 second x 0.003 = 0.18.", "Amount: 0.18."]
    (won, lost) = sorted(explanation["candidates"], key=lambda each: not each["is_chosen"])
    assert (won["is_chosen"], won["verdict"]) == (True, "")
    assert lost["verdict"].endswith("holds from 2027-01-01 on only, the use is of 2026-01-15.")
    listed = staff.ask(f"{PATH}?limit=1")["data"][0]
    assert "explanation" not in listed["charge"]


def test_an_uncharged_record_has_none(staff: Caller, record: UsageDataRecord) -> None:
    assert staff.ask(f"{PATH}/{record.pk}")["charge"] is None


def test_the_explanation_by_itself(staff: Caller, record: UsageDataRecord) -> None:
    bill()
    found = staff.ask(f"{PATH}/{record.pk}/explanation")
    assert (found["id"], found["number"], found["is_charged"]) == (str(record.pk), "R1", True)
    assert (found["amount"], found["currency_code"]) == (Decimal("0.18"), "USD")
    assert (found["quantity"], found["billed_quantity"]) == (40, 60)
    assert found["steps"] == steps(record)
    assert found["text"].startswith("Record R1 costs 0.18 USD on a draft invoice, line 1.\n  1. Rate card ")


def test_as_text(staff: Caller, record: UsageDataRecord) -> None:
    bill()
    response = staff.get(f"{PATH}/{record.pk}/explanation", accept="text/plain")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    text = response.content.decode()
    assert text == staff.ask(f"{PATH}/{record.pk}/explanation")["text"]
    assert "  5. Amount: 0.18.\n" in text
    assert "Rates that were looked at and not taken:" in text


@pytest.mark.parametrize("accept", ["text/plain", "application/json", "*/*"])
def test_errors_are_json_whatever_is_accepted(staff: Caller, acme: tuple[Customer, Product], accept: str) -> None:
    assert_error(staff.get(f"{PATH}/999/explanation", accept=accept), 404, "not_found")
    assert_error(Caller("nobody").get(f"{PATH}/999/explanation", accept=accept), 401, "key_unknown")
    excluded = use(*acme, 40, number="R2", billing_directive="NOT_TO_BE_BILLED")
    response = staff.get(f"{PATH}/{excluded.pk}/explanation", accept=accept)
    assert_error(response, 404, "not_found")
    assert parsed(response)["detail"] == "Record R2 is neither charged nor pending: it has no price to explain."


def test_another_format_is_a_406(staff: Caller, record: UsageDataRecord) -> None:
    assert_error(staff.get(f"{PATH}/{record.pk}/explanation", accept="image/png"), 406, "not_acceptable")


def test_a_pending_record_says_what_it_would_cost(staff: Caller, record: UsageDataRecord) -> None:
    found = staff.ask(f"{PATH}/{record.pk}/explanation")
    assert (found["is_charged"], found["amount"], found["steps"]) == (False, Decimal("0.18"), steps(record))
    unpriced = use(customer_at("1")[0], record.product, 40)
    found = staff.ask(f"{PATH}/{unpriced.pk}/explanation")
    assert (found["amount"], found["quantity"], found["steps"]) == (None, None, [])
    assert "None of these cards has any rate" in found["fault"]


def test_a_fault_shows(staff: Caller, record: UsageDataRecord) -> None:
    bill()
    with behind_its_back():
        UsageCharge.objects.update(amount=Decimal("0.13"))
    fault = "The explanation comes to 0.18, the charge says 0.13."
    found = staff.ask(f"{PATH}/{record.pk}/explanation")
    assert (found["is_equal"], found["fault"], found["amount"]) == (False, fault, Decimal("0.13"))
    assert staff.ask(f"{PATH}/{record.pk}")["charge"]["explanation"]["fault"] == fault


def test_a_customer_is_told_once_the_invoice_is_posted(
    caller_of: Callable[..., Caller], acme: tuple[Customer, Product], record: UsageDataRecord
) -> None:
    caller, path = caller_of(acme[0]), f"{PATH}/{record.pk}/explanation"
    run = None
    for _ in range(2):
        response = caller.get(path)
        assert_error(response, 404, "not_found")
        assert parsed(response)["detail"] == "Record R1 is on no posted invoice: it has no price to explain."
        run = run or bill()
    assert caller.ask(f"{PATH}/{record.pk}")["charge"] is None
    assert run is not None
    post(run)
    found = caller.ask(path)
    assert (found["amount"], found["steps"], found["candidates"]) == (Decimal("0.18"), steps(record), [])
    assert "Rates that were looked at" not in caller.get(path, accept="text/plain").content.decode()
    assert caller.ask(f"{PATH}/{record.pk}")["charge"]["explanation"]["candidates"] == []


def test_what_the_price_was_corrected_to_is_told(
    caller_of: Callable[..., Caller], staff: Caller, acme: tuple[Customer, Product], record: UsageDataRecord
) -> None:
    post(bill())
    rate = rate_of_any_destination(acme[1])
    add_rate_version(rate_id=rate.pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.002")})
    days: Any = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}
    draft_corrections(**days, customer_ids=[acme[0].pk], at=datetime(2026, 2, 5, tzinfo=UTC))
    # 60 x 0.003 = 0.18, then 60 x 0.002 = 0.12.
    (told,) = staff.ask(f"{PATH}/{record.pk}/explanation")["corrections"]
    assert ": 0.12 USD in place of 0.18, by rate " in told
    of_customer = caller_of(acme[0]).ask(f"{PATH}/{record.pk}")["charge"]["explanation"]
    assert of_customer["corrections"] == [told]


def test_another_customers_record_is_not_found(caller_of: Callable[..., Caller], record: UsageDataRecord) -> None:
    other, _ = customer_at("1")
    assert_error(caller_of(other).get(f"{PATH}/{record.pk}/explanation"), 404, "not_found")
