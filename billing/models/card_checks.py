from django.db import models

from catalog.models import RateCard


class RateCardCheck(models.Model):
    """What the check of a rate card found the last time, by the prices that held on `checked_on`.

    A check of 100,000 prices takes seconds, so that it is made every hour by a worker (`billing.check_rate_cards`) and
    not while a run is looked at. `findings` are objects with the rule, its severity, how many, and a sentence.
    """

    rate_card = models.OneToOneField(RateCard, on_delete=models.CASCADE, related_name="last_check")
    checked_at = models.DateTimeField()
    checked_on = models.DateField("prices of")
    findings = models.JSONField(default=list, blank=True)

    class Meta:
        db_table = "rate_card_check"
        ordering = ["rate_card__name"]

    def __str__(self) -> str:
        return f"{self.rate_card_id}, {self.checked_at:%Y-%m-%d %H:%M} UTC"
