"""`usage_data_records` of the usage API: list and show."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from tests.api.caller import Caller, assert_error
from tests.factories.catalog import ProductFactory, RateFactory
from tests.factories.customers import (
    CustomerFactory,
    SubscriptionActionFactory,
    SubscriptionFactory,
    SubscriptionServiceFactory,
    UserFactory,
)
from tests.factories.invoicing import InvoiceFactory, InvoiceLineFactory, UsageChargeFactory, post
from tests.factories.usage import SourceSystemFactory, UsageDataRecordFactory, UsageImportFactory, UsageTypeFactory
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db

PATH = "/usage/v1/usage_data_records"


@pytest.fixture
def record(customer: Customer) -> UsageDataRecord:
    """A record in which nothing is left out."""
    product = ProductFactory(code="CALL", description="Calls abroad")
    subscription = SubscriptionFactory(customer=customer, number="S-1")
    clerk = UserFactory(username="importer")
    return UsageDataRecordFactory(
        subscription_service=SubscriptionServiceFactory(
            customer=customer, subscription=subscription, identifier="+49301", product=product
        ),
        product=product,
        usage_type=UsageTypeFactory(name="Voice", alternative_code="V", description="Voice calls"),
        source_system=SourceSystemFactory(name="Exchange", alternative_code="X", description="Exchange in Berlin"),
        subscription_action=SubscriptionActionFactory(subscription=subscription, number="ACT-1"),
        number="R-1",
        usage_amount=Decimal("0.0000001453"),
        destination="+33",
        region="EU",
        created_by=clerk,
        updated_by=clerk,
        **{f"udf_string_{n}": f"text {n}" for n in range(1, 9)},
        **{f"udf_float_{n}": Decimal(n) / 8 for n in range(1, 5)},
        **{f"udf_date_{n}": date(2026, 1, n) for n in range(1, 5)},
    )


def charged(record: UsageDataRecord, **charge: Any) -> Any:
    """The record's charge on line 1 of a draft invoice."""
    rate = RateFactory(product=record.product, unit_price=Decimal("0.05"), unit_size=Decimal(60))
    return UsageChargeFactory(
        line=InvoiceLineFactory(invoice=InvoiceFactory(customer=record.customer), rate=rate),
        record=record,
        rate=rate,
        amount=Decimal("0.000000000121083333"),
        **charge,
    )


def related(record: UsageDataRecord) -> dict[str, Any]:
    """The short forms that `record` is shown with."""
    service, account = record.subscription_service, record.customer.accounts_receivable
    product = {"id": str(record.product_id), "code": "CALL", "description": "Calls abroad"}
    return {
        "accounts_receivable": {
            "id": str(account.id),
            "number": "AR-ACME-1",
            "name": "Acme",
            "life_cycle_state": "ACTIVE",
        },
        "subscription": {"id": str(service.subscription_id), "number": "S-1", "life_cycle_state": "ACTIVE"},
        "subscription_service": {
            "id": str(service.id),
            "identifier": "+49301",
            "life_cycle_state": "ACTIVE",
            "product": product,
        },
        "product": product,
        "subscription_action": {
            "id": str(record.subscription_action_id),
            "number": "ACT-1",
            "life_cycle_state": "ACTIVE",
            "executed_on": "2020-01-01",
        },
        "source_system": {
            "id": str(record.source_system_id),
            "name": "Exchange",
            "alternative_code": "X",
            "description": "Exchange in Berlin",
        },
        "type": {
            "id": str(record.usage_type_id),
            "name": "Voice",
            "alternative_code": "V",
            "description": "Voice calls",
        },
    }


def test_a_record_has_every_member(staff: Caller, record: UsageDataRecord, customer: Customer) -> None:
    assert staff.ask(f"{PATH}/{record.id}") == {
        **related(record),
        "id": str(record.id),
        "number": "R-1",
        "life_cycle_state": "POSTED",
        "billing_directive": "TO_BE_BILLED",
        "billing_effective_date": "2026-01-15",
        "from_date": "2026-01-15T12:00:00Z",
        "to_date": "2026-01-15T12:01:00Z",
        "usage_amount": Decimal("0.0000001453"),
        "destination": "+33",
        "region": "EU",
        **{f"udf_string_{n}": f"text {n}" for n in range(1, 9)},
        "udf_float_1": Decimal("0.125"),
        "udf_float_2": Decimal("0.25"),
        "udf_float_3": Decimal("0.375"),
        "udf_float_4": Decimal("0.5"),
        **{f"udf_date_{n}": f"2026-01-0{n}" for n in range(1, 5)},
        "rating_state": "PENDING",
        "rating_type": "POSTRATED",
        "total_amount": None,
        "charge": None,
        "is_late": False,
        "original": None,
        "history": [],
        "log_information": {
            "created_date": record.created_at.isoformat().replace("+00:00", "Z"),
            "created_by_user": "importer",
            "updated_date": record.updated_at.isoformat().replace("+00:00", "Z"),
            "updated_by_user": "importer",
        },
    }


