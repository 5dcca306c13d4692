"""What can go wrong in operations on usage, in words for people."""

from usage.models import UsageImport


class ImportRefused(Exception):
    """A file was not taken, whole: what is wrong with it, and where. `usage_import` is the failed import."""

    def __init__(self, message: str, usage_import: UsageImport) -> None:
        super().__init__(message)
        self.usage_import = usage_import
