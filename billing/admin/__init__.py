from billing.admin import accounts, runs, schedules, terms

__all__ = ["accounts", "runs", "schedules", "terms"]
