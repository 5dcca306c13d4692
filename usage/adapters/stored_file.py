"""A file kept in the database, block by block, until a worker takes it in."""

import io
import zlib
from collections.abc import Iterator
from typing import Any

from catalog.adapters.csv_stream import StreamFault
from usage.models import UsageImportBlock

BLOCK_BYTES = 1 << 20
FASTEST = 1


def blocks_of(content: Iterator[bytes]) -> Iterator[bytes]:
    """The content as it is kept: parts of it, compressed."""
    return (zlib.compress(part, FASTEST) for part in content)


class StoredFile(io.RawIOBase):
    """The content of an import's stored blocks, one in memory at a time."""

    def __init__(self, import_id: int) -> None:
        super().__init__()
        self._import_id = import_id
        self._next_number = 1
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._next_block()
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def _next_block(self) -> bytes:
        stored = UsageImportBlock.objects.filter(usage_import_id=self._import_id, number=self._next_number)
        data = stored.values_list("data", flat=True).first()
        if data is None:
            return b""
        self._next_number += 1
        try:
            return zlib.decompress(bytes(data))
        except zlib.error as error:
            raise StreamFault(f"block {self._next_number - 1} of its stored content is broken ({error})") from error
