from datetime import date

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models import Currency, Product, TaxRate
from catalog.models.triggers import touch_updated_at
from customers.models import Customer, Subscription, SubscriptionService
from invoicing.choices import ChargeTiming, PeriodAlignment

EARLIEST, LATEST = date(1900, 1, 1), date(9000, 1, 1)
MONTHS_MAX = 36
MINIMUM_MONTHS_MAX = 120
# Together far less than a transaction's amount can be: one charge too large must not stop the run of all customers.
QUANTITY_MAX = 1_000_000
PRICE_MAX = 1_000_000_000_000


@pghistory.track()
class RecurringCharge(models.Model):
    """What a subscription, or one service of it, costs again and again: `quantity` x `unit_price` for each period.

    A period has `months` months, counted from its anchor: the first of the month in which it started, or the day
    itself. From 31 January on, they begin on 28 February and on 31 March. A period falls due on its first day in
    advance, on its last in arrears; the run that takes that day makes a transaction of it. First and last periods are
    prorated by their days, unless it says otherwise.

    It ends with its subscription and its service, if not before, but not before `minimum_months` are over. Ended
    without a date (a closed customer, an ended subscription), it is over then. What was charged stays as it was:
    another price is for later periods, and the periods themselves stay once one of them was charged.

    Its customer is the subscription's and its currency the customer's, by composite foreign keys in the database.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="recurring_charges")
    service = models.ForeignKey(
        SubscriptionService,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="recurring_charges",
        help_text="If it is for one service of the subscription: it ends with it.",
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, editable=False, related_name="recurring_charges")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    description = models.CharField(max_length=250, help_text="On invoices, the period is added to it.")
    quantity = models.DecimalField(max_digits=38, decimal_places=18, default=1)
    unit_price = models.DecimalField(
        max_digits=38, decimal_places=18, help_text="For one whole period. Negative: a credit."
    )
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, editable=False, related_name="+")
    tax_rate = models.ForeignKey(
        TaxRate, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: the customer's."
    )
    months = models.PositiveSmallIntegerField(default=1, help_text=f"Months of a period, 1 to {MONTHS_MAX}.")
    timing = models.CharField(max_length=10, choices=ChargeTiming, default=ChargeTiming.ADVANCE)
    alignment = models.CharField(
        max_length=15, choices=PeriodAlignment, default=PeriodAlignment.CALENDAR_MONTH, help_text="Where periods begin."
    )
    is_prorated = models.BooleanField(
        "prorated",
        default=True,
        help_text="The first and the last period cost their part by days. Otherwise each that is begun costs all.",
    )
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True, help_text="First day that is no longer charged.")
    minimum_months = models.PositiveSmallIntegerField(
        default=0, help_text="Ended earlier, it is charged until so many months after its start."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "recurring_charge"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(months__gte=1, months__lte=MONTHS_MAX),
                name="recurring_charge_months_range",
                violation_error_message=f"A period has 1 to {MONTHS_MAX} months.",
            ),
            models.CheckConstraint(
                condition=Q(minimum_months__lte=MINIMUM_MONTHS_MAX),
                name="recurring_charge_minimum_range",
                violation_error_message=f"The minimum term has at most {MINIMUM_MONTHS_MAX} months.",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, quantity__lte=QUANTITY_MAX),
                name="recurring_charge_quantity_range",
                violation_error_message="A quantity is above 0 and at most 1,000,000. A negative price makes a credit.",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=-PRICE_MAX, unit_price__lte=PRICE_MAX),
                name="recurring_charge_price_range",
                violation_error_message="The price is at most 1,000,000,000,000.",
            ),
            models.CheckConstraint(condition=Q(timing__in=ChargeTiming.values), name="recurring_charge_timing_known"),
            models.CheckConstraint(
                condition=Q(alignment__in=PeriodAlignment.values), name="recurring_charge_alignment_known"
            ),
            models.CheckConstraint(
                condition=Q(start_date__gte=EARLIEST, start_date__lt=LATEST)
                & (Q(end_date__isnull=True) | Q(end_date__lt=LATEST)),
                name="recurring_charge_dates_in_range",
                violation_error_message=f"Its dates lie between {EARLIEST} and {LATEST}.",
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")),
                name="recurring_charge_ends_after_start",
                violation_error_message="It ends after its start.",
            ),
        ]
        triggers = [
            touch_updated_at(),
            pgtrigger.Trigger(
                name="service_of_its_subscription",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__service__isnull=False),
                func="""
                IF NOT EXISTS (
                  SELECT FROM subscription_service v
                  WHERE v.id = NEW.service_id AND v.subscription_id = NEW.subscription_id
                ) THEN
                  RAISE EXCEPTION 'The service is of another subscription than the charge.'
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="periods_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("subscription", "months", "timing", "alignment", "start_date"),
                func="""
                IF EXISTS (SELECT FROM transaction x WHERE x.recurring_charge_id = OLD.id) THEN
                  RAISE EXCEPTION 'It was charged before: subscription, start and periods stay. End it and add another.'
                    USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.description
