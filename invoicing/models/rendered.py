from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from invoicing.choices import RenderingState
from invoicing.models.documents import Invoice


class RenderedInvoice(models.Model):
    """The PDF of a posted document: waiting to be made, where it is, and the SHA-256 of its bytes.

    The row is the queue: posting writes it, whoever renders it locks it. `template_sha256` is that of all that it was
    made from but the document: made again from the same it has the same bytes.
    """

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="rendered")
    state = models.CharField(max_length=10, choices=RenderingState, default=RenderingState.WAITING)
    file = models.FileField(upload_to="invoices/", blank=True, max_length=200)
    byte_count = models.BigIntegerField(default=0)
    page_count = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    template_sha256 = models.CharField(max_length=64, blank=True, default="")
    attempt_count = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    rendered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "rendered_invoice"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RenderingState.values), name="rendered_invoice_state_known"),
            models.CheckConstraint(
                condition=~Q(state=RenderingState.DONE) | (~Q(file="") & ~Q(sha256="") & Q(rendered_at__isnull=False)),
                name="rendered_invoice_done_has_a_file",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="WAITING"), name="rendered_invoice_waiting"),
            models.Index(fields=["id"], condition=Q(state="FAILED"), name="rendered_invoice_failed"),
        ]

    def __str__(self) -> str:
        return f"PDF of {self.invoice_id}"
