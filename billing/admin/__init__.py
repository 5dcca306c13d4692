from billing.admin import accounts, completeness, invoices, runs, schedules, terms, usage_records

__all__ = ["accounts", "completeness", "invoices", "runs", "schedules", "terms", "usage_records"]
