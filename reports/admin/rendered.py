from django.contrib import admin

from catalog.admin.base import ReadOnlyAdmin, column
from catalog.admin.figures import exact
from reports.models import UsageReport


@admin.register(UsageReport)
class UsageReportAdmin(ReadOnlyAdmin):
    list_display = ("title", "invoice", "format", "size", "created_at")
    list_filter = ("format",)
    list_select_related = ("invoice",)
    search_fields = ("invoice__number__startswith",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("invoice", ("title", "format"), "file", ("size", "sha256"), "created_at")
    empty_hint = "Usage reports are made when a run's invoices are posted, as the customers' profiles say."

    @column("Size")
    def size(self, report: UsageReport) -> str:
        return f"{exact(report.byte_count)} bytes"
