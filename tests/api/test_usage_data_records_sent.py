"""`POST usage_data_records`: one record as JSON."""

import json
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from customers.models import BilledUntil, Customer, SubscriptionService
from tests.api.caller import Caller, assert_error, parsed
from tests.api.sending import CALL, PATH, sent
from tests.factories.catalog import ProductFactory
from tests.factories.customers import (
    SubscriptionActionFactory,
    SubscriptionServiceFactory,
)
from tests.factories.usage import SourceSystemFactory
from usage.models import PendingUsage, SourceSystem, UsageDataRecord, UsageType

pytestmark = pytest.mark.django_db


def test_a_record_is_taken_in_and_shown(staff: Caller, service: SubscriptionService) -> None:
    given = {
        "billing_effective_date": "2026-01-16",
        "usage_amount": Decimal("0.0000001453"),
        "destination": "+33",
        "region": "EU",
        "total_amount": Decimal("1.5"),
        "udf_string_1": "as it is",
        "udf_string_8": "ü",
        "udf_float_4": Decimal("-0.5"),
        "udf_date_1": "2026-02-28",
    }
    numbers = {name: float(value) for name, value in given.items() if isinstance(value, Decimal)}
    response = sent(staff, **given | numbers)
    shown = parsed(response)
    record = UsageDataRecord.objects.get()
    assert response.status_code == 201
    assert staff.ask(f"{PATH}/{record.id}") == shown
    assert {name: shown[name] for name in given} == given
    assert {name: shown[name] for name in ("number", "from_date", "to_date")} == {
        "number": "R1",
        "from_date": "2026-01-15T12:00:00Z",
        "to_date": "2026-01-15T12:01:00Z",
    }
    assert (shown["life_cycle_state"], shown["billing_directive"], shown["rating_type"]) == (
        "POSTED",
        "TO_BE_BILLED",
        "PRERATED",
    )
    assert (shown["charge"], shown["is_late"], shown["original"], shown["history"]) == (None, False, None, [])
    log = shown["log_information"]
    assert (log["created_by_user"], log["updated_by_user"]) == ("clerk", None)
    assert PendingUsage.objects.get().record == record


def test_what_it_belongs_to_comes_in_short_forms(staff: Caller, service: SubscriptionService) -> None:
    shown = parsed(sent(staff))
    account, source = service.customer.accounts_receivable, SourceSystem.objects.get()
    assert shown["accounts_receivable"]["id"] == str(account.id)
    assert shown["subscription"] == {"id": str(service.subscription_id), "number": "S-1", "life_cycle_state": "ACTIVE"}
    assert shown["subscription_service"]["id"] == str(service.id)
    assert (shown["product"]["code"], shown["type"]["name"], shown["subscription_action"]) == ("CALL", "Voice", None)
    assert shown["source_system"] == {
        "id": str(source.id),
        "name": "Exchange",
        "alternative_code": "X",
        "description": "",
    }


def test_what_is_not_given_follows_from_the_rest(staff: Caller, service: SubscriptionService) -> None:
    shown = parsed(sent(staff, number=..., to_date=None, region=None, total_amount=None))
    assert (shown["to_date"], shown["billing_effective_date"]) == ("2026-01-15T12:00:00Z", "2026-01-15")
    assert (shown["rating_type"], shown["total_amount"], shown["region"]) == ("POSTRATED", None, "")
    assert shown["type"]["name"] == "Voice"
    assert shown["number"].startswith("U")
    assert parsed(sent(staff, number=None))["number"] != shown["number"]


def test_a_draft_waits_for_nobody(staff: Caller, service: SubscriptionService) -> None:
    shown = parsed(sent(staff, life_cycle_state="DRAFT", billing_directive="TO_BE_CREDITED"))
    assert (shown["life_cycle_state"], shown["billing_directive"]) == ("DRAFT", "TO_BE_CREDITED")
    assert not PendingUsage.objects.exists()


