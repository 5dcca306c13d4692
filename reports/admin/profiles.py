from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from catalog.admin.base import Admin, TableInline, column
from reports.models import CustomerReportProfile, GroupReportProfile, InvoiceUsageReportProfile

AVAILABILITY_LABELS = {"Headline": "success", "Standard": "info"}


class GroupReportProfileInline(TableInline):
    model = GroupReportProfile
    autocomplete_fields = ("group",)
    fields = ("group",)
    verbose_name = "group"
    verbose_name_plural = "Groups whose customers have this profile"


@admin.register(InvoiceUsageReportProfile)
class InvoiceUsageReportProfileAdmin(Admin):
    list_display = ("name", "shown_availability", "is_default", "customer", "description")
    list_filter = ("availability", "is_default", ("customer", AutocompleteSelectFilter))
    list_select_related = ("customer",)
    search_fields = ("name__istartswith",)
    autocomplete_fields = ("customer", "customer_groups")
    fieldsets = (
        (None, {"fields": ("name", "description", ("availability", "is_default"))}),
        ("For whom", {"fields": (("customer", "customer_groups"),)}),
        (
            "Usage reports",
            {
                "fields": (
                    ("customer_usage_reports", "site_usage_reports"),
                    ("campaign_usage_reports", "number_usage_reports"),
                )
            },
        ),
        ("Details", {"fields": (("include_transaction_columns", "include_call_columns"), "call_details")}),
    )
    inlines = (GroupReportProfileInline,)
    empty_hint = "A profile says what usage detail goes with an invoice, from a line of summary to every call."

    @column("Availability", ordering="availability", label=AVAILABILITY_LABELS)
    def shown_availability(self, profile: InvoiceUsageReportProfile) -> str:
        return profile.get_availability_display()


@admin.register(CustomerReportProfile)
class CustomerReportProfileAdmin(Admin):
    list_display = ("customer", "profile")
    list_filter = (("profile", AutocompleteSelectFilter),)
    list_select_related = ("customer", "profile")
    search_fields = ("customer__account_number__startswith",)
    autocomplete_fields = ("customer", "profile")
    fields = ("customer", "profile")
    empty_hint = "Give a customer a profile of its own; others have their group's, or the default."
