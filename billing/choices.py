"""Preset values of billing runs, as the API spells them."""

from django.db import models


class RunStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    COMMENCED = "commenced", "Commenced"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


class AccountOutcome(models.TextChoices):
    """What became of one customer in a run."""

    WAITING = "waiting", "Waiting"
    INVOICED = "invoiced", "Invoiced"
    NOTHING_TO_BILL = "nothingToBill", "Nothing to bill"
    HELD = "held", "Held"
    FAILED = "failed", "Failed"


class HoldCause(models.TextChoices):
    """Why an account is held. One that is `UNUSUAL` has its draft; of the others everything waits as before."""

    UNPRICED = "unpriced", "Usage without a rate"
    TAX = "tax", "No tax rate"
    PERSON = "person", "Held by a person"
    UNUSUAL = "unusual", "Unusual amount"


class GapKind(models.TextChoices):
    """What seems not to have come."""

    NUMBERS = "NUMBERS", "Missing numbers"
    SILENT_HOURS = "SILENT_HOURS", "Silent hours"


class PreflightVerdict(models.TextChoices):
    """What a check before a run comes to: a run with a block is not to be commenced."""

    PASS = "pass", "Pass"
    WARN = "warn", "Warning"
    BLOCK = "block", "Block"


class PreflightWarning(models.TextChoices):
    """The checks before a run that may warn: what a schedule may have been told to pass over."""

    OPEN_QUARANTINE = "open_quarantine", "Quarantined lines"
    OPEN_CONFLICTS = "open_conflicts", "Conflicts"
    NUMBER_HOLES = "number_holes", "Missing record numbers"
    SILENT_SOURCES = "silent_sources", "Silent source systems"
    COMPLETENESS = "completeness", "Completeness"
    IMPORTS_UNDER_WAY = "imports_under_way", "Imports under way"
    EXPIRED_RATES = "expired_rates", "Expired prices"
    RATE_CARD_FINDINGS = "rate_card_findings", "Checks of rate cards"
    UNPRICED_USAGE = "unpriced_usage", "Usage without a rate"
    NO_PRICE_LIST = "no_price_list", "Customers without a rate card"
    NO_DEFAULT_CARD = "no_default_card", "Currencies without a default rate card"
    NO_TAX_RATE = "no_tax_rate", "Customers without a tax rate"
    CLOSED_CUSTOMERS = "closed_customers", "Closed customers with usage"
    ENDED_SERVICES = "ended_services", "Ended services with usage"
    LATE_USAGE = "late_usage", "Late usage"
    SAME_DATES = "same_dates", "Other runs for the date"
    EXPECTED_ACCOUNTS = "expected_accounts", "Customers on the run"
    EXPECTED_USAGE = "expected_usage", "Usage on the run"


class ScheduleAction(models.TextChoices):
    """What a schedule does when a period is over."""

    CREATE = "create", "Create the run"
    PREVIEW = "preview", "Create it, and mail what it would come to"
    COMMENCE = "commence", "Create and commence it"


class ScheduleMailKind(models.TextChoices):
    """What the billing group is told about a scheduled run, once for a period each."""

    PREVIEW = "preview", "Preview"
    REFUSED = "refused", "Left pending"
    ERROR = "error", "Error"
    BEHIND = "behind", "Waits for an earlier run"
    ACCOUNTS_FAILED = "accountsFailed", "Accounts failed"
