"""In the list of transactions: a new invoice from those that are ticked, after asking for its dates."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSingleDateWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from billing.operations.manual_invoices import ManualInvoiceConflict, ManualInvoiceRefused, create_manual_invoice
from catalog.admin.base import change_url, list_url
from catalog.engine.money import exact_sum
from invoicing.admin.transactions import TransactionAdmin as LookedAtAdmin
from invoicing.models import Transaction
from invoicing.operations.posting import PostingRefused

NEW_INVOICE = "invoicing_transaction_new_invoice"
ID = re.compile(r"[1-9][0-9]{0,17}")
# As many as the list shows on its pages and an address holds.
MOST_SELECTED = 500

admin.site.unregister(Transaction)


class ManualInvoiceForm(forms.Form):
    """What the invoice says besides its transactions."""

    invoice_date = forms.DateField(widget=UnfoldAdminSingleDateWidget, help_text="Also its tax point.")
    due_date = forms.DateField(
        required=False, widget=UnfoldAdminSingleDateWidget, help_text="Empty: by the customer's terms."
    )
    message = forms.CharField(
        max_length=5_000,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Empty: the customer's own.",
    )
    posts = forms.BooleanField(
        label="Post it at once",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Posted, it never changes again. Else it is a draft, to look at first.",
    )


@admin.action(description="New invoice from transactions")
def new_invoice(model_admin: Any, request: HttpRequest, queryset: QuerySet[Transaction]) -> HttpResponse | None:  # noqa: ARG001
    """To the page that asks for the dates."""
    ids = list(queryset.order_by("id").values_list("pk", flat=True)[: MOST_SELECTED + 1])
    if len(ids) > MOST_SELECTED:
        messages.error(request, f"Select at most {MOST_SELECTED} transactions for one invoice.")
        return None
    return HttpResponseRedirect(f"{reverse(f'admin:{NEW_INVOICE}')}?transactions={','.join(map(str, ids))}")


@admin.register(Transaction)
class TransactionAdmin(LookedAtAdmin):
    """The list of transactions with what billing makes of them by hand."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """For those who may add invoices."""
        if not may_invoice(request):
            return {}
        return {"new_invoice": (new_invoice, "new_invoice", "New invoice from transactions")}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.new_invoice_view)
        return [path("new-invoice/", view, name=NEW_INVOICE), *super().get_urls()]

    def new_invoice_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the dates of an invoice of the transactions `?transactions=1,2,3`; posted, make it."""
        if not may_invoice(request):
            raise PermissionDenied
        ids = [int(part) for part in request.GET.get("transactions", "").split(",") if ID.fullmatch(part)]
        chosen = Transaction.objects.filter(pk__in=ids[:MOST_SELECTED]).order_by("id")
        transactions = list(chosen.select_related("customer", "currency", "product", "tax_rate"))
        back = list_url("invoicing_transaction", billed="no")
        fault = fault_of(transactions)
        if fault:
            messages.error(request, fault)
            return HttpResponseRedirect(back)
        form = ManualInvoiceForm(request.POST or None, initial={"invoice_date": timezone.localdate()})
        if request.method == "POST" and form.is_valid():
            try:
                return made(request, form, transactions)
            except (ManualInvoiceConflict, ManualInvoiceRefused, PostingRefused) as refused:
                field = getattr(refused, "field", "")
                form.add_error(field if field in form.fields else None, str(refused))
        first = transactions[0]
        context = {
            **self.admin_site.each_context(request),
            "title": "New invoice from transactions",
            "form": form,
            "customer": first.customer,
            "transactions": transactions,
            "sum": exact_sum(each.amount for each in transactions),
            "currency": first.currency_id,
            "back": back,
        }
        return render(request, "admin/billing/invoice/from_transactions.html", context)


def fault_of(transactions: list[Transaction]) -> str:
    """Why there can be no invoice of these; empty where there can."""
    if not transactions:
        return "No transaction was selected."
    customers = sorted({each.customer.account_number for each in transactions})
    if len(customers) > 1:
        return f"They are of several customers ({', '.join(customers[:5])}): an invoice is of one. Filter by customer."
    billed = [each for each in transactions if each.invoice_line_id is not None]
    return f"“{billed[0]}” is on an invoice already: select transactions that wait." if billed else ""


def made(request: HttpRequest, form: ManualInvoiceForm, transactions: list[Transaction]) -> HttpResponse:
    """Make the invoice, and go to it."""
    invoice = create_manual_invoice(
        customer_id=transactions[0].customer_id,
        transaction_ids=[each.pk for each in transactions],
        invoice_date=form.cleaned_data["invoice_date"],
        due_date=form.cleaned_data["due_date"],
        message=form.cleaned_data["message"] or None,
        posts=form.cleaned_data["posts"],
        at=timezone.now(),
    )
    count = "1 transaction" if len(transactions) == 1 else f"{len(transactions):,} transactions"
    messages.success(request, f"{invoice.get_kind_display()} {invoice} is made of {count}.")
    return HttpResponseRedirect(change_url(invoice))


def may_invoice(request: HttpRequest) -> bool:
    """Whether the user may make documents."""
    return request.user.has_perm("invoicing.add_invoice")
