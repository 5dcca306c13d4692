"""The steps of one record's life that need nothing but usage: posted, rejected, succeeded by another.

What may be on an invoice is cancelled, adjusted and directed by `billing.operations.usage_records`, out of these steps.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from customers.models import BilledUntil
from usage.choices import BillingDirective, LifeCycleState, RecordChangeKind
from usage.models import PendingUsage, UsageDataRecord, UsageDataRecordChange
from usage.operations.errors import RecordConflict, RecordRefused
from usage.operations.record_values import Changes, adjusted


@transaction.atomic
def post_record(*, record_id: int, at: datetime, user_id: int | None, reason: str = "") -> UsageDataRecord:
    """Post a draft: from now on it says what it says, and the customer's next run bills it. Raises RecordConflict."""
    record = locked_record(record_id)
    require_state(record, LifeCycleState.DRAFT, "posted")
    record.life_cycle_state = LifeCycleState.POSTED
    record.is_late = _is_late(record)
    _save(record, "life_cycle_state", "is_late", user_id=user_id)
    enter_inbox(record)
    note_change(record, RecordChangeKind.POSTED, at=at, user_id=user_id, reason=reason)
    return record


@transaction.atomic
def reject_record(*, record_id: int, at: datetime, user_id: int | None, reason: str) -> UsageDataRecord:
    """Reject a draft for good. Raises RecordConflict if it is none, RecordRefused without a reason."""
    if not reason.strip():
        raise RecordRefused("Say why the record is rejected.", "reason")
    record = locked_record(record_id)
    require_state(record, LifeCycleState.DRAFT, "rejected")
    record.life_cycle_state = LifeCycleState.REJECTED
    _save(record, "life_cycle_state", user_id=user_id)
    note_change(record, RecordChangeKind.REJECTED, at=at, user_id=user_id, reason=reason)
    return record


def succeed(
    *,
    record: UsageDataRecord,
    values: Mapping[str, object],
    at: datetime,
    user_id: int | None,
    reason: str = "",
    is_taken_back: bool = False,
    posted_in: str | None = None,
) -> UsageDataRecord:
    """Cancel a locked, posted record and post its successor, which says these values (by model field) instead.

    Inside the caller's transaction. The record is pending or not to be billed, or `is_taken_back`: the caller has taken
    its charge off its invoice. `posted_in` puts the successor into the runs that the record was in, where the customer
    stays the same; without it, runs that were commenced before do not take it. Gives back the successor. Raises
    RecordConflict in another state, RecordRefused where the values cannot be.
    """
    require_state(record, LifeCycleState.POSTED, "adjusted")
    successor, changes = adjusted(record, values)
    if leave_inbox(record) is None and is_billable(record) and not is_taken_back:
        raise RecordConflict(f"Record {record.number} is not pending any more: it is on an invoice.")
    cancel(record, RecordChangeKind.ADJUSTED, at=at, user_id=user_id, reason=reason, changes=changes)
    first = record if record.original is None else record.original
    successor.original, successor.number = first, _next_number(first)
    successor.life_cycle_state = LifeCycleState.POSTED
    successor.is_late = _is_late(successor)
    successor.created_by_id = user_id
    try:
        with transaction.atomic():
            successor.save(force_insert=True)
    except IntegrityError as error:
        raise RecordConflict(
            f"The number {successor.number} was given to another record just now. Try again."
        ) from error
    enter_inbox(successor, posted_in=posted_in if successor.customer_id == record.customer_id else None)
    successor.refresh_from_db()
    return successor


def locked_record(record_id: int) -> UsageDataRecord:
    """The record, for this transaction alone to change. Raises UsageDataRecord.DoesNotExist."""
    # No key is changed: rows that only refer to the record (conflicts of an import) need not wait.
    return UsageDataRecord.objects.select_for_update(no_key=True).get(pk=record_id)


