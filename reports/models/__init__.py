from reports.models.figures import CountedInvoice, RevenueDay, UsageDay
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
    "ReportProduction",
    "RevenueDay",
    "UsageDay",
    "UsageReport",
]
