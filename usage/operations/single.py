"""One row by itself: the same statements as for a file, without a table made for it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from usage.engine.layout import FIELDS, parse_layout
from usage.models import SourceSystem
from usage.operations.errors import NumberConflict, RecordRefused
from usage.operations.field_sql import Reading
from usage.operations.merge import prepare_session, reset_session, row_parameters
from usage.operations.staging import SingleSql, single_sql

# As the API spells them, whatever the source system's files look like.
API_READING = Reading(layout=parse_layout(FIELDS, {}), columns=FIELDS)
API_SQL: SingleSql = single_sql(API_READING)


@dataclass(frozen=True, slots=True)
class TakenRecord:
    """The record that a row became; not `is_new` where it was there before, with the same content."""

    record_id: int
    is_new: bool


@transaction.atomic
def take_in_record(
    *,
    source_system_id: int,
    texts: Mapping[str, str],
    at: datetime,  # noqa: ARG001  every operation is told; the database notes its own time
    user_id: int | None = None,
) -> TakenRecord:
    """Make one record of these texts, by field of `usage.engine.layout`: dates ISO 8601, numbers with a point.

    Without a number it gets one. Raises RecordRefused with the field and a sentence, as a line of a file would be
    quarantined; NumberConflict where the source system has sent the number before with other content.
    """
    source = SourceSystem.objects.get(pk=source_system_id)
    given = {"number": f"U{secrets.token_hex(12)}"} | {field: text for field, text in texts.items() if text.strip(" ")}
    parameters = row_parameters(source, import_id=None, user_id=user_id) | {"date_format": ""}
    parameters |= {f"c{position}": given.get(field) for position, field in enumerate(FIELDS)}
    record_id, fault, number = _inserted(source, parameters)
    if record_id is not None:
        return TakenRecord(record_id, is_new=True)
    if fault is not None:
        raise _refused(parameters)
    return _found(source, number, parameters)


def _inserted(source: SourceSystem, parameters: dict[str, Any]) -> tuple[int | None, str | None, str]:
    with connection.cursor() as cursor:
        prepare_session(cursor, source)
        cursor.execute(API_SQL.insert_record, parameters)
        record_id, fault, number = cursor.fetchone()
        reset_session(cursor)
    return record_id, fault, number


def _refused(parameters: dict[str, Any]) -> RecordRefused:
    with connection.cursor() as cursor:
        cursor.execute(API_SQL.explain, parameters)
        field, sentence = cursor.fetchone()
    return RecordRefused(sentence, field)


def _found(source: SourceSystem, number: str, parameters: dict[str, Any]) -> TakenRecord:
    with connection.cursor() as cursor:
        prepare_session(cursor, source)
        cursor.execute(API_SQL.compare, parameters)
        _, record_id, is_same, differences = cursor.fetchone()
        reset_session(cursor)
    if is_same:
        return TakenRecord(record_id, is_new=False)
    shown = {field: (stands, came) for field, (stands, came) in json.loads(differences).items()}
    fields = ", ".join(field for field in FIELDS if field in shown)
    raise NumberConflict(
        f"{source.name} has sent the record {number} before, with another {fields}. Adjust that record, or cancel it.",
        record_id,
        shown,
    )
