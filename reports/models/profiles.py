import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.triggers import touch_updated_at
from customers.models import Customer, CustomerGroup
from invoicing.models import Invoice
from reports.choices import (
    Availability,
    CallColumn,
    CallDetail,
    CustomerUsageReportPreset,
    ReportFormat,
    SplitBy,
    TransactionColumn,
    UsageReportPreset,
)


def presets(choices: type[models.TextChoices]) -> ArrayField:  # type: ignore[type-arg]
    """A list of preset values."""
    return ArrayField(models.CharField(max_length=30, choices=choices), blank=True, default=list)


@pghistory.track()
class InvoiceUsageReportProfile(models.Model):
    """The template of what usage detail goes with an invoice, from a line of summary to every call.

    It is for all customers, for one (`customer`), or for those of its groups. A historic one is offered nowhere new.
    """

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True, default="")
    availability = models.CharField(max_length=10, choices=Availability, default=Availability.STANDARD)
    is_default = models.BooleanField(
        default=False, help_text="For customers that neither have one nor a group with one."
    )
    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="own_report_profiles",
        help_text="The only customer that it is for; empty for all.",
    )
    customer_groups = models.ManyToManyField(
        CustomerGroup, blank=True, related_name="report_profiles", db_table="invoice_usage_report_profile_group"
    )
    customer_usage_reports = presets(CustomerUsageReportPreset)
    site_usage_reports = presets(UsageReportPreset)
    campaign_usage_reports = presets(UsageReportPreset)
    number_usage_reports = presets(UsageReportPreset)
    include_transaction_columns = presets(TransactionColumn)
    include_call_columns = presets(CallColumn)
    call_details = presets(CallDetail)
    formats = ArrayField(
        models.CharField(max_length=10, choices=ReportFormat),
        blank=True,
        default=list,
        help_text="PDFs and spreadsheets have all reports, files of other formats one each. If none is chosen: CSV.",
    )
    threshold_amount = models.DecimalField(
        max_digits=38,
        decimal_places=18,
        default=0,
        db_default=0,
        help_text="Call details above a threshold list the uses that cost more than this.",
    )
    splits_by = models.CharField(
        "files", max_length=6, choices=SplitBy, blank=True, default=SplitBy.NOTHING, db_default=SplitBy.NOTHING
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "invoice_usage_report_profile"
        ordering = ["name"]
        verbose_name = "invoice usage report profile"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="report_profile_one_default"
            ),
            models.CheckConstraint(
                condition=Q(availability__in=Availability.values), name="report_profile_availability_known"
            ),
            models.CheckConstraint(condition=Q(splits_by__in=SplitBy.values), name="report_profile_splits_by_known"),
            models.CheckConstraint(
                condition=Q(threshold_amount__gte=0),
                name="report_profile_threshold_not_negative",
                violation_error_message="A threshold is 0 or more.",
            ),
            *(
                models.CheckConstraint(condition=Q(**{f"{field}__contained_by": choices.values}), name=name)
                for field, choices, name in (
                    ("customer_usage_reports", CustomerUsageReportPreset, "report_profile_customer_reports_known"),
                    ("site_usage_reports", UsageReportPreset, "report_profile_site_reports_known"),
                    ("campaign_usage_reports", UsageReportPreset, "report_profile_campaign_reports_known"),
                    ("number_usage_reports", UsageReportPreset, "report_profile_number_reports_known"),
                    ("include_transaction_columns", TransactionColumn, "report_profile_transaction_columns_known"),
                    ("include_call_columns", CallColumn, "report_profile_call_columns_known"),
                    ("call_details", CallDetail, "report_profile_call_details_known"),
                    ("formats", ReportFormat, "report_profile_formats_known"),
                )
            ),
        ]
        triggers = [touch_updated_at()]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class CustomerReportProfile(models.Model):
    """The profile that a customer has of its own."""

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="report_profile")
    profile = models.ForeignKey(InvoiceUsageReportProfile, on_delete=models.PROTECT, related_name="customer_profiles")

    class Meta:
        db_table = "customer_report_profile"
        ordering = ["customer"]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.profile_id}"


@pghistory.track()
class GroupReportProfile(models.Model):
    """The profile of a group's customers that have none of their own."""

    group = models.OneToOneField(CustomerGroup, on_delete=models.PROTECT, related_name="report_profile")
    profile = models.ForeignKey(InvoiceUsageReportProfile, on_delete=models.PROTECT, related_name="group_profiles")

    class Meta:
        db_table = "customer_group_report_profile"
        ordering = ["group"]

    def __str__(self) -> str:
        return f"{self.group_id}: {self.profile_id}"


@pghistory.track()
class InvoiceReportProfile(models.Model):
    """The profile that one invoice has, whatever its customer has. Given while the invoice is a draft."""

    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, related_name="report_profile")
    profile = models.ForeignKey(InvoiceUsageReportProfile, on_delete=models.PROTECT, related_name="invoice_profiles")

    class Meta:
        db_table = "invoice_report_profile"
        ordering = ["invoice"]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.profile_id}"
