from invoicing.admin import (
    account_credits,
    charges,
    corrections,
    credited_charges,
    deliveries,
    documents,
    entities,
    receivables,
    recurring,
    rendered,
    transactions,
)

__all__ = [
    "account_credits",
    "charges",
    "corrections",
    "credited_charges",
    "deliveries",
    "documents",
    "entities",
    "receivables",
    "recurring",
    "rendered",
    "transactions",
]
