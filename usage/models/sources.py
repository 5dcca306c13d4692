from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.triggers import touch_updated_at
from customers.models.customers import validate_timezone


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
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name
