from usage.models.imports import QuarantinedLine, UsageImport
from usage.models.records import PendingUsage, UsageConflict, UsageDataRecord
from usage.models.sources import SourceSystem, UsageType

__all__ = [
    "PendingUsage",
    "QuarantinedLine",
    "SourceSystem",
    "UsageConflict",
    "UsageDataRecord",
    "UsageImport",
    "UsageType",
]
