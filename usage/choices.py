"""Preset values of usage data records and their imports. Spelled as the API spells them."""

from django.db import models


class LifeCycleState(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    REJECTED = "REJECTED", "Rejected"
    POSTED = "POSTED", "Posted"
    CANCELLED = "CANCELLED", "Cancelled"


class BillingDirective(models.TextChoices):
    TO_BE_BILLED = "TO_BE_BILLED", "To be billed"
    TO_BE_CREDITED = "TO_BE_CREDITED", "To be credited"
    NOT_TO_BE_BILLED = "NOT_TO_BE_BILLED", "Not to be billed"


class RatingType(models.TextChoices):
    POSTRATED = "POSTRATED", "Priced by a rate card"
    PRERATED = "PRERATED", "Brings its own amount"


class ImportState(models.TextChoices):
    RUNNING = "RUNNING", "Running"
    COMPLETED = "COMPLETED", "Completed"
    FAILED = "FAILED", "Failed"


class QuarantineReason(models.TextChoices):
    """Why a line of an import did not become a usage data record."""

    MISSING_VALUE = "MISSING_VALUE", "A value is missing"
    BAD_NUMBER = "BAD_NUMBER", "Not a number"
    BAD_DATE = "BAD_DATE", "Not a date or time"
    BAD_PERIOD = "BAD_PERIOD", "Ends before it starts"
    BAD_CHOICE = "BAD_CHOICE", "Not one of the allowed values"
    TOO_LONG = "TOO_LONG", "A value is too long"
    UNKNOWN_SERVICE = "UNKNOWN_SERVICE", "Unknown service"
    UNKNOWN_PRODUCT = "UNKNOWN_PRODUCT", "Unknown product"
    UNKNOWN_TYPE = "UNKNOWN_TYPE", "Unknown usage type"
