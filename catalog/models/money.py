import pghistory
import pgtrigger
from django.db import models
from django.db.models.functions import Now

from catalog.models.triggers import never_emptied, touch_updated_at


class Currency(models.Model):
    """One ISO 4217 currency. `minor_units` is the number of decimals that its documents are rounded to."""

    code = models.CharField(max_length=3, primary_key=True)
    name = models.CharField(max_length=100)
    minor_units = models.PositiveSmallIntegerField(default=2)

    class Meta:
        db_table = "currency"
        ordering = ["code"]
        verbose_name_plural = "currencies"
        constraints = [
            models.CheckConstraint(condition=models.Q(code__regex=r"^[A-Z]{3}$"), name="currency_code_is_iso"),
            models.CheckConstraint(condition=models.Q(minor_units__lte=4), name="currency_minor_units_range"),
        ]

    def __str__(self) -> str:
        return self.code


@pghistory.track()
class TaxRate(models.Model):
    """A tax rate in percent, by name. It keeps its percent, the database sees to it: a new percent is a new tax rate,

    so that a run under way, and what was billed before, stay what they are.
    """

    name = models.CharField(max_length=100, unique=True)
    percent = models.DecimalField(max_digits=7, decimal_places=4, help_text="For example 19 for 19 %.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "tax_rate"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__gte=0, percent__lte=100), name="tax_rate_percent_range"),
        ]
        triggers = [
            touch_updated_at(),
            never_emptied(),
            pgtrigger.Protect(
                name="keep_percent",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__percent__df=pgtrigger.F("new__percent")),
            ),
        ]

    def __str__(self) -> str:
        return self.name
