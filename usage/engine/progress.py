"""How far an import is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Bytes and rows so far. `phase` is "reading" while the file is copied, "writing" while rows become records."""

    phase: str
    byte_count: int = 0
    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0


OnProgress = Callable[[ImportProgress], None]
