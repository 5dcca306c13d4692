"""What a person decides on a row that says something else than the record with its number."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from catalog.choices import FileFormat
from usage.choices import ConflictDecision, LifeCycleState
from usage.engine.date_format import DateFormatFault
from usage.engine.layout import FIELDS, LayoutFault
from usage.models import UsageConflict, UsageDataRecord
from usage.operations.errors import RecordConflict
from usage.operations.merge import parameters_of, prepare_session, reading_of, reset_session
from usage.operations.records import in_words, locked_record, succeed
from usage.operations.staging import one_row_sql

# Columns of a parsed row that are other fields of a record.
RENAMED = {"service_id": "subscription_service_id"}
# The session's zone is the source system's meanwhile, and Django takes what it is given for UTC. Of two columns with
# one name the last counts.
IN_UTC = "SELECT r.*, r.from_date AT TIME ZONE 'UTC' AS from_date, r.to_date AT TIME ZONE 'UTC' AS to_date FROM ({}) r"
NOT_ADJUSTED = {"line_number", "number", "customer_id", "life_cycle_state", "is_late", "fault"}


@transaction.atomic
def decide_conflict(
    *, conflict_id: int, decision: ConflictDecision, at: datetime, user_id: int | None, note: str = ""
) -> UsageConflict:
    """Keep the record, let the row replace it while it is pending, or dismiss the row as no matter.

    A record that is replaced is adjusted: it is cancelled, and its successor says what the row says. Raises
    RecordConflict for a conflict that is decided, a record that is not pending any more, and a row that cannot be read.
    """
    conflict = UsageConflict.objects.select_for_update(of=("self",)).get(pk=conflict_id)
    if conflict.decision != ConflictDecision.OPEN:
        label = conflict.get_decision_display().lower()
        raise RecordConflict(f"The conflict was decided before, on {conflict.decided_at:%Y-%m-%d}: {label}.")
    if decision == ConflictDecision.REPLACED:
        conflict.replacement = _replaced(conflict, at=at, user_id=user_id, note=note)
    conflict.decision, conflict.note = decision, note
    conflict.decided_at, conflict.decided_by_id = at, user_id
    conflict.save()
    return conflict


def standing_record(conflict: UsageConflict) -> UsageDataRecord:
    """The record that the row contradicts, or the successor of it that stands now."""
    record = conflict.record
    if record.life_cycle_state != LifeCycleState.CANCELLED:
        return record
    successors = UsageDataRecord.objects.filter(original=record.original or record)
    return successors.filter(life_cycle_state=LifeCycleState.POSTED).first() or record


def _replaced(conflict: UsageConflict, *, at: datetime, user_id: int | None, note: str) -> UsageDataRecord:
    record = locked_record(standing_record(conflict).pk)
    if not hasattr(record, "pending_usage"):
        raise RecordConflict(
            f"{in_words(record)} and not pending: a row replaces a record only before it is on an invoice. "
            "Adjust the record, or keep it."
        )
    row = _row_of(conflict)
    values = {RENAMED.get(name, name): value for name, value in row.items() if name not in NOT_ADJUSTED}
    values |= {"destination": row["destination"] or "", "region": row["region"] or ""}
    reason = note or f"Replaced by line {conflict.line_number} of import {conflict.usage_import_id}."
    return succeed(record=record, values=values, at=at, user_id=user_id, reason=reason)


def _row_of(conflict: UsageConflict) -> Mapping[str, Any]:
    """The values that the row has under its source system's mapping of now. Raises RecordConflict."""
    usage_import = conflict.usage_import
    source = usage_import.source_system
    try:
        reading = reading_of(source, usage_import)
    except (LayoutFault, DateFormatFault) as fault:
        raise RecordConflict(f"The row cannot be read: {fault}.") from fault
    texts = {f"c{position}": cell for position, cell in enumerate(_cells_of(conflict))}
    with connection.cursor() as cursor:
        prepare_session(cursor, source)
        cursor.execute(IN_UTC.format(one_row_sql(reading)), parameters_of(usage_import, source) | texts)
        row = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
        reset_session(cursor)
    row |= {name: row[name] and row[name].replace(tzinfo=UTC) for name in ("from_date", "to_date")}
    if row["fault"] is not None:
        _, _, field = row["fault"].partition(":")
        raise RecordConflict(f"The row cannot be read any more: its {field or 'text'} is at fault.")
    if "subscription_action" not in reading.layout.fields:
        # What the file says nothing of was not compared, and stays.
        del row["subscription_action_id"]
    return row


def _cells_of(conflict: UsageConflict) -> Sequence[str]:
    """The texts of the row by the columns of its file; of JSON the line. Raises RecordConflict."""
    usage_import = conflict.usage_import
    if usage_import.file_format == FileFormat.NDJSON:
        return [conflict.raw_text]
    try:
        return next(csv.reader(io.StringIO(conflict.raw_text, newline=""), delimiter=usage_import.delimiter))
    except csv.Error as error:
        raise RecordConflict(f"The row cannot be read by columns ({error}). Adjust the record by hand.") from error


def differences_in_order(conflict: UsageConflict) -> list[tuple[str, str | None, str | None]]:
    """The fields that differ, in the order of a file's fields: record's text and row's."""
    shown = conflict.differences
    return [(field, *shown[field]) for field in FIELDS if field in shown]