def require_state(record: UsageDataRecord, state: LifeCycleState, verb: str) -> None:
    """Raise RecordConflict, with a sentence, where the record is in another state."""
    if record.life_cycle_state != state:
        raise RecordConflict(f"{in_words(record)}: only a {state.label.lower()} record can be {verb}.")


def in_words(record: UsageDataRecord) -> str:
    """Number and state, as sentences begin: "Record R1 is cancelled"."""
    article = "a " if record.life_cycle_state == LifeCycleState.DRAFT else ""
    return f"Record {record.number} is {article}{record.get_life_cycle_state_display().lower()}"


def is_billable(record: UsageDataRecord) -> bool:
    """Whether the record is to be on an invoice, as a charge or a credit."""
    return (
        record.life_cycle_state == LifeCycleState.POSTED
        and record.billing_directive != BillingDirective.NOT_TO_BE_BILLED
    )


def leave_inbox(record: UsageDataRecord) -> str | None:
    """Delete the record's row of pending usage and give back its `posted_in`; None if there is none.

    Waits for a chunk that is billing the record, and makes one that has read it start again.
    """
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pending_usage WHERE record_id = %s RETURNING posted_in::text", [record.pk])
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def enter_inbox(record: UsageDataRecord, *, posted_in: str | None = None) -> None:
    """Give a billable record its row of pending usage; `posted_in` as it was where the record had one before."""
    if not is_billable(record):
        return
    row = PendingUsage(
        record=record, customer_id=record.customer_id, billing_effective_date=record.billing_effective_date
    )
    if posted_in is not None:
        row.posted_in = posted_in
    row.save(force_insert=True)


def cancel(
    record: UsageDataRecord,
    kind: RecordChangeKind,
    *,
    at: datetime,
    user_id: int | None,
    reason: str = "",
    changes: Changes | None = None,
) -> None:
    """Cancel a locked, posted record that is neither pending nor charged, and note as what."""
    record.life_cycle_state = LifeCycleState.CANCELLED
    _save(record, "life_cycle_state", user_id=user_id)
    note_change(record, kind, at=at, user_id=user_id, reason=reason, changes=changes)


def direct(
    record: UsageDataRecord,
    directive: BillingDirective,
    *,
    at: datetime,
    user_id: int | None,
    reason: str = "",
    posted_in: str | None = None,
) -> None:
    """Give a locked record that is neither pending nor charged another directive, and its row of pending usage."""
    changes: Changes = {"billing_directive": [record.billing_directive, directive.value]}
    record.billing_directive = directive
    _save(record, "billing_directive", user_id=user_id)
    enter_inbox(record, posted_in=posted_in)
    note_change(record, RecordChangeKind.DIRECTIVE_SET, at=at, user_id=user_id, reason=reason, changes=changes)


def note_change(
    record: UsageDataRecord,
    kind: RecordChangeKind,
    *,
    at: datetime,
    user_id: int | None,
    reason: str = "",
    changes: Changes | None = None,
) -> None:
    """Write into the record's history who did what, when and why."""
    UsageDataRecordChange.objects.create(
        record=record, kind=kind, at=at, user_id=user_id, reason=reason.strip(), changes=changes or {}
    )


def _save(record: UsageDataRecord, *fields: str, user_id: int | None) -> None:
    record.updated_by_id = user_id
    record.save(update_fields=[*fields, "updated_by"])
    # `updated_at` is set by the database.
    record.refresh_from_db()


def _is_late(record: UsageDataRecord) -> bool:
    return BilledUntil.objects.filter(customer_id=record.customer_id, day__gt=record.billing_effective_date).exists()


def _next_number(first: UsageDataRecord) -> str:
    """R1~2 for the first successor of R1, then R1~3; what the source system has given itself is passed over."""
    turn = first.successors.count() + 2
    while UsageDataRecord.objects.filter(source_system=first.source_system, number=f"{first.number}~{turn}").exists():
        turn += 1
    return f"{first.number}~{turn}"
