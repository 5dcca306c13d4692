from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse

from billing.admin.credit_notes import CreditingAdmin
from billing.queries.check_explanations import check_explanations
from catalog.admin.base import change_url
from invoicing.admin.documents import InvoiceAdmin as LookedAtAdmin
from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from reports.admin.rendered import reports_panel
from reports.models import InvoiceReportProfile

# So many are explained in a second or two.
EXPLAINED_CHARGES = 1_000
EXPLANATIONS = "invoicing_invoice_explanations"

admin.site.unregister(Invoice)


@admin.register(Invoice)
class InvoiceAdmin(CreditingAdmin, LookedAtAdmin):
    """The page of a document with what billing knows of it: why its charges are what they are, and its credit notes."""

    change_form_template = "admin/billing/invoice/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.explanations_view)
        return [path("<int:invoice_id>/explanations/", view, name=EXPLANATIONS), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        invoice = kwargs.get("obj")
        if invoice:
            context["explanations_url"] = reverse(f"admin:{EXPLANATIONS}", args=[invoice.pk])
            context |= self.crediting(request, invoice)
            context |= reports_panel(request, invoice)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Invoice], search_term: str) -> Any:
        """Where one is chosen to be given a report profile, drafts only: a posted one keeps its own."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        is_given = request.GET.get("model_name") == InvoiceReportProfile._meta.model_name
        return (found.filter(state=InvoiceState.DRAFT) if is_given else found), may_repeat

    def explanations_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """Explain the charges of a document, and show those that are not what they are explained to be."""
        invoice = get_object_or_404(Invoice, id=invoice_id)
        if not self.has_view_permission(request, invoice):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"Explanations of {invoice.get_kind_display().lower()} {invoice.number or '(draft)'}",
            "invoice": invoice,
            "checked": check_explanations(invoice_id=invoice.pk, limit=EXPLAINED_CHARGES),
            "back": change_url(invoice),
        }
        return render(request, "admin/billing/invoice/explanations.html", context)
