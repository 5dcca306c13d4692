from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.fields import validate_timezone
from catalog.models.triggers import touch_updated_at
from usage.choices import DecimalSign, Delimiter


class UsageType(models.Model):
    """A kind of use (a call, a message, storage) and the unit that it is counted in."""

    name = models.CharField(max_length=100, unique=True)
    alternative_code = models.CharField(max_length=100, blank=True, default="")
    description = models.TextField(blank=True, default="")
    unit = models.CharField(
        max_length=50, blank=True, default="", help_text="What an amount of 1 is: second, GB, request."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "usage_type"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["alternative_code"], condition=~Q(alternative_code=""), name="usage_type_alternative_code_once"
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


class SourceSystem(models.Model):
    """Who sends usage, and how its files are to be read. Record numbers are unique within a source system.

    `column_mapping` gives, for a field of a usage data record, a template over the columns of the source's files:
    `{Column}` is a column's value, `{A|B}` the first of the two that is not empty, all else stands as it is. A field
    that is not mapped is read from the column of its own name. `null_text` is how the files spell "nothing".
    `date_format` is a pattern of `usage.engine.date_format`; empty: ISO 8601. `drop_folder` is the name of its folder
    below the setting USAGE_DROP_FOLDER; files that are put there are taken in.
    """

    name = models.CharField(max_length=100, unique=True)
    alternative_code = models.CharField(max_length=100, blank=True, default="")
    description = models.TextField(blank=True, default="")
    default_usage_type = models.ForeignKey(
        UsageType, on_delete=models.PROTECT, null=True, blank=True, related_name="source_systems"
    )
    timezone = models.CharField(
        max_length=64, default="UTC", validators=[validate_timezone], help_text="Of times that do not name their own."
    )
    column_mapping = models.JSONField(blank=True, default=dict)
    null_text = models.CharField(max_length=20, blank=True, default="")
    delimiter = models.CharField(max_length=1, choices=Delimiter, default=Delimiter.COMMA)
    decimal_sign = models.CharField(max_length=1, choices=DecimalSign, default=DecimalSign.POINT)
    date_format = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text="Such as DD.MM.YYYY hh:mm:ss; epoch or epoch_ms for seconds or milliseconds since 1970. "
        "Empty: ISO 8601, such as 2026-01-31T23:59:59Z.",
    )
    drop_folder = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="Name of a folder below the drop folder of this installation: files put there are taken in.",
    )
    has_consecutive_numbers = models.BooleanField(
        "numbers count up by one",
        default=False,
        help_text="Its record numbers end in digits that count up without holes: "
        "a hole means that records are missing.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "source_system"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["alternative_code"],
                condition=~Q(alternative_code=""),
                name="source_system_alternative_code_once",
            ),
            models.UniqueConstraint(
                fields=["drop_folder"], condition=~Q(drop_folder=""), name="source_system_drop_folder_once"
            ),
            # One plain name: what is below the drop folder stays there.
            models.CheckConstraint(
                condition=Q(drop_folder="") | Q(drop_folder__regex=r"^[A-Za-z0-9_][A-Za-z0-9._ -]*$"),
                name="source_system_drop_folder_plain",
                violation_error_message="A folder's name: letters, digits, point, dash, underscore and space; "
                "no slash.",
            ),
            models.CheckConstraint(condition=Q(delimiter__in=Delimiter.values), name="source_system_delimiter_known"),
            models.CheckConstraint(
                condition=Q(decimal_sign__in=DecimalSign.values), name="source_system_decimal_sign_known"
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name
