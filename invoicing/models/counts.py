from django.db import models


class PostedInvoiceCount(models.Model):
    """How many documents of a period are posted: what the rows of the period add up to.

    Kept by triggers on documents. Who posts adds to a row that nobody else holds, or else writes another one: nobody
    waits for the count, and it is right for whoever sees the documents.
    """

    period_start = models.DateField()
    period_end = models.DateField()
    document_count = models.BigIntegerField()

    class Meta:
        db_table = "posted_invoice_count"
        ordering = ["period_start", "period_end"]
        indexes = [models.Index(fields=["period_start", "period_end"], name="posted_invoice_count_period")]

    def __str__(self) -> str:
        return f"{self.document_count} from {self.period_start} to {self.period_end}"
