from django.contrib import admin

from billing.models import RunVerification
from catalog.admin.base import ReadOnlyAdmin


@admin.register(RunVerification)
class RunVerificationAdmin(ReadOnlyAdmin):
    """Each time that the posted invoices of a run were computed again, and by whom that was asked for."""

    list_display = ("run", "asked_at", "asked_by", "finished_at", "identical_count", "invoice_count", "said")
    list_select_related = ("run", "asked_by")
    search_fields = ("run__name__istartswith",)
    fields = ("run", ("asked_at", "asked_by"), "finished_at", ("identical_count", "invoice_count"), "said")
    empty_hint = "Press Verify on the page of a billing run with posted invoices: what comes of it is kept here."
