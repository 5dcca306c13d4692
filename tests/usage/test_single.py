"""One record by itself, as the API takes it in."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer
from tests.factories import (
    InvoiceFactory,
    ProductFactory,
    SubscriptionActionFactory,
    SubscriptionServiceFactory,
    UsageTypeFactory,
    UserFactory,
)
from tests.usage.taking import AT, HEADER, ROW, counts, lines, make_company, session_timezone, take
from usage.choices import LifeCycleState, RatingType
from usage.models import PendingUsage, SourceSystem, UsageDataRecord
from usage.operations.errors import NumberConflict, RecordRefused
from usage.operations.records import post_record
from usage.operations.single import take_in_record

pytestmark = pytest.mark.django_db

GOOD = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
NUMBER = "is not a number with at most 20 digits before the point and 18 after it."


@pytest.fixture(autouse=True)
def source() -> SourceSystem:
    return make_company()


def take_one(**texts: str) -> tuple[UsageDataRecord, bool]:
    return take_one_of(None, texts)


def take_one_of(user_id: int | None, texts: dict[str, str]) -> tuple[UsageDataRecord, bool]:
    source = SourceSystem.objects.get()
    taken = take_in_record(source_system_id=source.pk, texts=GOOD | texts, at=AT, user_id=user_id)
    return UsageDataRecord.objects.get(pk=taken.record_id), taken.is_new


def refused(**texts: str) -> tuple[str, str]:
    with pytest.raises(RecordRefused) as caught:
        take_one(**texts)
    assert not UsageDataRecord.objects.exists()
    return caught.value.field, str(caught.value)


def test_all_fields_are_taken() -> None:
    clerk = UserFactory()
    service = SubscriptionServiceFactory(identifier="+49302")
    action = SubscriptionActionFactory(number="A1", subscription=service.subscription)
    other_type = UsageTypeFactory(name="Data", alternative_code="D")
    texts = {
        "number": "N-1 ",
        "service": " +49302",
        "type": "D",
        "subscription_action": "A1",
        "usage_amount": "1.5e-3",
        "billing_directive": "TO_BE_CREDITED",
        "billing_effective_date": "2026-01-31",
        "destination": "+44",
        "region": "EU",
        "total_amount": "0.1",
        **{f"udf_string_{n}": f"s{n}" for n in range(1, 9)},
        **{f"udf_float_{n}": f"{n}.5" for n in range(1, 5)},
        **{f"udf_date_{n}": f"2026-02-0{n}" for n in range(1, 5)},
    }
    record, is_new = take_one_of(clerk.pk, texts)
    assert is_new
    expected = {
        "number": "N-1",
        "customer": service.customer,
        "subscription_service": service,
        "usage_type": other_type,
        "subscription_action": action,
        "usage_import": None,
        "line_number": None,
        "original": None,
        "from_date": NOON,
        "to_date": NOON.replace(minute=1),
        "usage_amount": Decimal("0.0015"),
        "billing_directive": "TO_BE_CREDITED",
        "billing_effective_date": date(2026, 1, 31),
        "destination": "+44",
        "region": "EU",
        "rating_type": RatingType.PRERATED,
        "total_amount": Decimal("0.1"),
        "life_cycle_state": LifeCycleState.POSTED,
        "is_late": False,
        "created_by": clerk,
        **{f"udf_string_{n}": f"s{n}" for n in range(1, 9)},
        **{f"udf_float_{n}": Decimal(f"{n}.5") for n in range(1, 5)},
        **{f"udf_date_{n}": date(2026, 2, n) for n in range(1, 5)},
    }
    assert {name: getattr(record, name) for name in expected} == expected
    assert PendingUsage.objects.get().billing_effective_date == date(2026, 1, 31)


def test_what_is_not_given_is_nothing() -> None:
    record, _ = take_one(to_date="", region="  ", udf_string_1="")
    assert (record.to_date, record.region, record.udf_string_1, record.total_amount) == (NOON, "", None, None)
    assert (record.rating_type, record.usage_type.name) == ("POSTRATED", "Call")


@pytest.mark.parametrize("number", ["", "   "])
def test_without_a_number_it_gets_one_of_its_own(number: str) -> None:
    made = [take_one(number=number)[0].number for _ in range(2)]
    assert made[0] != made[1]
    assert all(one.startswith("U") and len(one) == 25 for one in made)


def test_the_same_again_is_the_record_that_is_there() -> None:
    first, _ = take_one()
    assert take_one(usage_amount="6.0e1", from_date="2026-01-15 13:00:00+01:00") == (first, False)
    assert counts(take(lines(ROW))) == {"duplicates": 1}
    assert UsageDataRecord.objects.count() == PendingUsage.objects.count() == 1


def test_a_number_that_says_something_else_is_a_conflict_and_changes_nothing() -> None:
    first, _ = take_one(region="EU")
    with pytest.raises(NumberConflict) as caught:
        take_one(usage_amount="61", region="", udf_string_1="x")
    assert caught.value.record_id == first.pk
    assert caught.value.differences == {
        "usage_amount": ("60", "61"),
        "region": ("EU", ""),
        "udf_string_1": (None, "x"),
    }
    assert str(caught.value) == (
        "Switch has sent the record R1 before, with another usage_amount, region, udf_string_1. "
        "Adjust that record, or cancel it."
    )
    assert UsageDataRecord.objects.get() == first


def test_a_file_and_a_single_record_meet() -> None:
    taken = take(lines(ROW, ROW.replace("R1,", "R2,")))
    assert take_one()[1] is False
    with pytest.raises(NumberConflict):
        take_one(number="R2", usage_amount="61")
    assert counts(taken) == {"accepted": 2}


@pytest.mark.parametrize(
    ("texts", "field", "sentence"),
    [
        ({"service": ""}, "service", "service is empty."),
        ({"from_date": ""}, "from_date", "from_date is empty."),
        ({"usage_amount": ""}, "usage_amount", "usage_amount is empty."),
        ({"service": "+49399"}, "service", "No service has the identifier “+49399” at that time."),
        ({"product": "FAX"}, "product", "No usage product has the code “FAX”."),
        ({"product": ""}, "product", "product is empty, and the service has no usage product of its own."),
        ({"type": "Fax"}, "type", "No usage type has the name or code “Fax”."),
        ({"usage_amount": "sixty"}, "usage_amount", f"usage_amount “sixty” {NUMBER}"),
        ({"usage_amount": "1e20"}, "usage_amount", f"usage_amount “1e20” {NUMBER}"),
        ({"total_amount": "1,5"}, "total_amount", f"total_amount “1,5” {NUMBER}"),
        ({"udf_float_4": "0x1"}, "udf_float_4", f"udf_float_4 “0x1” {NUMBER}"),
        (
            {"from_date": "15.01.2026 12:00"},
            "from_date",
            "from_date “15.01.2026 12:00” is not a date and time such as 2026-01-31T23:59:59Z.",
        ),
        ({"udf_date_2": "today"}, "udf_date_2", "udf_date_2 “today” is not a date such as 2026-01-31."),
        (
            {"to_date": "2026-01-15T11:59:59Z"},
            "to_date",
            "to_date “2026-01-15T11:59:59Z” is before from_date “2026-01-15T12:00:00Z”.",
        ),
        (
            {"billing_directive": "MAYBE"},
            "billing_directive",
            "billing_directive “MAYBE” is not TO_BE_BILLED, TO_BE_CREDITED or NOT_TO_BE_BILLED.",
        ),
        ({"life_cycle_state": "REJECTED"}, "life_cycle_state", "life_cycle_state “REJECTED” is not DRAFT or POSTED."),
        ({"number": "N" * 201}, "number", "number has 201 characters, more than a record can hold."),
        ({"region": "ü" * 101}, "region", "region has 101 characters, more than a record can hold."),
        (
            {"subscription_action": "A9"},
            "subscription_action",
            "The service's subscription has no action with the number “A9”.",
        ),
    ],
)
def test_what_cannot_be_a_record_is_refused_with_its_field(texts: dict[str, str], field: str, sentence: str) -> None:
    assert refused(**texts) == (field, sentence)
    assert session_timezone() == "UTC"


def test_it_is_spelt_as_the_api_spells_it_whatever_the_source_systems_files_look_like(source: SourceSystem) -> None:
    SourceSystem.objects.filter(pk=source.pk).update(
        delimiter=";",
        decimal_sign=",",
        date_format="DD.MM.YYYY",
        null_text="CALL",
        column_mapping={"number": "{id}", "service": "x"},
        timezone="America/New_York",
    )
    record, _ = take_one(usage_amount="1.5", from_date="2026-01-15T07:00:00")
    assert (record.usage_amount, record.from_date, record.product.code) == (Decimal("1.5"), NOON, "CALL")
    # Of a zone of their own; without one, times are the source system's.
    assert refused_beside(record, from_date="x") == "from_date “x” is not a date and time such as 2026-01-31T23:59:59Z."


def refused_beside(record: UsageDataRecord, **texts: str) -> str:
    with pytest.raises(RecordRefused) as caught:
        take_one(**texts)
    assert UsageDataRecord.objects.get() == record
    return str(caught.value)


@pytest.mark.parametrize(
    ("texts", "pending"),
    [
        ({"life_cycle_state": "DRAFT"}, 0),
        ({"life_cycle_state": "POSTED"}, 1),
        ({"billing_directive": "NOT_TO_BE_BILLED"}, 0),
        ({"billing_directive": "TO_BE_CREDITED"}, 1),
    ],
)
def test_what_is_posted_and_to_be_billed_waits_for_a_run(texts: dict[str, str], pending: int) -> None:
    take_one(**texts)
    assert PendingUsage.objects.count() == pending


def test_a_draft_is_posted_later_and_then_it_is_the_same_record() -> None:
    draft, _ = take_one(life_cycle_state="DRAFT")
    assert take_one(life_cycle_state="POSTED") == (draft, False)
    post_record(record_id=draft.pk, at=AT, user_id=None)
    assert take_one(life_cycle_state="DRAFT")[1] is False


@pytest.mark.parametrize(("day", "is_late"), [(date(2026, 1, 15), False), (date(2026, 1, 16), True)])
def test_what_comes_after_its_invoice_is_late(day: date, is_late: bool) -> None:  # noqa: FBT001
    InvoiceFactory(customer=Customer.objects.get(), period_end=day)
    assert take_one()[0].is_late is is_late


def test_the_product_of_the_service_is_taken_where_none_is_named() -> None:
    SubscriptionServiceFactory(identifier="+49302", product=ProductFactory(code="DATA"))
    assert take_one(service="+49302", product="")[0].product.code == "DATA"


@pytest.mark.parametrize("text", ["%s %(c0)s 100%", "'; DROP TABLE usage_data_record; --", "\\N", "{region}", '"'])
def test_texts_are_texts(text: str) -> None:
    values: dict[str, Any] = {"region": text, "udf_string_1": text}
    record, _ = take_one(**values)
    assert (record.region, record.udf_string_1) == (text, text)
    assert take_one(**values)[1] is False
