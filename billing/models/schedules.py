from datetime import date

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from billing.choices import ScheduleAction, ScheduleMailKind
from billing.models.cycles import BillingCycle, InvoiceMessage
from catalog.models.fields import validate_timezone
from catalog.models.triggers import touch_updated_at

EARLIEST, LATEST = date(2000, 1, 1), date(9000, 1, 1)
LONGEST_DUE_DAYS = 365


@pghistory.track()
class RunSchedule(models.Model):
    """Makes a billing run each time a period of `months` is over, for the customers of its cycle's subrun.

    Cutoff dates are `first_cutoff_date` and the same day of the month every `months` later, the last day of a month
    that is shorter. A run is made on its cutoff date at `hour` o'clock in `timezone`, or as soon as it can be after
    that: periods that were missed are made up for one by one, in order. The invoices are dated the cutoff date and due
    `due_in_days` later, or by the customers' payment terms.
    """

    name = models.CharField(max_length=100, unique=True)
    billing_cycle = models.ForeignKey(
        BillingCycle,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="schedules",
        help_text="Its subrun's customers are billed. Empty: those of no subrun.",
    )
    months = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(12)], help_text="Months of a period."
    )
    first_cutoff_date = models.DateField(
        help_text="Usage before this day is in the first run. Later ones: the same day of the month, or its last day. "
        "Periods since then that have no run are made up for."
    )
    hour = models.PositiveSmallIntegerField(
        "at the hour",
        default=2,
        validators=[MaxValueValidator(23)],
        help_text="0 to 23, on the cutoff date. Leave the last usage the time to come in.",
    )
    timezone = models.CharField("in time zone", max_length=64, default="UTC", validators=[validate_timezone])
    due_in_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_DUE_DAYS)],
        help_text="Days from the invoice date (the cutoff date) to the due date. Empty: by each customer's terms.",
    )
    invoice_message = models.ForeignKey(
        InvoiceMessage, on_delete=models.PROTECT, null=True, blank=True, related_name="schedules"
    )
    action = models.CharField(max_length=10, choices=ScheduleAction, default=ScheduleAction.CREATE)
    confirmed_warnings = ArrayField(
        models.CharField(max_length=50),
        default=list,
        blank=True,
        help_text="Warnings of the pre-flight that do not keep a run from being commenced. Any other does: the run "
        "stays pending, and the billing group is told.",
    )
    is_active = models.BooleanField(
        default=True, help_text="Switched on again, it makes up for the periods that were missed meanwhile."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "run_schedule"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=12), name="run_schedule_months_range"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="run_schedule_hour_of_the_day"),
            models.CheckConstraint(condition=Q(action__in=ScheduleAction.values), name="run_schedule_action_known"),
            models.CheckConstraint(
                condition=Q(due_in_days__lte=LONGEST_DUE_DAYS), name="run_schedule_due_within_a_year"
            ),
            models.CheckConstraint(
                condition=Q(first_cutoff_date__gte=EARLIEST, first_cutoff_date__lt=LATEST),
                name="run_schedule_first_cutoff_in_range",
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


class ScheduleMail(models.Model):
    """What the billing group is to be told about one period of a schedule: once for each kind.

    `day` is the cutoff date of the period; of an error the day on which it came, so that one that stays is told of once
    a day.

    The row is written with what it tells of. It is claimed, sent and then noted as sent: a mail whose sender dies in
    between is sent again, so it comes at least once. `text` is plain sentences; links are added when it is sent.
    """

    schedule = models.ForeignKey(RunSchedule, on_delete=models.CASCADE, related_name="mails")
    day = models.DateField()
    kind = models.CharField(max_length=15, choices=ScheduleMailKind)
    run = models.ForeignKey("billing.BillingRun", on_delete=models.PROTECT, null=True, related_name="schedule_mails")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "schedule_mail"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "day", "kind"], name="schedule_mail_once"),
            models.CheckConstraint(condition=Q(kind__in=ScheduleMailKind.values), name="schedule_mail_kind_known"),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(claimed_at__isnull=False), name="schedule_mail_sent_was_claimed"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(sent_at__isnull=True), name="schedule_mail_to_send")]

    def __str__(self) -> str:
        return self.subject
