"""Preset values of customers, their subscriptions and their API keys."""

from django.db import models


class CustomerStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"
    CLOSED = "CLOSED", "Closed"


class MinimumRule(models.TextChoices):
    """What becomes of an invoice that comes to less than the customer's minimum."""

    SKIP = "skip", "It waits until it adds up"
    PAD = "pad", "It is filled up to the minimum"
    FEE = "fee", "A low-usage fee is added"


class LifeCycleState(models.TextChoices):
    """Of accounts, subscriptions, services and actions."""

    DRAFT = "DRAFT", "Draft"
    ACTIVE = "ACTIVE", "Active"
    ENDED = "ENDED", "Ended"


class ActionKind(models.TextChoices):
    """What was done to a subscription."""

    ACTIVATE = "ACTIVATE", "Activate"
    CHANGE = "CHANGE", "Change"
    END = "END", "End"


class Scope(models.TextChoices):
    """What an API key may do."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    USAGE_WRITE = "usage:write", "Send usage"
    BILLING_RUN = "billing:run", "Commence and approve billing runs"
