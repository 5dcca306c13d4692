"""Files that are kept for a worker, and a worker's part done by hand."""

import io
from datetime import timedelta
from typing import Any

from tests.usage.taking import AT
from usage.choices import Channel
from usage.models import SourceSystem, UsageImport, UsageImportBlock
from usage.operations.stored import receive_file, take_in_stored

LATER = AT + timedelta(minutes=5)


def receive(content: str | bytes, *, is_queued: bool = True, name: str = "calls.csv", **more: Any) -> UsageImport:
    """Keep a file of the one source system that there is."""
    data = content.encode() if isinstance(content, str) else content
    source = more.pop("source_system_id", None) or SourceSystem.objects.get().pk
    arguments: dict[str, Any] = {"source_system_id": source, "channel": Channel.API, "is_queued": is_queued, "at": AT}
    return receive_file(file=io.BytesIO(data), file_name=name, **(arguments | more))


def work_off(usage_import: UsageImport) -> UsageImport:
    """Take in a stored file as a worker does; the import as it is stored then."""
    take_in_stored(import_id=usage_import.pk, at=LATER)
    return UsageImport.objects.get(pk=usage_import.pk)


def block_count() -> int:
    """How much is kept of files."""
    return UsageImportBlock.objects.count()