def test_late_usage_is_marked(staff: Caller, service: SubscriptionService, customer: Customer) -> None:
    BilledUntil.objects.create(customer=customer, day=date(2026, 2, 1))
    assert parsed(sent(staff))["is_late"] is True
    assert parsed(sent(staff, number="R2", from_date="2026-02-01T00:00:00Z", to_date=None))["is_late"] is False


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15T12:00:00+01:00", "2026-01-15T11:00:00Z"),
        ("2026-01-15t12:00:00.25z", "2026-01-15T12:00:00.250000Z"),
        ("2026-01-15T12:00:00", "2026-01-15T11:00:00Z"),
        ("2026-01-15 12:00", "2026-01-15T11:00:00Z"),
    ],
)
def test_times_without_a_zone_are_the_source_systems(
    staff: Caller, service: SubscriptionService, text: str, instant: str
) -> None:
    SourceSystem.objects.update(timezone="Europe/Berlin", date_format="DD.MM.YYYY", decimal_sign=",", null_text="CALL")
    shown = parsed(sent(staff, from_date=text, to_date=None, usage_amount=1.25))
    assert (shown["from_date"], shown["usage_amount"]) == (instant, Decimal("1.25"))


@pytest.mark.parametrize(
    "usage_amount",
    ["99999999999999999999.999999999999999999", "-0.000000000000000001", "1e-18", "12300000000000000e3", "0"],
)
def test_numbers_are_exact(staff: Caller, service: SubscriptionService, usage_amount: str) -> None:
    body = b"""{"number": "R1", "source_system": "X", "subscription_service": "+49301", "product": "CALL",
      "from_date": "2026-01-15T12:00:00Z", "usage_amount": %s}"""
    response = staff.send("POST", PATH, body % usage_amount.encode())
    assert response.status_code == 201
    assert parsed(response)["usage_amount"] == Decimal(usage_amount)
    assert UsageDataRecord.objects.get().usage_amount == Decimal(usage_amount)


def test_the_same_number_with_the_same_content_is_the_record_that_is_there(
    staff: Caller, service: SubscriptionService
) -> None:
    first = sent(staff)
    second = sent(staff, usage_amount=60.0, type="V", from_date="2026-01-15T13:00:00+01:00")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.content == first.content
    assert (UsageDataRecord.objects.count(), PendingUsage.objects.count()) == (1, 1)


def test_the_same_number_with_other_content_is_a_409_with_the_differences(
    staff: Caller, service: SubscriptionService
) -> None:
    ProductFactory(code="TEXT")
    first = parsed(sent(staff))
    response = sent(staff, usage_amount=61, product="TEXT", udf_string_1="x")
    assert_error(response, 409, "number_conflict")
    answer = parsed(response)
    assert answer["id"] == first["id"]
    assert answer["differences"] == {
        "usage_amount": {"record": "60", "sent": "61"},
        "product": {"record": "CALL", "sent": "TEXT"},
        "udf_string_1": {"record": None, "sent": "x"},
    }
    assert "R1" in answer["detail"]
    assert staff.ask(f"{PATH}/{first['id']}") == first


def test_numbers_are_unique_within_their_source_system(staff: Caller, service: SubscriptionService) -> None:
    SourceSystemFactory(name="Other", default_usage_type=SourceSystem.objects.get().default_usage_type)
    assert {sent(staff, source_system=name).status_code for name in ("Exchange", "Other")} == {201}


