from billing.admin import accounts, completeness, runs, schedules, terms, usage_records

__all__ = ["accounts", "completeness", "runs", "schedules", "terms", "usage_records"]
