from reports.models.profiles import CustomerReportProfile, GroupReportProfile, InvoiceUsageReportProfile
from reports.models.rendered import UsageReport

__all__ = ["CustomerReportProfile", "GroupReportProfile", "InvoiceUsageReportProfile", "UsageReport"]
