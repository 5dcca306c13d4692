from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.triggers import touch_updated_at
from invoicing.choices import DeliveryChannel, DeliveryState
from invoicing.models.documents import Invoice
from invoicing.querysets import DeliveryQuerySet


class InvoiceDelivery(models.Model):
    """That a posted invoice is to be sent, or was: how, to whom and when. One row for each time and each address.

    The row is the queue. It is marked as being sent, and committed, before the mail server is called, and noted
    afterwards: one that was left in between is uncertain and never sent again by itself. `message_id` is that of the
    e-mail, by which what comes back is recognized. `asked_by` asked for it; without one, posting did. What is sent
    again is another row, which `replaces` the first.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=DeliveryChannel)
    recipient = models.CharField(max_length=300, blank=True)
    state = models.CharField(
        max_length=10, choices=DeliveryState, default=DeliveryState.SENT, db_default=DeliveryState.SENT
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    next_attempt_at = models.DateTimeField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    message_id = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    error = models.TextField(blank=True, default="", db_default="", editable=False)
    note = models.TextField(blank=True, default="")
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="replacements"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        db_table = "invoice_delivery"
        ordering = ["-id"]
        verbose_name_plural = "invoice deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=DeliveryChannel.values), name="invoice_delivery_channel_known"
            ),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="invoice_delivery_state_known"),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.SENT) | Q(sent_at__isnull=False),
                name="invoice_delivery_sent_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.SENDING) | (Q(claimed_at__isnull=False) & ~Q(message_id="")),
                name="invoice_delivery_sending_since_a_time",
            ),
            models.UniqueConstraint(
                fields=["message_id"], condition=~Q(message_id=""), name="invoice_delivery_message_once"
            ),
            models.UniqueConstraint(
                fields=["invoice", "channel", "recipient"],
                condition=Q(state__in=[DeliveryState.WAITING, DeliveryState.SENDING]),
                name="invoice_delivery_under_way_once",
                violation_error_message="It waits already, or is being sent, to this recipient.",
            ),
        ]
        indexes = [
            # Letters wait for a person, who may take days: workers do not read over them.
            models.Index(
                fields=["id"],
                condition=Q(state="WAITING", channel__in=["EMAIL", "PORTAL"]),
                name="invoice_delivery_waiting",
            ),
            models.Index(fields=["claimed_at"], condition=Q(state="SENDING"), name="invoice_delivery_sending"),
            models.Index(
                fields=["id"],
                condition=Q(state__in=["REFUSED", "BOUNCED", "UNCERTAIN"]),
                name="invoice_delivery_undelivered",
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.recipient}"
