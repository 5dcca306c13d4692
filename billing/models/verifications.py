from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.models.runs import BillingRun


class RunVerification(models.Model):
    """One time that somebody had a run's posted invoices computed again, and what came of it.

    The row is the queue: a worker holds its lock while it computes, and one of a run waits at a time. Finished, it says
    how many invoices there were and how many of them are identical; `said` is the first difference in words, or why
    nothing was compared (then without counts), and empty where all is as it was posted.
    """

    run = models.ForeignKey(BillingRun, on_delete=models.PROTECT, related_name="verifications")
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)
    invoice_count = models.PositiveIntegerField("invoices", null=True)
    identical_count = models.PositiveIntegerField("identical", null=True)
    said = models.TextField("in words", blank=True, default="")

    class Meta:
        db_table = "run_verification"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run"], condition=Q(finished_at__isnull=True), name="run_verification_waits_once"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, invoice_count__isnull=True, identical_count__isnull=True, said="")
                | Q(
                    finished_at__isnull=False,
                    invoice_count__isnull=False,
                    identical_count__isnull=False,
                    identical_count__lte=F("invoice_count"),
                )
                | (
                    Q(finished_at__isnull=False, invoice_count__isnull=True, identical_count__isnull=True) & ~Q(said="")
                ),
                name="run_verification_finished_has_its_result",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.run_id}, asked {self.asked_at:%Y-%m-%d %H:%M} UTC"

    @property
    def is_identical(self) -> bool | None:
        """Whether all was as posted; None where nothing was compared (yet)."""
        return None if self.invoice_count is None else not self.said
