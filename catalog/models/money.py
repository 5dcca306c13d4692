import pghistory
import pgtrigger
from django.db import models
from django.db.models.functions import Now

from catalog.choices import TaxTreatment
from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.triggers import never_emptied, touch_updated_at


class Currency(models.Model):
    """One ISO 4217 currency. `minor_units` is the number of decimals that its documents are rounded to and written in.

    It stays, the database sees to it: what was posted would be written otherwise.
    """

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
        triggers = [
            pgtrigger.Protect(
                name="keep_minor_units", operation=pgtrigger.Update, condition=pgtrigger.AnyChange("minor_units")
            )
        ]

    def __str__(self) -> str:
        return self.code


@pghistory.track()
class TaxRate(models.Model):
    """A tax rate in percent, by name. It keeps its percent, the database sees to it: a new percent is a new tax rate,

    so that a run under way, and what was billed before, stay what they are. The new one names the old one as its
    `predecessor` and the day it is valid from: at a tax point on or after that day it is taken wherever the old one is
    asked for, and before that day the old one wherever the new one is. A run takes those that were there when it was
    commenced (`created_in`). Reverse charge and exemption are tax rates of 0 % with the `note` that their documents
    have to have.
    """

    name = models.CharField(max_length=100, unique=True)
    percent = models.DecimalField(max_digits=7, decimal_places=4, help_text="For example 19 for 19 %.")
    treatment = models.CharField(
        max_length=20, choices=TaxTreatment, default=TaxTreatment.STANDARD, db_default=TaxTreatment.STANDARD
    )
    note = models.TextField(
        blank=True, default="", db_default="", help_text="Stands on documents that have this tax rate, beside the tax."
    )
    predecessor = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="successor",
        help_text="The tax rate that this one replaces from its start date on.",
    )
    start_date = models.DateField(null=True, blank=True, help_text="First tax point at which it replaces the other.")
    created_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "tax_rate"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__gte=0, percent__lte=100), name="tax_rate_percent_range"),
            models.CheckConstraint(
                condition=models.Q(treatment__in=TaxTreatment.values), name="tax_rate_treatment_known"
            ),
            models.CheckConstraint(
                condition=models.Q(treatment=TaxTreatment.STANDARD) | (models.Q(percent=0) & ~models.Q(note="")),
                name="tax_rate_untaxed_is_0_and_says_why",
            ),
            models.CheckConstraint(
                condition=models.Q(predecessor__isnull=True, start_date__isnull=True)
                | models.Q(predecessor__isnull=False, start_date__isnull=False),
                name="tax_rate_replaces_from_a_day",
            ),
        ]
        triggers = [
            touch_updated_at(),
            never_emptied(),
            pgtrigger.Protect(
                name="keep_percent",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("percent", "treatment", "predecessor", "start_date"),
            ),
            pgtrigger.Trigger(
                name="replaces_an_earlier_one",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__predecessor__isnull=False),
                func="""
                IF NOT EXISTS (
                  SELECT FROM tax_rate t
                  WHERE t.id = NEW.predecessor_id AND (t.start_date IS NULL OR t.start_date < NEW.start_date)
                ) THEN
                  RAISE EXCEPTION 'A tax rate replaces one that began to hold on an earlier day.'
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name
