import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models.fields import CurrentTransactionId, TransactionIdField
from catalog.models.triggers import touch_updated_at

# 1 is Monday, 7 is Sunday, 8 is a public holiday, which is none of the others.
DAYS = range(1, 9)


@pghistory.track()
class TimeBand(models.Model):
    """Hours of the week by name (peak, off-peak), which rates may be for. Its hours are rows of `TimeBandHours`."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "time_band"
        ordering = ["name"]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class TimeBandHours(models.Model):
    """Hours of a time band: on these days, from `start_time` on, before `end_time`; no end is midnight.

    Local times of the customer or of the rate card, whichever the card says, by whole minutes. On a public holiday of
    the card's country only hours of day 8 hold. A rate is for the hours that its band has: they do not change any more.
    """

    time_band = models.ForeignKey(TimeBand, on_delete=models.CASCADE, related_name="hours")
    days = ArrayField(models.PositiveSmallIntegerField(), help_text="1 is Monday, 7 is Sunday, 8 is a public holiday.")
    start_time = models.TimeField()
    end_time = models.TimeField(null=True, blank=True, help_text="Empty: until midnight.")

    class Meta:
        db_table = "time_band_hours"
        ordering = ["time_band", "days", "start_time"]
        verbose_name_plural = "hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(end_time__isnull=True) | Q(end_time__gt=F("start_time")),
                name="time_band_ends_after_start",
                violation_error_message="The end is after the start; hours over midnight are two rows.",
            ),
            models.CheckConstraint(
                condition=Q(days__contained_by=list(DAYS)) & Q(days__len__gt=0),
                name="time_band_days_known",
                violation_error_message="Hours are for one day or more: 1 (Monday) to 7 (Sunday), 8 (public holidays).",
            ),
            models.CheckConstraint(
                condition=Q(start_time__second=0) & (Q(end_time__isnull=True) | Q(end_time__second=0)),
                name="time_band_whole_minutes",
                violation_error_message="Hours start and end at whole minutes.",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keep_hours",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("used", "text")],
                func="""
                SELECT b.name INTO used FROM time_band b
                WHERE b.id IN (OLD.time_band_id, NEW.time_band_id)
                  AND EXISTS (SELECT FROM rate r WHERE r.time_band_id = b.id);
                IF used IS NOT NULL THEN
                  RAISE EXCEPTION 'Rates are for the time band % as it is: make another band.', used
                    USING ERRCODE = 'restrict_violation';
                END IF;
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.start_time:%H:%M} to {self.end_time or '24:00'}"


@pghistory.track(exclude=["created_in"])
class PublicHoliday(models.Model):
    """A public holiday of a country (ISO 3166-1, two letters).

    `created_in` is the transaction that wrote it: a billing run that was commenced before does not see it.
    """

    country = models.CharField(max_length=2)
    day = models.DateField()
    name = models.CharField(max_length=200)
    created_in = TransactionIdField(db_default=CurrentTransactionId(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "public_holiday"
        ordering = ["country", "day"]
        constraints = [
            models.UniqueConstraint(
                fields=["country", "day"],
                name="public_holiday_once",
                violation_error_message="That day is a public holiday of this country already.",
            ),
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"),
                name="public_holiday_country_is_iso",
                violation_error_message="A country is two capital letters, such as DE.",
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return f"{self.day} {self.name} ({self.country})"
