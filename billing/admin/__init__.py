from billing.admin import (
    accounts,
    card_checks,
    completeness,
    invoices,
    manual_invoices,
    run_schedules,
    runs,
    schedules,
    terms,
    usage_records,
    verifications,
)

__all__ = [
    "accounts",
    "card_checks",
    "completeness",
    "invoices",
    "manual_invoices",
    "run_schedules",
    "runs",
    "schedules",
    "terms",
    "usage_records",
    "verifications",
]
