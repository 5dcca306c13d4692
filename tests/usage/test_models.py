from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from tests.factories import (
    PendingUsageFactory,
    QuarantinedLineFactory,
    RateFactory,
    SourceSystemFactory,
    SubscriptionActionFactory,
    TaxRateFactory,
    UsageChargeFactory,
    UsageConflictFactory,
    UsageDataRecordFactory,
    UsageImportBlockFactory,
    UsageImportFactory,
    UsageTypeFactory,
)
from tests.refusals import refused
from usage.choices import LifeCycleState
from usage.models import PendingUsage, UsageDataRecord

pytestmark = pytest.mark.django_db

ALLOWED = {("DRAFT", "POSTED"), ("DRAFT", "REJECTED"), ("POSTED", "CANCELLED")}
NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
REFERENCES = [
    "customer_id",
    "subscription_service_id",
    "product_id",
    "usage_type_id",
    "source_system_id",
    "subscription_action_id",
    "usage_import_id",
]


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("usage_data_record_state_known", lambda: UsageDataRecordFactory(life_cycle_state="LOST", pending=False)),
        ("usage_data_record_directive_known", lambda: UsageDataRecordFactory(billing_directive="MAYBE")),
        (
            "usage_data_record_ends_after_start",
            lambda: UsageDataRecordFactory(to_date=datetime(2026, 1, 15, 11, 59, 59, tzinfo=UTC)),
        ),
        ("usage_data_record_prerated_has_its_total", lambda: UsageDataRecordFactory(rating_type="PRERATED")),
        ("usage_data_record_prerated_has_its_total", lambda: UsageDataRecordFactory(total_amount=Decimal(1))),
        ("usage_data_record_prerated_has_its_total", lambda: UsageDataRecordFactory(rating_type="FREE")),
        ("usage_import_counts_add_up", lambda: UsageImportFactory(received_count=3, accepted_count=2)),
        ("usage_import_counts_add_up", lambda: UsageImportFactory(conflict_count=1)),
        ("usage_import_state_known", lambda: UsageImportFactory(state="LOST")),
        ("usage_import_channel_known", lambda: UsageImportFactory(channel="PIGEON")),
        ("usage_import_file_format_known", lambda: UsageImportFactory(file_format="PDF")),
        ("quarantined_line_reason_known", lambda: QuarantinedLineFactory(reason="UGLY")),
        ("quarantined_line_decided_has_its_time", lambda: QuarantinedLineFactory(state="RESOLVED")),
        ("quarantined_line_decided_has_its_time", lambda: QuarantinedLineFactory(state="LOST", decided_at=NOON)),
        ("quarantined_line_decided_has_its_time", lambda: QuarantinedLineFactory(decided_at=NOON)),
        ("usage_conflict_decided_has_its_time", lambda: UsageConflictFactory(decision="KEPT")),
        ("usage_conflict_decided_has_its_time", lambda: UsageConflictFactory(decision="MAYBE", decided_at=NOON)),
        ("usage_conflict_decided_has_its_time", lambda: UsageConflictFactory(decided_at=NOON)),
        (
            "usage_conflict_replaced_has_its_record",
            lambda: UsageConflictFactory(decision="REPLACED", decided_at=NOON),
        ),
        (
            "usage_conflict_replaced_has_its_record",
            lambda: UsageConflictFactory(decision="KEPT", decided_at=NOON, replacement=UsageDataRecordFactory()),
        ),
        ("source_system_delimiter_known", lambda: SourceSystemFactory(name="Odd", delimiter=":")),
        ("source_system_decimal_sign_known", lambda: SourceSystemFactory(name="Odd", decimal_sign="'")),
        *(
            (
                "source_system_drop_folder_plain",
                lambda folder=folder: SourceSystemFactory(name="Odd", drop_folder=folder),
            )
            for folder in ("..", "../other", "/tmp", "a/b", "a\\b", " a", "a\nb", ".hidden")
        ),
    ],
)
def test_the_database_refuses_impossible_values(constraint: str, make: Callable[[], object]) -> None:
    with refused(by=constraint):
        make()


