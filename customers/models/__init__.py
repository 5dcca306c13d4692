from customers.models.api_keys import ApiKey, IdempotentRequest
from customers.models.customers import (
    AccountsReceivable,
    BilledUntil,
    Campaign,
    Customer,
    CustomerGroup,
    CustomerRateCard,
    GroupRateCard,
    Site,
)
from customers.models.subscriptions import Subscription, SubscriptionAction, SubscriptionService

__all__ = [
    "AccountsReceivable",
    "ApiKey",
    "BilledUntil",
    "Campaign",
    "Customer",
    "CustomerGroup",
    "CustomerRateCard",
    "GroupRateCard",
    "IdempotentRequest",
    "Site",
    "Subscription",
    "SubscriptionAction",
    "SubscriptionService",
]
