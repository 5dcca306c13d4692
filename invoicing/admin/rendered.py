"""PDFs of documents: which wait or failed, the file itself, and the button that has one made again."""

import re
from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path

from catalog.admin.base import LargeTableAdmin, change_url, column, link
from invoicing.adapters.storage import StorageAway
from invoicing.admin.pdf_panel import AGAIN, DOWNLOAD, PDF
from invoicing.models import Invoice, RenderedInvoice
from invoicing.operations.rendering import RenderingFailed, make_again, pdf_of
from invoicing.tasks import wake_renderers

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
STATE_LABELS = {"Waiting": "info", "Made": "success", "Failed": "danger"}


@admin.register(RenderedInvoice)
class RenderedInvoiceAdmin(LargeTableAdmin):
    """PDFs of posted documents. Workers make them; what failed is made again from the document's page."""

    list_display = ("shown_invoice", "shown_state", "page_count", "byte_count", "attempt_count", "error", "rendered_at")
    list_filter = ("state",)
    list_select_related = ("invoice",)
    search_fields = ("invoice__number__startswith",)
    search_help_text = "Start of the invoice's number"
    fields = (
        ("shown_invoice", "shown_state"),
        ("page_count", "byte_count"),
        "shown_file",
        "sha256",
        "template_sha256",
        ("attempt_count", "next_attempt_at"),
        "error",
        ("rendered_at", "created_at"),
    )
    readonly_fields = ("shown_invoice", "shown_state", "shown_file")
    empty_hint = "Posting a document has its PDF made."

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("document/<int:invoice_id>/", wrap(self.pdf_view), name=PDF),
            path("document/<int:invoice_id>/again/", wrap(self.again_view), name=AGAIN),
            *super().get_urls(),
        ]

    def pdf_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """The PDF, shown by the browser, or saved where the address asks for that: of a draft a preview."""
        invoice = self._document(request, invoice_id)
        try:
            content = pdf_of(invoice)
        except RenderingFailed as failed:
            messages.error(request, str(failed))
            return HttpResponseRedirect(change_url(invoice))
        except StorageAway as away:
            return self._unavailable(request, invoice, str(away))
        name = NOT_IN_NAMES.sub("-", invoice.number or f"draft-{invoice_id}")
        shown_as = "attachment" if DOWNLOAD in request.GET else "inline"
        headers = {"Content-Disposition": f'{shown_as}; filename="{name}.pdf"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse(content, content_type="application/pdf", headers=headers)

    def again_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """Have a PDF made that failed or that there is none of."""
        invoice = self._document(request, invoice_id)
        if request.method == "POST" and request.user.has_perm("invoicing.change_renderedinvoice"):
            make_again(invoice_id=invoice.pk)
            wake_renderers()
            messages.success(request, "The PDF is made again.")
        return HttpResponseRedirect(change_url(invoice))

    def _unavailable(self, request: HttpRequest, invoice: Invoice, sentence: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"The PDF of {invoice} cannot be fetched now",
            "sentence": sentence,
            "back": change_url(invoice),
        }
        return render(
            request, "admin/invoicing/invoice/unavailable.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE
        )

    def _document(self, request: HttpRequest, invoice_id: int) -> Invoice:
        if not request.user.has_perm("invoicing.view_invoice"):
            raise PermissionDenied
        return get_object_or_404(
            Invoice.objects.select_related("customer", "currency", "credited_invoice", "legal_entity"), pk=invoice_id
        )

    @column("Document")
    def shown_invoice(self, rendered: RenderedInvoice) -> Any:
        return link(change_url(rendered.invoice), rendered.invoice)

    @column("State", label=STATE_LABELS)
    def shown_state(self, rendered: RenderedInvoice) -> str:
        return rendered.get_state_display()

    @column("File")
    def shown_file(self, rendered: RenderedInvoice) -> str:
        return rendered.file.name or "Not made yet"
