"""What can go wrong in operations on usage, in words for people."""

from collections.abc import Mapping

from usage.models import UsageImport


class ImportRefused(Exception):
    """A file was not taken, whole: what is wrong with it, and where. `usage_import` is the failed import."""

    def __init__(self, message: str, usage_import: UsageImport) -> None:
        super().__init__(message)
        self.usage_import = usage_import


class ImportConflict(Exception):
    """The import, or one of its lines, is in a state in which this cannot be done; the message names the state."""


class LineRefused(Exception):
    """What was made of a quarantined line is no row of its file."""


class RecordConflict(Exception):
    """The record is in a state in which this cannot be done; the message names the state, and says what can be."""


class RecordRefused(Exception):
    """What was asked for is understood, but cannot be: `field` is what is wrong, empty where it is the whole."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NumberConflict(Exception):
    """The number was sent before with other content: `differences` has, by field, the record's text and the new one."""

    def __init__(self, message: str, record_id: int, differences: Mapping[str, tuple[str | None, str | None]]) -> None:
        super().__init__(message)
        self.record_id = record_id
        self.differences = differences
