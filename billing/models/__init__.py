from billing.models.cycles import BillingCycle, CustomerBilling, InvoiceMessage
from billing.models.runs import BillingRun, RunAccount, RunChunk

__all__ = ["BillingCycle", "BillingRun", "CustomerBilling", "InvoiceMessage", "RunAccount", "RunChunk"]