def test_what_is_not_given_is_null(staff: Caller) -> None:
    service = SubscriptionServiceFactory(customer=CustomerFactory(accounts_receivable=None))
    shown = staff.ask(f"{PATH}/{UsageDataRecordFactory(subscription_service=service).id}")
    assert (shown["accounts_receivable"], shown["subscription_action"], shown["udf_string_1"]) == (None, None, None)
    assert (shown["udf_float_1"], shown["udf_date_1"]) == (None, None)
    assert shown["subscription_service"]["product"] is None
    assert (shown["log_information"]["created_by_user"], shown["destination"]) == (None, "")


def test_a_charged_record_says_how_its_price_came_about(staff: Caller, record: UsageDataRecord) -> None:
    charge = charged(record)
    shown = staff.ask(f"{PATH}/{record.id}")
    assert (shown["rating_state"], shown["total_amount"]) == ("COMPLETED", Decimal("0.000000000121083333"))
    # Made by hand, by no run.
    assert shown["charge"].pop("explanation")["fault"].startswith("No billing run made the invoice")
    assert shown["charge"] == {
        "rate_id": str(charge.rate_id),
        "unit_price": Decimal("0.05"),
        "unit_size": 60,
        "quantity": Decimal("0.0000001453"),
        "billed_quantity": Decimal("0.0000001453"),
        "amount": Decimal("0.000000000121083333"),
        "currency_code": "USD",
        "invoice_id": str(charge.line.invoice_id),
        "invoice_state": "DRAFT",
        "line_number": 1,
    }
    assert '"usage_amount":0.0000001453,' in staff.get(f"{PATH}/{record.id}").content.decode()


def test_a_record_that_brought_its_amount(staff: Caller) -> None:
    record = UsageDataRecordFactory(rating_type="PRERATED", total_amount=Decimal("1.500"))
    shown = staff.ask(f"{PATH}/{record.id}")
    assert (shown["rating_type"], shown["rating_state"]) == ("PRERATED", "PENDING")
    assert (shown["total_amount"], shown["charge"]) == (Decimal("1.5"), None)

    UsageChargeFactory(
        record=record, line=InvoiceLineFactory(invoice=InvoiceFactory(customer=record.customer)), amount="1.5"
    )
    shown = staff.ask(f"{PATH}/{record.id}")
    assert (shown["charge"]["rate_id"], shown["charge"]["unit_price"]) == (None, None)
    assert shown["total_amount"] == Decimal("1.5")


def test_a_customer_sees_a_charge_once_its_invoice_is_posted(
    record: UsageDataRecord, customer: Customer, caller_of: Callable[..., Caller]
) -> None:
    caller = caller_of(customer)
    charge = charged(record)
    for shown in (caller.ask(f"{PATH}/{record.id}"), caller.ask(PATH)["data"][0]):
        assert (shown["rating_state"], shown["charge"], shown["total_amount"]) == ("PENDING", None, None)
    post(charge.line.invoice)
    for shown in (caller.ask(f"{PATH}/{record.id}"), caller.ask(PATH)["data"][0]):
        assert (shown["rating_state"], shown["charge"]["invoice_state"]) == ("COMPLETED", "POSTED")


def test_a_customers_key_sees_its_own(
    record: UsageDataRecord, customer: Customer, caller_of: Callable[..., Caller]
) -> None:
    other = UsageDataRecordFactory()
    caller = caller_of(customer)
    assert [row["number"] for row in caller.ask(PATH)["data"]] == ["R-1"]
    assert_error(caller.get(f"{PATH}/{other.id}"), 404, "not_found")
    account = other.customer.accounts_receivable.number
    assert caller.ask(f"{PATH}?accounts_receivable={account}")["data"] == []


