"""Preset values of transactions and documents."""

from django.db import models


class TransactionKind(models.TextChoices):
    """A reversal takes back a usage charge on a posted invoice; a correction settles that its price was wrong."""

    ONE_OFF = "ONE_OFF", "One-off"
    RECURRING = "RECURRING", "Recurring"
    MANUAL = "MANUAL", "Manual"
    REVERSAL = "REVERSAL", "Usage taken back"
    CORRECTION = "CORRECTION", "Price corrected"


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


class DeliveryChannel(models.TextChoices):
    EMAIL = "EMAIL", "E-mail"
    LETTER = "LETTER", "Letter"
    PORTAL = "PORTAL", "Customer's portal"
