from billing.models.completeness import CompletenessDay, UsageGap
from billing.models.cycles import BillingCycle, CustomerBilling, InvoiceMessage
from billing.models.runs import BillingRun, RunAccount, RunChunk

__all__ = [
    "BillingCycle",
    "BillingRun",
    "CompletenessDay",
    "CustomerBilling",
    "InvoiceMessage",
    "RunAccount",
    "RunChunk",
    "UsageGap",
]