def test_every_related_object_goes_by_each_of_its_names(
    staff: Caller, service: SubscriptionService, customer: Customer
) -> None:
    action = SubscriptionActionFactory(subscription=service.subscription, number="ACT-1")
    product, usage_type = Product.objects.get(), UsageType.objects.get()
    account, source_id = customer.accounts_receivable, str(SourceSystem.objects.get().id)
    ways = {
        "source_system": [
            "Exchange",
            "X",
            {"id": source_id},
            {"name": "Exchange"},
            {"alternative_code": "X"},
        ],
        "subscription_service": ["+49301", {"id": str(service.id)}, {"identifier": "+49301"}],
        "product": ["CALL", {"id": str(product.id)}, {"code": "CALL"}, {"name": "Calls"}],
        "type": ["Voice", "V", {"id": str(usage_type.id)}, {"name": "Voice"}, {"alternative_code": "V"}],
        "subscription_action": ["ACT-1", {"id": str(action.id)}, {"number": "ACT-1"}],
        "subscription": ["S-1", {"id": str(service.subscription_id)}, {"number": "S-1"}],
        "accounts_receivable": ["AR-ACME-1", {"id": str(account.id)}, {"number": "AR-ACME-1"}, {"name": "Acme"}],
    }
    number = 0
    for member, names in ways.items():
        for name in names:
            number += 1
            response = sent(staff, number=f"R{number}", **{member: name})
            assert response.status_code == 201, (member, name, response.content)
            record = UsageDataRecord.objects.get(number=f"R{number}")
            assert (record.subscription_service, record.product, record.usage_type) == (service, product, usage_type)
            assert record.subscription_action == (action if member == "subscription_action" else None)


def test_products_of_one_name_are_told_apart_by_their_codes(staff: Caller, service: SubscriptionService) -> None:
    ProductFactory(code="CALL-2", name="Calls")
    sentence = "There are several of them with the name “Calls”: give another member, such as its id."
    assert_error(sent(staff, product={"name": "Calls"}), 422, "refused", product=[sentence])


def test_an_id_must_be_of_the_service_that_has_the_identifier_then(
    staff: Caller, service: SubscriptionService, customer: Customer
) -> None:
    service.end_date = date(2026, 1, 15)
    service.save()
    later = SubscriptionServiceFactory(
        customer=customer, subscription=service.subscription, identifier="+49301", start_date=date(2026, 1, 15)
    )
    sentence = f"The service is not the one with the id “{service.id}”."
    assert_error(
        sent(staff, subscription_service={"id": str(service.id)}), 422, "refused", subscription_service=[sentence]
    )
    shown = parsed(sent(staff, subscription_service={"id": str(later.id)}))
    assert shown["subscription_service"]["id"] == str(later.id)


def test_the_same_key_and_body_give_the_first_answer_again(staff: Caller, service: SubscriptionService) -> None:
    first, second = (staff.send("POST", PATH, CALL, idempotency_key="k1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert_error(staff.send("POST", PATH, CALL | {"number": "R2"}, idempotency_key="k1"), 422, "idempotency_key_reused")
    assert UsageDataRecord.objects.count() == 1


def test_a_refusal_is_kept_for_its_key(staff: Caller, service: SubscriptionService) -> None:
    sent(staff)
    body = CALL | {"usage_amount": 61}
    first, second = (staff.send("POST", PATH, body, idempotency_key="k1") for _ in range(2))
    assert_error(first, 409, "number_conflict")
    assert second.content == first.content


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k1"}])
def test_a_body_in_chunks_is_read(
    staff: Caller, service: SubscriptionService, headers: dict[str, str], settings: Any
) -> None:
    def chunked() -> Any:
        said: dict[str, Any] = {
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": "",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input_terminated": True,
            "wsgi.input": BytesIO(json.dumps(CALL).encode()),
        }
        return staff.client.generic("POST", PATH, headers=staff.headers | headers, **said)

    response = chunked()
    assert (response.status_code, parsed(response)["number"]) == (201, "R1")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert_error(chunked(), 413, "too_large")


def test_a_record_takes_few_queries(staff: Caller, service: SubscriptionService) -> None:
    with CaptureQueriesContext(connection) as queries:
        sent(staff)
    assert len(queries) <= 14, [query["sql"][:80] for query in queries]
