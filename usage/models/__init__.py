from usage.models.history import UsageConflict, UsageDataRecordChange
from usage.models.imports import QuarantinedLine, UsageImport, UsageImportBlock
from usage.models.records import PendingUsage, UsageDataRecord
from usage.models.sources import SourceSystem, UsageType

__all__ = [
    "PendingUsage",
    "QuarantinedLine",
    "SourceSystem",
    "UsageConflict",
    "UsageDataRecord",
    "UsageDataRecordChange",
    "UsageImport",
    "UsageImportBlock",
    "UsageType",
]
