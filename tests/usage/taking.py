"""Takes texts in as files of usage, and looks at what is there afterwards."""

import io
from datetime import UTC, datetime
from typing import BinaryIO

import pytest
from django.db import connection

from tests.factories import CustomerFactory, ProductFactory, SourceSystemFactory, SubscriptionServiceFactory
from usage.models import (
    PendingUsage,
    QuarantinedLine,
    SourceSystem,
    UsageConflict,
    UsageDataRecord,
    UsageImport,
)
from usage.operations.errors import ImportRefused
from usage.operations.imports import import_usage

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
HEADER = "number,service,product,from_date,to_date,usage_amount"
ROW = "R1,+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,60"


def make_company(timezone: str = "UTC") -> SourceSystem:
    """A customer in that time zone with the service +49301, a product CALL, a switch that sends calls."""
    SubscriptionServiceFactory(identifier="+49301", customer=CustomerFactory(timezone=timezone))
    ProductFactory(code="CALL")
    return SourceSystemFactory()


def lines(*rows: str, header: str = HEADER) -> str:
    """A file: a header and rows."""
    return "".join(f"{line}\n" for line in (header, *rows))


def take(
    content: str | bytes | BinaryIO, *, source: SourceSystem | None = None, name: str = "calls.csv", at: datetime = AT
) -> UsageImport:
    """Import a file for the one source system that there is, or the one given."""
    if isinstance(content, str):
        content = content.encode()
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    found = source or SourceSystem.objects.get()
    return import_usage(source_system_id=found.id, file=file, file_name=name, at=at)


def counts(usage_import: UsageImport) -> dict[str, int]:
    """What became of the rows, as it is stored, without what there is nothing of; they add up and are there."""
    stored = UsageImport.objects.get(pk=usage_import.pk)
    assert stored.state == "COMPLETED"
    found = {
        "accepted": stored.accepted_count,
        "duplicates": stored.duplicate_count,
        "conflicts": stored.conflict_count,
        "quarantined": stored.quarantined_count,
    }
    assert stored.received_count == sum(found.values())
    assert UsageDataRecord.objects.filter(usage_import=stored).count() == found["accepted"]
    assert UsageConflict.objects.filter(usage_import=stored).count() == found["conflicts"]
    lines_left = QuarantinedLine.objects.filter(usage_import=stored).exclude(state="RESOLVED")
    assert lines_left.count() == found["quarantined"]
    assert leftovers() == []
    return {name: count for name, count in found.items() if count}


def refusal(content: str | bytes | BinaryIO, *, source: SourceSystem | None = None, name: str = "calls.csv") -> str:
    """The sentence with which a file is refused. The failed import keeps it, and nothing else is there that was not."""
    before = held()
    with pytest.raises(ImportRefused) as caught:
        take(content, source=source, name=name)
    sentence = str(caught.value)
    kept = UsageImport.objects.get(pk=caught.value.usage_import.pk)
    assert (kept.state, kept.error, kept.finished_at, kept.received_count) == ("FAILED", sentence, AT, 0)
    assert held() == before
    assert leftovers() == []
    assert session_timezone() == "UTC"
    return sentence


def held() -> list[int]:
    """How much there is of all that an import writes."""
    return [model.objects.count() for model in (UsageDataRecord, PendingUsage, UsageConflict, QuarantinedLine)]


def leftovers() -> list[str]:
    """Tables of imports that are still there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '^usage_(staging|parsed)_[0-9]+$'")
        return [name for (name,) in cursor.fetchall()]


def session_timezone() -> str:
    """The time zone in which the session reads times that name none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('TimeZone')")
        return str(cursor.fetchone()[0])


def records(*fields: str) -> list[tuple[object, ...]]:
    """Fields of all records, in the order of the file."""
    return list(UsageDataRecord.objects.order_by("usage_import_id", "line_number").values_list(*fields))
