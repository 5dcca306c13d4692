from django.contrib import admin
from django.utils.safestring import SafeString

from catalog.admin.base import LargeTableAdmin, change_url, column, link
from catalog.admin.figures import EMPTY, exact_in
from invoicing.models import PriceCorrection


@admin.register(PriceCorrection)
class PriceCorrectionAdmin(LargeTableAdmin):
    """What charges on posted invoices come to after their prices were corrected."""

    list_display = ("shown_record", "customer", "turn", "before", "after", "shown_credit", "created_at")
    list_select_related = ("customer", "charge__record", "charge__line__invoice", "credit")
    fieldsets = (
        (None, {"fields": (("shown_record", "customer"), ("turn", "invoice"))}),
        ("Amount", {"fields": (("before", "after"), ("shown_credit", "shown_new_charge"))}),
        ("Made", {"fields": (("created_at", "created_by"),)}),
    )
    readonly_fields = ("shown_record", "before", "after", "invoice", "shown_credit", "shown_new_charge")
    empty_hint = "“Price differences” drafts them, where posted invoices were charged by prices that were corrected."

    @column("Record")
    def shown_record(self, correction: PriceCorrection) -> SafeString:
        return link(change_url(correction.charge), correction.charge.record)

    @column("Invoice")
    def invoice(self, correction: PriceCorrection) -> SafeString:
        invoice = correction.charge.line.invoice
        return link(change_url(invoice), invoice)

    @column("Charged before")
    def before(self, correction: PriceCorrection) -> str:
        return exact_in(correction.amount_before, correction.charge.line.invoice.currency_id)

    @column("Comes to")
    def after(self, correction: PriceCorrection) -> str:
        return exact_in(correction.amount, correction.charge.line.invoice.currency_id)

    @column("Credit")
    def shown_credit(self, correction: PriceCorrection) -> SafeString | str:
        return EMPTY if correction.credit is None else link(change_url(correction.credit), correction.credit)

    @column("New charge")
    def shown_new_charge(self, correction: PriceCorrection) -> SafeString | str:
        charge = correction.new_charge
        return EMPTY if charge is None else link(change_url(charge), charge)
