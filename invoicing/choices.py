"""Preset values of transactions and documents."""

from django.db import models


class TransactionKind(models.TextChoices):
    """A reversal takes back a usage charge on a posted invoice; a correction settles that its price was wrong."""

    ONE_OFF = "ONE_OFF", "One-off"
    RECURRING = "RECURRING", "Recurring"
    MANUAL = "MANUAL", "Manual"
    REVERSAL = "REVERSAL", "Usage taken back"
    CORRECTION = "CORRECTION", "Price corrected"


class ChargeTiming(models.TextChoices):
    """When a period of a recurring charge falls due: on its first day, or on its last."""

    ADVANCE = "advance", "In advance"
    ARREARS = "arrears", "In arrears"


class PeriodAlignment(models.TextChoices):
    """Where the periods of a recurring charge begin."""

    CALENDAR_MONTH = "calendarMonth", "On the first of a month"
    ANNIVERSARY = "anniversary", "On the day on which it started"


class InvoiceKind(models.TextChoices):
    INVOICE = "INVOICE", "Invoice"
    CREDIT_NOTE = "CREDIT_NOTE", "Credit note"


class InvoiceState(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    POSTED = "POSTED", "Posted"


class LineKind(models.TextChoices):
    USAGE = "USAGE", "Usage"
    ONE_OFF = "ONE_OFF", "One-off"
    RECURRING = "RECURRING", "Recurring"
    MANUAL = "MANUAL", "Manual"
    REVERSAL = "REVERSAL", "Usage taken back"
    CORRECTION = "CORRECTION", "Price corrected"
    MINIMUM = "MINIMUM", "Filled up to the minimum"
    FEE = "FEE", "Low-usage fee"
    CREDIT = "CREDIT", "Coupon or account credit"


class DeliveryChannel(models.TextChoices):
    EMAIL = "EMAIL", "E-mail"
    LETTER = "LETTER", "Letter"
    PORTAL = "PORTAL", "Customer's portal"
    NONE = "NONE", "Not sent"


class DeliveryState(models.TextChoices):
    """Waiting; being handed over to the mail server; taken by it; and what went wrong.

    Uncertain: whoever handed it over died before it noted whether it was taken. A person decides; it is not sent again
    by itself. Not to be sent: the customer is on no channel.
    """

    WAITING = "WAITING", "Waiting"
    SENDING = "SENDING", "Being sent"
    SENT = "SENT", "Sent"
    REFUSED = "REFUSED", "Refused"
    BOUNCED = "BOUNCED", "Came back"
    UNCERTAIN = "UNCERTAIN", "Not known whether it was sent"
    NOT_SENT = "NOT_SENT", "Not to be sent"


class RenderingState(models.TextChoices):
    WAITING = "WAITING", "Waiting"
    DONE = "DONE", "Made"
    FAILED = "FAILED", "Failed"
