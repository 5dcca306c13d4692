from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from catalog.admin.base import LargeTableAdmin, ReadOnlyAdmin, change_url, column, link
from catalog.admin.figures import exact
from invoicing.adapters.storage import StorageAway, opened
from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from reports.admin.customers import said_of
from reports.models import InvoiceReportProfile, ReportProduction, UsageReport
from reports.operations.production import ReportsConflict, make_again
from reports.queries.profiles import profiles_of
from reports.tasks import wake_producers

FILE = "reports_usagereport_file"
AGAIN = "reports_reportproduction_again"
STATE_LABELS = {"Waiting": "info", "Made": "success", "Failed": "danger"}


@admin.register(UsageReport)
class UsageReportAdmin(ReadOnlyAdmin):
    list_display = ("title", "invoice", "format", "row_count", "size", "created_at")
    list_filter = ("format",)
    list_select_related = ("invoice",)
    search_fields = ("invoice__number__startswith",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("invoice", ("title", "format"), "shown_file", ("row_count", "size"), "sha256", "created_at")
    readonly_fields = ("shown_file",)
    empty_hint = "Usage reports are made when a run's invoices are posted, as the customers' profiles say."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:report_id>/file/", view, name=FILE), *super().get_urls()]

    def file_view(self, request: HttpRequest, report_id: int) -> HttpResponseBase:
        """The file itself, to be saved."""
        report = get_object_or_404(UsageReport, pk=report_id)
        if not self.has_view_permission(request, report):
            raise PermissionDenied
        name = str(report.file.name).rpartition("/")[2]
        try:
            content = opened(partial(report.file.open, "rb"))
        except StorageAway as away:
            messages.error(request, str(away))
            return HttpResponseRedirect(change_url(report))
        except FileNotFoundError:
            messages.error(request, f"The file {name} is not where it was stored. On its invoice it is made again.")
            return HttpResponseRedirect(change_url(report))
        return FileResponse(content, as_attachment=True, filename=name)

    @column("Size")
    def size(self, report: UsageReport) -> str:
        return f"{exact(report.byte_count)} bytes"

    @column("File")
    def shown_file(self, report: UsageReport) -> Any:
        return link(reverse(f"admin:{FILE}", args=[report.pk]), str(report.file.name).rpartition("/")[2])


@admin.register(ReportProduction)
class ReportProductionAdmin(LargeTableAdmin):
    """Which invoices' usage reports wait, are made, or failed and why. What failed is made again from the invoice."""

    list_display = ("shown_invoice", "profile_name", "shown_state", "attempt_count", "error", "produced_at")
    list_filter = ("state",)
    list_select_related = ("invoice",)
    search_fields = ("invoice__number__startswith",)
    search_help_text = "Start of the invoice's number"
    fields = (
        ("shown_invoice", "profile_name"),
        ("shown_state", "produced_at"),
        ("attempt_count", "next_attempt_at"),
        "error",
        "terms",
        "created_at",
    )
    readonly_fields = ("shown_invoice", "shown_state")
    empty_hint = "Posting an invoice has its usage reports made, where its customer has a profile."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("invoice/<int:invoice_id>/again/", view, name=AGAIN), *super().get_urls()]

    def again_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """Have the reports of an invoice made again: those that failed, or those that are there, to compare."""
        invoice = get_object_or_404(Invoice, pk=invoice_id)
        if not request.user.has_perm("reports.change_reportproduction"):
            raise PermissionDenied
        if request.method == "POST":
            try:
                make_again(invoice_id=invoice.pk)
            except ReportsConflict as error:
                messages.error(request, str(error))
            else:
                wake_producers()
                messages.success(request, "The usage reports are made again.")
        return HttpResponseRedirect(change_url(invoice))

    @column("Invoice")
    def shown_invoice(self, production: ReportProduction) -> Any:
        return link(change_url(production.invoice), production.invoice)

    @column("State", label=STATE_LABELS)
    def shown_state(self, production: ReportProduction) -> str:
        return production.get_state_display()


def reports_panel(request: HttpRequest, invoice: Invoice) -> dict[str, Any]:
    """What the page of an invoice shows of its usage reports (templates/admin/reports/panel.html)."""
    may = request.user.has_perm
    panel: dict[str, Any] = {}
    if may("reports.view_usagereport"):
        reports = UsageReport.objects.filter(invoice=invoice).order_by("id")
        panel["usage_reports"] = [(report, reverse(f"admin:{FILE}", args=[report.pk])) for report in reports]
    if may("reports.view_reportproduction"):
        panel["report_production"] = ReportProduction.objects.filter(invoice=invoice).first()
    if may("reports.change_reportproduction"):
        panel["reports_again_url"] = reverse(f"admin:{AGAIN}", args=[invoice.pk])
    is_draft = invoice.state == InvoiceState.DRAFT and invoice.credited_invoice_id is None
    if is_draft and may("reports.view_invoicereportprofile"):
        panel |= _drafts_profile(request, invoice)
    return panel


def _drafts_profile(request: HttpRequest, draft: Invoice) -> dict[str, Any]:
    """The profile that a draft would be posted with, and where it is given another."""
    own = InvoiceReportProfile.objects.filter(invoice=draft).first()
    address = ""
    if own is not None:
        address = change_url(own)
    elif request.user.has_perm("reports.add_invoicereportprofile"):
        address = f"{reverse('admin:reports_invoicereportprofile_add')}?invoice={draft.pk}"
    return {
        "profile_said": said_of(profiles_of([draft.pk]).get(draft.pk), whose="the customer's"),
        "profile_url": address,
        "has_own_profile": own is not None,
    }
