from reports.models.figures import CountedInvoice, PendingAge, RevenueDay, UsageDay
from reports.models.profiles import (
    CustomerReportProfile,
    GroupReportProfile,
    InvoiceReportProfile,
    InvoiceUsageReportProfile,
)
from reports.models.rendered import ReportProduction, UsageReport

__all__ = [
    "CountedInvoice",
    "CustomerReportProfile",
    "GroupReportProfile",
    "InvoiceReportProfile",
    "InvoiceUsageReportProfile",
    "PendingAge",
    "ReportProduction",
    "RevenueDay",
    "UsageDay",
    "UsageReport",
]
