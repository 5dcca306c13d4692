from billing.models.completeness import CompletenessDay, UsageGap
from billing.models.cycles import BillingCycle, CustomerBilling, InvoiceMessage
from billing.models.runs import BillingRun, RunAccount, RunChunk
from billing.models.schedules import RunSchedule, ScheduleMail

__all__ = [
    "BillingCycle",
    "BillingRun",
    "CompletenessDay",
    "CustomerBilling",
    "InvoiceMessage",
    "RunAccount",
    "RunChunk",
    "RunSchedule",
    "ScheduleMail",
    "UsageGap",
]