@pytest.mark.parametrize(
    ("constraint", "make", "same"),
    [
        ("usage_data_record_number_once_per_source", UsageDataRecordFactory, ["source_system", "number"]),
        ("usage_import_file_once_per_source", UsageImportFactory, ["source_system", "sha256"]),
        ("quarantined_line_once", QuarantinedLineFactory, ["usage_import", "line_number"]),
        ("usage_conflict_once", UsageConflictFactory, ["usage_import", "line_number"]),
        ("usage_import_block_number_once", UsageImportBlockFactory, ["usage_import", "number"]),
        ("pending_usage_pkey", PendingUsageFactory, ["record"]),
    ],
)
def test_what_is_there_once(constraint: str, make: Callable[..., object], same: list[str]) -> None:
    first = make()
    with refused(by=constraint):
        make(**{name: getattr(first, name) for name in same})


def test_two_source_systems_may_use_the_same_number_and_send_the_same_file() -> None:
    UsageDataRecordFactory(number="1")
    UsageDataRecordFactory(number="1", source_system__name="Other")
    UsageImportFactory(sha256="f" * 64)
    UsageImportFactory(sha256="f" * 64, source_system__name="Other")


def test_a_failed_import_may_be_tried_again() -> None:
    UsageImportFactory(sha256="f" * 64, state="FAILED")
    UsageImportFactory(sha256="f" * 64, state="FAILED")
    UsageImportFactory(sha256="f" * 64, state="COMPLETED")


def test_alternative_codes_are_unique_where_there_is_one() -> None:
    UsageTypeFactory(name="A")
    UsageTypeFactory(name="B")
    UsageTypeFactory(name="C", alternative_code="c")
    with refused(by="usage_type_alternative_code_once"):
        UsageTypeFactory(name="D", alternative_code="c")
    SourceSystemFactory(name="C", alternative_code="c")
    with refused(by="source_system_alternative_code_once"):
        SourceSystemFactory(name="D", alternative_code="c")


def test_a_drop_folder_is_of_one_source() -> None:
    SourceSystemFactory(name="A", drop_folder="switch-1")
    SourceSystemFactory(name="B")
    SourceSystemFactory(name="C", drop_folder="Switch 2.eu")
    with refused(by="source_system_drop_folder_once"):
        SourceSystemFactory(name="D", drop_folder="switch-1")


