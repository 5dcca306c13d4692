from billing.admin import accounts, completeness, invoices, run_schedules, runs, schedules, terms, usage_records

__all__ = ["accounts", "completeness", "invoices", "run_schedules", "runs", "schedules", "terms", "usage_records"]
