from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.admin.base import LargeTableAdmin, change_url, column, link
from catalog.admin.figures import exact_in
from invoicing.models import CreditedCharge


@admin.register(CreditedCharge)
class CreditedChargeAdmin(LargeTableAdmin):
    """Charges that credit notes took back. Reached from a line of a credit note, or searched by a record's number."""

    list_display = ("record", "shown_amount", "invoice", "credit_note")
    list_select_related = ("charge__record", "charge__line__invoice", "line__invoice")
    search_fields = ("charge__record__number",)
    search_help_text = "The whole number of a record"
    fields = (("record", "shown_amount"), ("invoice", "credit_note"))
    readonly_fields = ("record", "shown_amount", "invoice", "credit_note")
    empty_hint = "Credit a posted invoice: it lists here which charges were taken back."

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # What the link on a credit note asks for; an index serves it.
        return lookup == "line__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[CreditedCharge], search_term: str) -> Any:  # noqa: ARG002
        term = search_term.strip()
        return (queryset.filter(charge__record__number=term) if term else queryset), False

    @column("Record")
    def record(self, credited: CreditedCharge) -> SafeString:
        return link(change_url(credited.charge.record), credited.charge.record)

    @column("Amount taken back")
    def shown_amount(self, credited: CreditedCharge) -> str:
        return exact_in(credited.charge.amount, credited.line.invoice.currency_id)

    @column("Charged on")
    def invoice(self, credited: CreditedCharge) -> SafeString:
        line = credited.charge.line
        return link(change_url(line.invoice), f"{line.invoice}, line {line.line_number}")

    @column("Credited by")
    def credit_note(self, credited: CreditedCharge) -> SafeString:
        return link(change_url(credited.line.invoice), f"{credited.line.invoice}, line {credited.line.line_number}")
