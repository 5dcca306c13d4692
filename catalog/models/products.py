import pghistory
from django.db import models
from django.db.models.functions import Now

from catalog.choices import ProductKind
from catalog.models.triggers import never_emptied, touch_updated_at


@pghistory.track()
class Product(models.Model):
    """What is sold. Usage records and rates name it by `code`; group and line are how invoices sort it."""

    code = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=ProductKind, default=ProductKind.USAGE)
    product_group = models.CharField(max_length=100, blank=True, default="")
    product_line = models.CharField(max_length=100, blank=True, default="")
    is_prorated = models.BooleanField(
        "prorated in the first month",
        default=False,
        db_default=False,
        help_text="In the month in which a subscription or service starts, included quantities are for the days left.",
    )
    description = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "product"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(code=""), name="product_code_not_empty"),
            models.CheckConstraint(condition=models.Q(kind__in=ProductKind.values), name="product_kind_known"),
        ]
        triggers = [touch_updated_at(), never_emptied()]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