def insert_copy(record: UsageDataRecord, column: str, value: int) -> None:
    """Insert a copy of a record by SQL, with another number and another value in one column."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copy ON COMMIT DROP AS TABLE usage_data_record")
        cursor.execute(f"UPDATE copy SET id = id + 1000000, number = 'copy', {column} = %s", [value])
        cursor.execute("INSERT INTO usage_data_record OVERRIDING SYSTEM VALUE TABLE copy")
        cursor.execute("DROP TABLE copy")


@pytest.mark.parametrize("column", REFERENCES)
def test_what_a_record_refers_to_exists(column: str) -> None:
    record = UsageDataRecordFactory(
        usage_import=UsageImportFactory(),
        subscription_action=SubscriptionActionFactory(),
        life_cycle_state="DRAFT",
        pending=False,
    )
    with refused(by=f"{column} 999999999 of usage_data_record does not exist"):
        insert_copy(record, column, 999_999_999)
    with (
        refused(by=f"{column} 999999999 of usage_data_record does not exist"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE usage_data_record SET {column} = 999999999 WHERE id = %s", [record.id])
    insert_copy(record, column, getattr(record, column))
    assert UsageDataRecord.objects.count() == 2


def test_one_bad_reference_among_many_rows_refuses_the_statement() -> None:
    records = [UsageDataRecordFactory(life_cycle_state="DRAFT", pending=False) for _ in range(3)]
    with (
        refused(by="product_id 999999999 of usage_data_record does not exist"),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE usage_data_record SET product_id = CASE WHEN id = %s THEN 999999999 ELSE product_id END",
            [records[1].id],
        )


@pytest.mark.parametrize(
    ("column", "value"), [("usage_amount", "61"), ("number", "'other'"), ("region", "'DE'"), ("customer_id", "0")]
)
def test_what_a_posted_record_says_does_not_change(column: str, value: str) -> None:
    record = UsageDataRecordFactory()
    with refused(by=f"Record {record.number} is POSTED: what it says does not change"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE usage_data_record SET {column} = {value}")
    draft = UsageDataRecordFactory(life_cycle_state="DRAFT", number="draft")
    UsageDataRecord.objects.filter(pk=draft.pk).update(usage_amount=61)
    assert UsageDataRecord.objects.filter(usage_amount=61).count() == 1


@pytest.mark.parametrize("year", [1899, 9000])
def test_a_record_is_of_a_time_that_every_program_can_read(year: int) -> None:
    at = datetime(year, 1, 1, 12, 0, tzinfo=UTC)
    with refused(by="usage_data_record_times_in_range"):
        UsageDataRecordFactory(from_date=at, to_date=at)


@pytest.mark.parametrize("table", ["usage_data_record", "pending_usage", "rate", "product", "customer", "tax_rate"])
def test_what_bills_rest_on_is_not_truncated(table: str) -> None:
    record = UsageDataRecordFactory()
    RateFactory(product=record.product)
    TaxRateFactory()
    with refused(by="has rows that bills rest on"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("used", ["customer", "product", "subscription_service", "usage_type", "source_system"])
def test_what_records_refer_to_is_not_deleted(used: str) -> None:
    record = UsageDataRecordFactory()
    with refused(by=f"{used} .* is used by usage_data_record"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {used} WHERE id = %s", [getattr(record, f"{used}_id")])


def test_an_import_with_records_is_not_deleted() -> None:
    usage_import = UsageImportFactory()
    UsageDataRecordFactory(usage_import=usage_import)
    with refused(by="usage_import .* is used by usage_data_record"):
        usage_import.delete()


@pytest.mark.parametrize("before", LifeCycleState.values)
@pytest.mark.parametrize("after", LifeCycleState.values)
@pytest.mark.parametrize("way", ["orm", "sql"])
def test_the_life_cycle_of_a_record(before: str, after: str, way: str) -> None:
    record = UsageDataRecordFactory(life_cycle_state=before, pending=False)

    def change() -> None:
        if way == "orm":
            UsageDataRecord.objects.filter(id=record.id).update(life_cycle_state=after)
        else:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE usage_data_record SET life_cycle_state = %s", [after])

    if before == after or (before, after) in ALLOWED:
        change()
    else:
        with refused(by=f'Invalid transition of field "life_cycle_state" from "{before}" to "{after}"'):
            change()


@pytest.mark.parametrize("state", ["POSTED", "REJECTED", "CANCELLED"])
@pytest.mark.parametrize("way", ["orm", "bulk", "sql"])
def test_only_drafts_are_deleted(state: str, way: str) -> None:
    draft = UsageDataRecordFactory(life_cycle_state="DRAFT")
    record = UsageDataRecordFactory(life_cycle_state=state, pending=False)

    def delete(one: UsageDataRecord) -> None:
        if way == "orm":
            one.delete()
        elif way == "bulk":
            UsageDataRecord.objects.filter(id=one.id).delete()
        else:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM usage_data_record WHERE id = %s", [one.id])

    with refused(by="Cannot delete rows from usage_data_record"):
        delete(record)
    delete(draft)
    assert UsageDataRecord.objects.get() == record


@pytest.mark.parametrize(("make", "by"), [(PendingUsageFactory, "pending_usage"), (UsageChargeFactory, "usage_charge")])
def test_a_record_that_waits_or_is_charged_is_not_deleted_as_a_draft_either(
    make: Callable[..., object], by: str
) -> None:
    record = UsageDataRecordFactory(life_cycle_state="DRAFT")
    make(record=record)
    with refused(by=f"usage_data_record .* is used by {by}"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_data_record WHERE id = %s", [record.id])


def test_pending_usage_notes_the_transaction_that_wrote_it() -> None:
    UsageDataRecordFactory()
    with connection.cursor() as cursor:
        cursor.execute("SELECT posted_in = pg_current_xact_id() FROM pending_usage")
        assert cursor.fetchone() == (True,)
    assert PendingUsage.objects.count() == 1