@pytest.mark.parametrize(
    "query",
    [
        "accounts_receivable=AR-ACME-1",
        "subscription=S-1",
        "subscription_service=%2B49301",
        "product=CALL",
        "source_system=Exchange",
        "source_system=X",
        "type=Voice",
        "type=V",
        "life_cycle_state=CANCELLED",
        "billing_directive=TO_BE_CREDITED",
        "from_date_after=2026-01-15T12:00:01Z",
        "from_date_after=2026-01-15T13:00:01%2B01:00",
        "is_late=true",
        "billing_effective_date_after=2026-01-16",
        "accounts_receivable=AR-ACME-1&subscription=S-1&subscription_service=%2B49301&product=CALL&type=V",
    ],
)
def test_each_filter_narrows_the_list(staff: Caller, customer: Customer, query: str) -> None:
    product = ProductFactory(code="CALL")
    subscription = SubscriptionFactory(customer=customer, number="S-1")
    UsageDataRecordFactory(
        number="WANTED",
        subscription_service=SubscriptionServiceFactory(
            customer=customer, subscription=subscription, identifier="+49301"
        ),
        product=product,
        usage_type=UsageTypeFactory(name="Voice", alternative_code="V"),
        source_system=SourceSystemFactory(name="Exchange", alternative_code="X"),
        life_cycle_state="CANCELLED",
        billing_directive="TO_BE_CREDITED",
        from_date=datetime(2026, 1, 16, tzinfo=UTC),
        is_late=True,
    )
    UsageDataRecordFactory()
    assert [row["number"] for row in staff.ask(f"{PATH}?{query}")["data"]] == ["WANTED"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("from_date_after=2026-01-15T12:00:00Z", ["A", "B"]),
        ("from_date_before=2026-01-16T12:00:00Z", ["A"]),
        ("from_date_before=2026-01-16T12:00:01Z", ["A", "B"]),
        ("is_late=false", ["A", "B"]),
        ("usage_import=1", []),
        ("usage_import=x", None),
        ("usage_import=9223372036854775808", None),
        ("is_late=perhaps", None),
        # The time at which usage stopped is no filter; what is none is not passed over.
        ("to_date_before=2026-01-15T12:01:00Z", None),
        ("produkt=CALL", None),
        ("billing_effective_date_after=2026-01-15&billing_effective_date_before=2026-01-16", ["A"]),
        ("accounts_receivable=NONE", []),
        ("subscription=NONE", []),
        ("subscription_service=NONE", []),
        ("product=NONE", []),
        ("source_system=NONE", []),
        ("type=NONE", []),
        ("type=", None),
        ("life_cycle_state=OPEN", None),
        ("billing_directive=x", None),
    ],
)
def test_ranges_are_half_open_and_unknown_names_match_nothing(
    staff: Caller, query: str, found: list[str] | None
) -> None:
    for days, number in enumerate("AB"):
        UsageDataRecordFactory(number=number, from_date=datetime(2026, 1, 15, 12, tzinfo=UTC) + timedelta(days=days))
    if found is None:
        assert_error(staff.get(f"{PATH}?{query}"), 400, "invalid")
    else:
        assert [row["number"] for row in staff.ask(f"{PATH}?{query}")["data"]] == found


def all_pages(caller: Caller, query: str, *, between: Callable[[], object] = lambda: None) -> list[list[str]]:
    """The numbers on each page of two; `between` is called after each."""
    seen, page = [], {"meta": {"next_cursor": ""}}
    while True:
        page = caller.ask(f"{PATH}?limit=2&{query}&cursor={page['meta']['next_cursor']}")
        seen.append([row["number"] for row in page["data"]])
        if not page["meta"]["next_cursor"]:
            return seen
        between()


def test_pages_go_on_where_the_last_ended(staff: Caller) -> None:
    for number in "ABCDE":
        UsageDataRecordFactory(number=number)
    assert all_pages(staff, "") == [["A", "B"], ["C", "D"], ["E"]]
    assert staff.ask(f"{PATH}?limit=5")["meta"] == {"limit": 5, "next_cursor": ""}
    assert_error(staff.get(f"{PATH}?cursor=x"), 400, "invalid")


