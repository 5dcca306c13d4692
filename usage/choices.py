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
    """A file that is taken in while its sender waits starts as running; one that is stored first waits for a worker."""

    UPLOADED = "UPLOADED", "Uploaded, not yet started"
    QUEUED = "QUEUED", "Waiting for a worker"
    RUNNING = "RUNNING", "Running"
    COMPLETED = "COMPLETED", "Completed"
    FAILED = "FAILED", "Failed"


class Channel(models.TextChoices):
    """The way that a file came in."""

    API = "API", "API"
    ADMIN = "ADMIN", "Upload"
    COMMAND = "COMMAND", "Command line"
    DROP_FOLDER = "DROP_FOLDER", "Drop folder"


class QuarantineState(models.TextChoices):
    """A resolved line went in when it was tried again; a dismissed one never will."""

    OPEN = "OPEN", "Open"
    RESOLVED = "RESOLVED", "Resolved"
    DISMISSED = "DISMISSED", "Dismissed"


class ConflictDecision(models.TextChoices):
    """What a person decided on a row that says something else than the record with its number."""

    OPEN = "OPEN", "Open"
    KEPT = "KEPT", "Record kept"
    REPLACED = "REPLACED", "Record replaced"
    DISMISSED = "DISMISSED", "Dismissed"


class RecordChangeKind(models.TextChoices):
    """What was done to one record after it came in."""

    POSTED = "POSTED", "Posted"
    REJECTED = "REJECTED", "Rejected"
    CANCELLED = "CANCELLED", "Cancelled"
    ADJUSTED = "ADJUSTED", "Adjusted"
    DIRECTIVE_SET = "DIRECTIVE_SET", "Directive set"


class Delimiter(models.TextChoices):
    COMMA = ",", "Comma"
    SEMICOLON = ";", "Semicolon"
    TAB = "\t", "Tab"
    PIPE = "|", "Vertical bar"


class DecimalSign(models.TextChoices):
    POINT = ".", "Point: 1234.56"
    COMMA = ",", "Comma: 1234,56"


class QuarantineReason(models.TextChoices):
    """Why a line of an import did not become a usage data record."""

    NOT_JSON = "NOT_JSON", "Not a JSON object"
    MISSING_VALUE = "MISSING_VALUE", "A value is missing"
    BAD_NUMBER = "BAD_NUMBER", "Not a number"
    BAD_DATE = "BAD_DATE", "Not a date or time"
    BAD_PERIOD = "BAD_PERIOD", "Ends before it starts"
    BAD_CHOICE = "BAD_CHOICE", "Not one of the allowed values"
    TOO_LONG = "TOO_LONG", "A value is too long"
    UNKNOWN_SERVICE = "UNKNOWN_SERVICE", "Unknown service"
    UNKNOWN_PRODUCT = "UNKNOWN_PRODUCT", "Unknown product"
    UNKNOWN_TYPE = "UNKNOWN_TYPE", "Unknown usage type"
    UNKNOWN_ACTION = "UNKNOWN_ACTION", "Unknown subscription action"
