from billing.models.card_checks import RateCardCheck
from billing.models.completeness import CompletenessDay, UsageGap
from billing.models.cycles import BillingCycle, CustomerBilling, InvoiceMessage
from billing.models.runs import BillingRun, RunAccount, RunChunk
from billing.models.schedules import RunSchedule, ScheduleMail
from billing.models.verifications import RunVerification

__all__ = [
    "BillingCycle",
    "BillingRun",
    "CompletenessDay",
    "CustomerBilling",
    "InvoiceMessage",
    "RateCardCheck",
    "RunAccount",
    "RunChunk",
    "RunSchedule",
    "RunVerification",
    "ScheduleMail",
    "UsageGap",
]