@pytest.mark.parametrize("query", ["source_system=Switch", "from_date_after=2026-01-10T00:00:00Z"])
def test_filtered_by_source_or_time_records_come_in_the_order_of_their_time(staff: Caller, query: str) -> None:
    for number, day in (("C", 17), ("A", 15), ("B", 16), ("A2", 15)):
        UsageDataRecordFactory(number=number, from_date=datetime(2026, 1, day, tzinfo=UTC))
    assert all_pages(staff, query) == [["A", "A2"], ["B", "C"]]


def test_filtered_by_the_effective_date_records_come_in_its_order(staff: Caller) -> None:
    for number, day in (("C", 17), ("A", 15), ("B", 16), ("A2", 15)):
        UsageDataRecordFactory(number=number, billing_effective_date=date(2026, 1, day))
    assert all_pages(staff, "billing_effective_date_before=2026-01-17") == [["A", "A2"], ["B"]]


def test_services_of_a_subscription_are_merged_in_the_order_of_the_list(staff: Caller) -> None:
    subscription = SubscriptionFactory(number="S-1")
    services = [SubscriptionServiceFactory(subscription=subscription, customer=subscription.customer) for _ in range(3)]
    for number, service in (("A", 0), ("B", 1), ("C", 0), ("D", 2), ("E", 1)):
        UsageDataRecordFactory(number=number, subscription_service=services[service])
    UsageDataRecordFactory(number="another's")
    assert all_pages(staff, "subscription=S-1") == [["A", "B"], ["C", "D"], ["E"]]
    assert all_pages(staff, "subscription=S-1&source_system=Switch") == [["A", "B"], ["C", "D"], ["E"]]


def test_no_record_is_left_out_or_repeated_while_others_come(staff: Caller) -> None:
    day = iter(range(1, 30))
    for number in "ABCDE":
        UsageDataRecordFactory(number=number, from_date=datetime(2026, 1, 15, tzinfo=UTC))

    def one_more() -> None:
        UsageDataRecordFactory(number=f"late {next(day)}", from_date=datetime(2026, 1, next(day), tzinfo=UTC))

    pages = all_pages(staff, "from_date_after=2026-01-01T00:00:00Z", between=one_more)
    seen = [number for page in pages for number in page]
    assert [number for number in seen if not number.startswith("late")] == ["A", "B", "C", "D", "E"]
    assert len(seen) == len(set(seen))


def test_a_cursor_is_for_the_list_that_gave_it(staff: Caller, caller_of: Callable[..., Caller]) -> None:
    records = [UsageDataRecordFactory(), UsageDataRecordFactory()]
    given = staff.ask(f"{PATH}?limit=1&type=Call")["meta"]["next_cursor"]
    assert len(staff.ask(f"{PATH}?limit=5&type=Call&cursor={given}")["data"]) == 1
    for query in ("", "type=Call&is_late=false", "source_system=Switch", "type=Other"):
        assert_error(staff.get(f"{PATH}?{query}&cursor={given}"), 400, "invalid")
    assert_error(caller_of(records[0].customer).get(f"{PATH}?type=Call&cursor={given}"), 400, "invalid")


def test_an_import_is_named_by_its_id(staff: Caller) -> None:
    usage_import = UsageImportFactory(received_count=1, accepted_count=1)
    UsageDataRecordFactory(number="came with it", usage_import=usage_import)
    UsageDataRecordFactory()
    assert all_pages(staff, f"usage_import={usage_import.id}") == [["came with it"]]


def test_a_name_goes_before_an_alternative_code(staff: Caller) -> None:
    for number, name, code in (("A", "V", "X"), ("B", "X", "W")):
        UsageDataRecordFactory(number=number, usage_type=UsageTypeFactory(name=name, alternative_code=code))
    assert all_pages(staff, "type=X") == [["B"]]
    assert all_pages(staff, "type=W") == [["B"]]


def test_one_row_and_three_take_the_same_queries(staff: Caller) -> None:
    counts = []
    for records in (1, 2):
        for _ in range(records):
            charged(UsageDataRecordFactory(subscription_service__product=ProductFactory()))
        with CaptureQueriesContext(connection) as queries:
            staff.ask(PATH)
        counts.append(len(queries))
    # The key; the limit of time, set and taken back, in a savepoint of the test's; the keys of the page, its records.
    assert counts == [7, 7]
