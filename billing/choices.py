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
