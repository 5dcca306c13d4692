from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from catalog.admin.base import Admin, TableInline, column
from catalog.operations.refusals import CatalogRefused
from customers.models import CustomerGroup
from reports.admin.preview import FIELDS, described, may_preview, preview_view
from reports.models import (
    CustomerReportProfile,
    GroupReportProfile,
    InvoiceReportProfile,
    InvoiceUsageReportProfile,
)
from reports.operations.profiles import (
    ProfileValues,
    create_profile,
    delete_profile,
    give_profile,
    take_profile,
    update_profile,
)
from reports.queries.profiles import offered

PREVIEW = "reports_invoiceusagereportprofile_preview"
# The parameter that asks for historic profiles too.
ANY = "any"
OWN_FIELDS = ("name", "description", "availability", "is_default", *FIELDS)
AVAILABILITY_LABELS = {"Headline": "success", "Standard": "info"}


class AnyProfileSelect(AutocompleteSelect):
    """Finds historic profiles too: who has one is looked for."""

    def get_url(self) -> str:
        return f"{super().get_url()}?{ANY}=1"


class AnyProfileForm(AutocompleteDropdownForm):  # type: ignore[misc]  # unfold has no type hints
    widget = AnyProfileSelect


class ProfileFilter(AutocompleteSelectFilter):  # type: ignore[misc]  # unfold has no type hints
    form_class = AnyProfileForm


class GivenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who has a profile already is said what to do about it."""

    class Meta:
        error_messages: ClassVar[dict[str, Any]] = {
            "customer": {"unique": "This customer has a profile of its own already: change that one."},
            "invoice": {"unique": "This draft has a profile of its own already: change that one."},
            "group": {"unique": "This group has another profile: take it away there first."},
        }


class GroupReportProfileInline(TableInline):
    model = GroupReportProfile
    form = GivenForm
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
        (None, {"fields": ("name", "description", "availability", "is_default")}),
        (
            "For whom",
            {
                "fields": (("customer", "customer_groups"),),
                "description": "Without a customer and without groups it is for all. A customer is given it on its own "
                "page, a group below, a single invoice on its page while it is a draft.",
            },
        ),
        (
            "Usage summed up",
            {
                "fields": (
                    ("customer_usage_reports", "site_usage_reports"),
                    ("campaign_usage_reports", "number_usage_reports"),
                ),
                "description": "Each tick is a table: of the whole customer, or of each of its sites, campaigns or "
                "numbers. PDFs draw those of groups as bars too.",
            },
        ),
        (
            "Every use",
            {
                "fields": (("call_details", "threshold_amount"), "include_call_columns"),
                "description": "Call details are lists with a row for each use. Call columns are what such a row has: "
                "with none ticked all of them, and the amount always.",
            },
        ),
        (
            "What is not usage",
            {
                "fields": ("include_transaction_columns",),
                "description": "Recurring and one-off charges, corrections and credits: with none of these columns "
                "ticked they are not listed.",
            },
        ),
        ("Files", {"fields": (("formats", "splits_by"),)}),
    )
    inlines = (GroupReportProfileInline,)
    refused_by = (CatalogRefused,)
    search_help_text = "Start of the name"
    change_form_template = "admin/reports/invoiceusagereportprofile/change_form.html"
    empty_hint = "A profile says what usage detail goes with an invoice, from a line of summary to every call."

    def get_urls(self) -> list[URLPattern]:
        return [path("preview/", self.admin_site.admin_view(self.preview_view), name=PREVIEW), *super().get_urls()]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Where one is chosen for somebody, none that is historic."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        is_given = request.GET.get("field_name") == "profile" and ANY not in request.GET
        return (offered(found) if is_given else found), may_repeat

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the reports would look like, for the form as it is filled in."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        return preview_view(request, self.get_form(request, None))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if may_preview(request) and (self.has_add_permission(request) or self.has_change_permission(request)):
            context.update(
                {"preview_url": reverse(f"admin:{PREVIEW}"), "preview_customer": described(kwargs.get("obj"))}
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:  # noqa: ARG002
        given = {name: form.cleaned_data[name] for name in OWN_FIELDS if name in form.cleaned_data}
        customer = form.cleaned_data.get("customer")
        given["customer_id"] = customer.pk if customer else None
        given["customer_group_ids"] = [group.pk for group in form.cleaned_data.get("customer_groups", ())]
        values = cast("ProfileValues", given)
        saved = update_profile(profile_id=obj.pk, changes=values) if change else create_profile(values=values)
        # The form's object becomes the saved profile: what follows the save (its groups, its log entry) asks for it.
        obj.__dict__.update(saved.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:  # noqa: ARG002
        """Give the profile to the groups that were added, and take it from those that were taken away."""
        # What Django would note of rows that it saved itself.
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        taken = formset.deleted_forms
        changed = [row for row in formset.forms if row.has_changed() and row not in taken]
        had = [row.initial["group"] for row in [*taken, *changed] if "group" in row.initial]
        for group in CustomerGroup.objects.filter(pk__in=had):
            take_profile(profile_id=form.instance.pk, group=group)
        for row in changed:
            give_profile(profile_id=form.instance.pk, group=row.cleaned_data["group"])

    def delete_model(self, request: HttpRequest, obj: Any) -> None:  # noqa: ARG002
        delete_profile(profile_id=obj.pk)

    @column("Availability", ordering="availability", label=AVAILABILITY_LABELS)
    def shown_availability(self, profile: InvoiceUsageReportProfile) -> str:
        return profile.get_availability_display()


class GivenProfileAdmin(Admin):
    """Who has a profile of its own: given, changed and taken away by the operation, which refuses in words.

    `whose` names the field of who has it; that stays as it is.
    """

    whose: ClassVar[str]
    form = GivenForm
    refused_by = (CatalogRefused,)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return (self.whose,) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:  # noqa: ARG002
        whose = getattr(obj, self.whose)
        give_profile(profile_id=obj.profile_id, **{self.whose: whose})
        obj.__dict__.update(self.model.objects.get(**{self.whose: whose}).__dict__)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:  # noqa: ARG002
        take_profile(profile_id=obj.profile_id, **{self.whose: getattr(obj, self.whose)})


@admin.register(CustomerReportProfile)
class CustomerReportProfileAdmin(GivenProfileAdmin):
    whose = "customer"
    list_display = ("customer", "profile")
    list_filter = (("profile", ProfileFilter),)
    list_select_related = ("customer", "profile")
    search_fields = ("customer__account_number__startswith",)
    autocomplete_fields = ("customer", "profile")
    fields = ("customer", "profile")
    empty_hint = "Give a customer a profile of its own; others have their group's, or the default."


@admin.register(InvoiceReportProfile)
class InvoiceReportProfileAdmin(GivenProfileAdmin):
    whose = "invoice"
    list_display = ("invoice", "profile")
    list_filter = (("profile", ProfileFilter),)
    list_select_related = ("invoice", "profile")
    search_fields = ("invoice__number__startswith",)
    autocomplete_fields = ("invoice", "profile")
    fields = ("invoice", "profile")
    empty_hint = "Give a draft invoice a profile of its own; others have their customer's."
