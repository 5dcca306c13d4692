"""Posting and rejecting drafts, and what an adjustment may make of a record, without billing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from catalog.choices import ProductKind
from tests.factories import (
    CustomerFactory,
    InvoiceFactory,
    PendingUsageFactory,
    ProductFactory,
    SubscriptionActionFactory,
    SubscriptionFactory,
    SubscriptionServiceFactory,
    UsageDataRecordFactory,
    UsageTypeFactory,
    UserFactory,
)
from tests.refusals import refused
from usage.models import PendingUsage, UsageDataRecord, UsageDataRecordChange
from usage.operations.errors import RecordConflict, RecordRefused
from usage.operations.record_values import adjusted
from usage.operations.records import post_record, reject_record, succeed

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 2, 5, 10, 0, tzinfo=UTC)


def draft(**fields: Any) -> UsageDataRecord:
    record: UsageDataRecord = UsageDataRecordFactory(life_cycle_state="DRAFT", number="R1", **fields)
    return record


def record_of(**fields: Any) -> UsageDataRecord:
    """A pending record R1 from noon to one minute past on 15 January 2026."""
    record: UsageDataRecord = UsageDataRecordFactory(number="R1", **fields)
    return record


def changes(record: UsageDataRecord, **values: object) -> dict[str, list[str | None]]:
    return adjusted(record, values)[1]


def refusal(record: UsageDataRecord, **values: object) -> tuple[str, str]:
    """Field and sentence with which values are refused."""
    with pytest.raises(RecordRefused) as caught:
        adjusted(record, values)
    return caught.value.field, str(caught.value)


def test_a_posted_draft_waits_for_the_next_run() -> None:
    record, clerk = draft(), UserFactory()
    posted = post_record(record_id=record.pk, at=THEN, user_id=clerk.pk, reason="Checked.")
    assert (posted.life_cycle_state, posted.is_late, posted.updated_by) == ("POSTED", False, clerk)
    assert PendingUsage.objects.get().billing_effective_date == date(2026, 1, 15)
    change = UsageDataRecordChange.objects.get()
    assert (change.kind, change.at, change.user, change.reason, change.changes) == (
        *("POSTED", THEN, clerk, "Checked."),
        {},
    )


def test_a_draft_that_is_not_to_be_billed_does_not_wait_when_it_is_posted() -> None:
    post_record(record_id=draft(billing_directive="NOT_TO_BE_BILLED").pk, at=THEN, user_id=None)
    assert not PendingUsage.objects.exists()


@pytest.mark.parametrize(("billed_until", "is_late"), [("2026-01-15", False), ("2026-01-16", True)])
def test_a_draft_that_is_posted_after_its_invoice_is_late(billed_until: str, is_late: bool) -> None:  # noqa: FBT001
    record = draft()
    InvoiceFactory(customer=record.customer, period_end=date.fromisoformat(billed_until))
    assert post_record(record_id=record.pk, at=THEN, user_id=None).is_late is is_late


def test_a_rejected_draft_says_why() -> None:
    record = draft()
    with pytest.raises(RecordRefused, match="Say why") as caught:
        reject_record(record_id=record.pk, at=THEN, user_id=None, reason="  ")
    assert caught.value.field == "reason"
    reject_record(record_id=record.pk, at=THEN, user_id=None, reason=" Test call. ")
    record.refresh_from_db()
    assert (record.life_cycle_state, record.changes.get().reason) == ("REJECTED", "Test call.")
    assert not PendingUsage.objects.exists()


def test_only_what_changes_is_noted() -> None:
    record = record_of(region="DE")
    assert changes(record, usage_amount=Decimal("90.50"), region="DE", destination="+44") == {
        "usage_amount": ["60", "90.5"],
        "destination": ["", "+44"],
    }


def test_references_are_noted_by_their_names_and_given_as_rows_or_ids() -> None:
    record = record_of(product=ProductFactory(code="CALL"), usage_type=UsageTypeFactory(name="Call"))
    other, action = (
        ProductFactory(code="DATA"),
        SubscriptionActionFactory(number="A7", subscription=record.subscription_service.subscription),
    )
    expected = {
        "product": ["CALL", "DATA"],
        "usage_type": ["Call", "Data"],
        "subscription_action": [None, "A7"],
    }
    data = UsageTypeFactory(name="Data")
    assert changes(record, product=other, usage_type=data, subscription_action=action) == expected
    assert changes(record, product_id=other.pk, usage_type=data.pk, subscription_action_id=action.pk) == expected


def test_fields_of_the_users_own_are_changed_and_emptied() -> None:
    record = record_of(udf_string_1="a", udf_float_1=Decimal("1.5"), udf_date_1=date(2026, 1, 1))
    assert changes(record, udf_string_1="", udf_float_1=None, udf_date_1=date(2026, 1, 2), udf_string_8="z") == {
        "udf_string_1": ["a", None],
        "udf_string_8": [None, "z"],
        "udf_float_1": ["1.5", None],
        "udf_date_1": ["2026-01-01", "2026-01-02"],
    }


def test_the_billing_effective_date_follows_the_start_where_it_was_that_day() -> None:
    customer = CustomerFactory(timezone="Pacific/Auckland")
    record = record_of(
        subscription_service=SubscriptionServiceFactory(customer=customer),
        billing_effective_date=date(2026, 1, 16),  # noon in UTC is one in the morning of the next day there
    )
    later = {"from_date": datetime(2026, 1, 20, 12, 0, tzinfo=UTC), "to_date": datetime(2026, 1, 20, 12, 5, tzinfo=UTC)}
    assert changes(record, **later)["billing_effective_date"] == ["2026-01-16", "2026-01-21"]
    given = changes(record, **later, billing_effective_date=date(2026, 1, 16))
    assert given == {
        "from_date": ["2026-01-15T12:00:00Z", "2026-01-20T12:00:00Z"],
        "to_date": ["2026-01-15T12:01:00Z", "2026-01-20T12:05:00Z"],
    }
    put_off = record_of_other_day(record)
    assert "billing_effective_date" not in changes(put_off, **later)


def record_of_other_day(record: UsageDataRecord) -> UsageDataRecord:
    """One whose effective date is not the day of its use."""
    made: UsageDataRecord = UsageDataRecordFactory(
        subscription_service=record.subscription_service, billing_effective_date=date(2026, 3, 1)
    )
    return made


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("number", "R2", "“number” cannot be adjusted."),
        ("life_cycle_state", "DRAFT", "“life_cycle_state” cannot be adjusted."),
        ("customer", 1, "“customer” cannot be adjusted."),
        ("usage_amount", Decimal("NaN"), "“NaN” value must be a decimal number."),
        ("usage_amount", "twelve", "“twelve” value must be a decimal number."),
        ("usage_amount", None, "This field cannot be null."),
        ("usage_amount", Decimal("1e20"), "Ensure that there are no more than 20 digits before the decimal point."),
        ("usage_amount", Decimal("1e-19"), "Ensure that there are no more than 18 decimal places."),
        ("billing_directive", "FREE", "Value 'FREE' is not a valid choice."),
        ("region", "x" * 101, "Ensure this value has at most 100 characters (it has 101)."),
        ("udf_string_1", "a\x00b", "A text holds no NUL character."),
        ("from_date", datetime(2026, 1, 15, 12), "does not say its time zone."),  # noqa: DTZ001
        ("from_date", datetime(1899, 1, 1, tzinfo=UTC), "is not between 1900-01-01 and 9000-01-01."),
        ("to_date", datetime(9000, 1, 1, tzinfo=UTC), "is not between 1900-01-01 and 9000-01-01."),
        ("billing_effective_date", date(9000, 1, 1), "9000-01-01 is not between 1900-01-01 and 9000-01-01."),
        (
            "to_date",
            datetime(2026, 1, 15, 11, 59, 59, tzinfo=UTC),
            "It would end at 2026-01-15T11:59:59Z, before it starts at 2026-01-15T12:00:00Z.",
        ),
        ("product", 999_999_999, "is not a valid choice."),
        ("subscription_service_id", 999_999_999, "is not a valid choice."),
    ],
)
def test_values_that_cannot_be(field: str, value: object, sentence: str) -> None:
    found, said = refusal(record_of(), **{field: value})
    assert (found, sentence in said) == (field.removesuffix("_id"), True), said


def test_the_product_is_one_for_usage() -> None:
    fee = ProductFactory(code="FEE", kind=ProductKind.ONE_OFF)
    assert refusal(record_of(), product=fee) == (
        "product",
        "Product FEE is not for usage. Name one of the kind Usage.",
    )


def test_the_service_is_the_customers_on_that_day() -> None:
    record = record_of()
    ended = SubscriptionServiceFactory(
        identifier="+49301", start_date=date(2025, 1, 1), end_date=date(2026, 1, 15), customer=record.customer
    )
    field, sentence = refusal(record, subscription_service=ended)
    assert (field, sentence) == (
        "subscription_service",
        f"+49301 was not a service of {record.customer} on 2026-01-15. Name the service of that day.",
    )
    before = datetime(2026, 1, 14, 23, 59, tzinfo=UTC)
    assert changes(record, subscription_service=ended, from_date=before)["subscription_service"][1] == "+49301"


def test_the_action_is_of_the_services_subscription() -> None:
    record = record_of()
    action = SubscriptionActionFactory(number="A7", subscription=SubscriptionFactory())
    assert refusal(record, subscription_action=action)[0] == "subscription_action"


def test_what_says_the_same_changes_nothing() -> None:
    assert refusal(record_of(), usage_amount="60.000", region="") == (
        "",
        "Record R1 says all of that already: nothing would change.",
    )
    assert refusal(record_of_other_day(UsageDataRecord.objects.get()))[0] == ""


def test_a_pending_record_is_succeeded() -> None:
    record, clerk = record_of(udf_string_1="kept", region="DE"), UserFactory()
    right = succeed(record=record, values={"region": "FR"}, at=THEN, user_id=clerk.pk, reason="Roaming.")
    assert (right.number, right.original, right.region, right.udf_string_1, right.usage_import) == (
        *("R1~2", record, "FR", "kept"),
        None,
    )
    assert (right.source_system, right.customer, right.created_by) == (record.source_system, record.customer, clerk)
    assert PendingUsage.objects.get().record == right
    record.refresh_from_db()
    assert (record.life_cycle_state, record.changes.get().kind) == ("CANCELLED", "ADJUSTED")


def test_a_record_that_waits_no_more_is_not_succeeded_as_if_it_did() -> None:
    record = record_of(pending=False)
    with pytest.raises(RecordConflict, match=r"^Record R1 is not pending any more: it is on an invoice\.$"):
        succeed(record=record, values={"region": "FR"}, at=THEN, user_id=None)


def test_one_successor_of_a_record_stands_at_a_time() -> None:
    first = UsageDataRecordFactory(life_cycle_state="CANCELLED")
    UsageDataRecordFactory(original=first, life_cycle_state="CANCELLED")
    UsageDataRecordFactory(original=first)
    with refused(by="usage_data_record_one_successor_stands"):
        UsageDataRecordFactory(original=first)


@pytest.mark.parametrize(
    "change",
    [{"life_cycle_state": "CANCELLED"}, {"billing_directive": "NOT_TO_BE_BILLED"}],
)
def test_a_record_leaves_the_inbox_first(change: dict[str, str]) -> None:
    record = record_of()
    with refused(by="Record R1 is pending: it leaves the inbox of billing first."):
        UsageDataRecord.objects.filter(pk=record.pk).update(**change)
    PendingUsage.objects.all().delete()
    UsageDataRecord.objects.filter(pk=record.pk).update(**change)


def test_history_is_only_appended_to() -> None:
    change = UsageDataRecordChange.objects.create(record=record_of(), kind="POSTED", at=THEN)
    with refused(by="Cannot update or delete rows from usage_data_record_change"):
        UsageDataRecordChange.objects.update(reason="other")
    with refused(by="Cannot update or delete rows from usage_data_record_change"):
        change.delete()
    with refused(by="usage_data_record_change_kind_known"):
        UsageDataRecordChange.objects.create(record=record_of_other_day(change.record), kind="LOST", at=THEN)


def test_pending_usage_of_a_draft_is_no_reason_to_post_it_twice() -> None:
    record = draft()
    PendingUsageFactory(record=record)
    with refused(by="pending_usage_pkey"):
        post_record(record_id=record.pk, at=THEN, user_id=None)
