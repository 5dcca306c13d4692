"""Who sells, how its documents look, and who sells to which customer."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from unfold.widgets import UnfoldAdminTextareaWidget

from catalog.admin.base import Admin, ReadOnlyInline, change_url, column
from invoicing.adapters.layouts import LOGO_TYPES, LayoutMissing, layout_of, layout_with
from invoicing.adapters.pdf import LayoutRefused
from invoicing.adapters.sample import sample
from invoicing.adapters.words import languages
from invoicing.models import CustomerInvoicing, LegalEntity, NumberSeries
from invoicing.operations.legal_entities import add_number_series

SAMPLE = "invoicing_legalentity_sample"
LARGEST_LOGO_BYTES = 1024**2


class LegalEntityForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Tries logo and layout with a sample, so that what cannot be set is said here and not when invoices go out."""

    class Meta:
        model = LegalEntity
        fields = "__all__"  # noqa: DJ007  the admin names the fields
        widgets = {
            "template": UnfoldAdminTextareaWidget(attrs={"rows": 16, "class": "font-mono", "spellcheck": "false"})
        }

    def clean_logo(self) -> Any:
        logo = self.cleaned_data["logo"]
        if isinstance(logo, UploadedFile):
            if not (logo.name or "").lower().endswith(LOGO_TYPES):
                raise forms.ValidationError(f"A logo is a picture of one of these types: {', '.join(LOGO_TYPES)}.")
            if (logo.size or 0) > LARGEST_LOGO_BYTES:
                raise forms.ValidationError(f"A logo has at most {LARGEST_LOGO_BYTES:,} bytes: it is in every PDF.")
        return logo

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        entity = LegalEntity(**{name: value for name, value in cleaned.items() if name != "logo"})
        source = entity.template
        try:
            logo = self._logo(entity, cleaned.get("logo"))
        except OSError:
            self.add_error("logo", "The logo is not in the storage any more: upload it again.")
            return cleaned
        for template, field in (("", "logo"), (source, "template")):
            entity.template = template
            try:
                sample(entity).pdf(layout_with(entity, language="en", logo=logo))
            except LayoutRefused as refused:
                self.add_error(field, str(refused))
                break
        return cleaned

    def _logo(self, entity: LegalEntity, given: Any) -> bytes | None:
        """The bytes of the logo as it will be: just uploaded, or stored before."""
        if not given:
            return None
        entity.logo.name = given.name
        if isinstance(given, UploadedFile):
            given.seek(0)
            content: bytes = given.read()
            given.seek(0)
            return content
        with given.open("rb") as file:
            stored: bytes = file.read()
        return stored


class NumberSeriesInline(ReadOnlyInline):
    """Its numbers; each is changed on its own page."""

    model = NumberSeries
    fields = ("kind", "prefix", "digits", "next_number")
    readonly_fields = fields


@admin.register(LegalEntity)
class LegalEntityAdmin(Admin):
    """Sellers."""

    form = LegalEntityForm
    list_display = ("code", "name", "country", "vat_number", "is_default", "samples")
    search_fields = ("code", "name")
    empty_hint = "Who issues your invoices: name, address, VAT number and bank. One of them is the default."
    fieldsets = (
        (None, {"fields": (("code", "name"), "address", ("country", "vat_number"), "registration", "is_default")}),
        ("How to reach and to pay it", {"fields": (("email", "phone"), "website", "payment_details")}),
        ("How its documents look", {"fields": ("logo", "template", "samples")}),
    )
    readonly_fields = ("samples",)
    inlines = (NumberSeriesInline,)

    def get_inlines(self, request: HttpRequest, obj: LegalEntity | None) -> Any:  # noqa: ARG002
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: LegalEntity, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            add_number_series(legal_entity_id=obj.pk)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        sample = path("<int:entity_id>/sample/<slug:language>/", wrap(self.sample_view), name=SAMPLE)
        return [sample, *super().get_urls()]

    @column("Sample document")
    def samples(self, entity: LegalEntity) -> Any:
        if entity.pk is None:
            return "Once it is saved."
        addresses = [(reverse(f"admin:{SAMPLE}", args=[entity.pk, code]), code) for code in languages()]
        return format_html_join(" · ", '<a class="tb-link" href="{}">{}</a>', addresses)

    def sample_view(self, request: HttpRequest, entity_id: int, language: str) -> HttpResponse:
        """A sample document in its layout."""
        entity = get_object_or_404(LegalEntity, pk=entity_id)
        if not self.has_view_permission(request, entity):
            raise PermissionDenied
        try:
            content = sample(entity, language=language).pdf(layout_of(entity, language=language))
        except (LayoutRefused, LayoutMissing) as refused:
            self.message_user(request, str(refused), level="ERROR")
            return HttpResponseRedirect(change_url(entity))
        return HttpResponse(content, content_type="application/pdf")


@admin.register(CustomerInvoicing)
class CustomerInvoicingAdmin(Admin):
    """Which seller a customer buys from, and how its documents are sent."""

    list_display = ("shown_customer", "legal_entity", "channel", "sends_link")
    list_display_links = ("shown_customer",)
    list_filter = ("legal_entity", "channel")
    list_select_related = ("customer", "legal_entity")
    autocomplete_fields = ("customer", "legal_entity")
    search_fields = ("customer__account_number__startswith",)
    search_help_text = "Start of the customer's account number"
    fields = ("customer", "legal_entity", ("channel", "sends_link"))
    empty_hint = "Customers without an entry here buy from the default legal entity."

    @column("Customer")
    def shown_customer(self, invoicing: CustomerInvoicing) -> str:
        return str(invoicing.customer)
