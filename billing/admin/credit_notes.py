"""On the page of a posted invoice: credit it, after a look at what would come out; drafts are posted and discarded."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from billing.operations.credit_and_rebill import CreditPreview, credit_invoice, post_credit_note, preview_credit
from billing.operations.manual_invoices import ManualInvoiceConflict, discard_manual_invoice, post_manual_invoice
from catalog.admin.base import Admin, change_url, list_url
from invoicing.choices import InvoiceKind, InvoiceState
from invoicing.models import Invoice
from invoicing.operations.credit_choices import CreditChoice, CreditConflict, CreditRefused
from invoicing.operations.credit_notes import REASON_LENGTH, discard_credit_note
from invoicing.operations.posting import PostingRefused
from invoicing.queries import is_wholly_credited

REFUSALS = (CreditConflict, CreditRefused, ManualInvoiceConflict, PostingRefused)
FIELDS = {"line_numbers": "line_numbers", "record_numbers": "record_numbers", "reason": "reason"}
SHOWN_LINES = 200
# As many as a text of line numbers may name.
MOST_LINES = 100_000
WHOLE, LINES, RECORDS = "whole", "lines", "records"


class CreditForm(forms.Form):
    """What of an invoice is credited, why, and what becomes of its usage."""

    what = forms.ChoiceField(
        label="Credit",
        choices=[(WHOLE, "All that is left of the invoice"), (LINES, "These lines"), (RECORDS, "These records")],
        initial=WHOLE,
        widget=UnfoldAdminSelectWidget,
    )
    line_numbers = forms.CharField(
        label="Lines", required=False, widget=UnfoldAdminTextInputWidget, help_text="Their numbers, such as 1, 3-5."
    )
    record_numbers = forms.CharField(
        label="Records",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Numbers of usage data records on the invoice, one a line.",
    )
    reason = forms.CharField(
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Stands on the credit note.",
    )
    gives_usage_back = forms.BooleanField(
        label="Give usage back",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Its records and transactions wait to be billed anew (credit and rebill).",
    )
    stays_draft = forms.BooleanField(
        label="Leave it as a draft",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="It is posted or discarded later. Usage can be given back when it is posted.",
    )

    def clean_line_numbers(self) -> tuple[int, ...]:
        """The numbers that a text such as "1, 3-5" names."""
        numbers: set[int] = set()
        for part in re.split(r"[,\s]+", self.cleaned_data["line_numbers"].strip()):
            if not part:
                continue
            found = re.fullmatch(r"([1-9][0-9]{0,6})(?:-([1-9][0-9]{0,6}))?", part)
            if found is None:
                raise forms.ValidationError(f"“{part[:30]}” is no line number. Write 1, 3-5.")
            first, last = int(found[1]), int(found[2] or found[1])
            if len(numbers) + last - first >= MOST_LINES:
                raise forms.ValidationError(f"Name at most {MOST_LINES:,} lines.")
            numbers.update(range(first, last + 1))
        return tuple(sorted(numbers))

    def clean_record_numbers(self) -> tuple[str, ...]:
        """One a line, each once."""
        lines = (line.strip() for line in self.cleaned_data["record_numbers"].splitlines())
        return tuple(dict.fromkeys(line for line in lines if line))

    def choice(self) -> CreditChoice:
        """What is chosen, as operations take it."""
        what = self.cleaned_data["what"]
        return CreditChoice(
            line_numbers=self.cleaned_data["line_numbers"] if what == LINES else None,
            record_numbers=self.cleaned_data["record_numbers"] if what == RECORDS else None,
        )


class CreditingAdmin(Admin):
    """Views of a document that credit it, and that post or discard drafts that no run has made."""

    def may_credit(self, request: HttpRequest) -> bool:
        """Whether the user has the buttons."""
        return request.user.has_perm("invoicing.add_invoice")

    def get_urls(self) -> list[URLPattern]:
        views = {"credit": self.credit_view, "post": self.post_view, "discard": self.discard_view}
        own = [
            path(f"<int:invoice_id>/{name}/", self.admin_site.admin_view(view), name=f"invoicing_invoice_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def crediting(self, request: HttpRequest, invoice: Invoice) -> dict[str, Any]:
        """What the document's page shows of it: its credit notes, or its invoice, and the buttons."""
        may = self.may_credit(request)
        is_posted_invoice = invoice.state == InvoiceState.POSTED and invoice.kind == InvoiceKind.INVOICE
        is_own_draft = invoice.state == InvoiceState.DRAFT and (
            invoice.is_manual or invoice.credited_invoice_id is not None
        )
        is_credited = is_posted_invoice and is_wholly_credited(invoice)
        return {
            "is_wholly_credited": is_credited,
            "credit_notes": list(invoice.credit_notes.select_related("currency").order_by("id")),
            "credit_url": _url("credit", invoice) if may and is_posted_invoice and not is_credited else None,
            "post_url": _url("post", invoice) if may and is_own_draft else None,
            "rebill_url": f"{_url('post', invoice)}?usage=back"
            if may and is_own_draft and invoice.credited_invoice_id is not None and may_rebill(request)
            else None,
            "discard_url": _url("discard", invoice) if may and is_own_draft else None,
            "credited_charges_url": list_url("invoicing_creditedcharge"),
        }

    def credit_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """The form, what would come out of it, and the button that credits."""
        invoice = get_object_or_404(Invoice.objects.select_related("currency", "customer"), id=invoice_id)
        if not self.may_credit(request):
            raise PermissionDenied
        form = CreditForm(request.POST or None)
        if not may_rebill(request):
            form.fields["gives_usage_back"].disabled = True
        preview: CreditPreview | None = None
        if request.method == "POST" and form.is_valid():
            asked = {"invoice_id": invoice.pk, "choice": form.choice(), "reason": form.cleaned_data["reason"]}
            try:
                if "credit" in request.POST:
                    return self._credited(request, form, asked)
                preview = preview_credit(**asked, at=timezone.now())
            except REFUSALS as refused:
                form.add_error(FIELDS.get(getattr(refused, "field", "")), str(refused))
        lines = invoice.lines.select_related("tax_rate").order_by("line_number")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Credit invoice {invoice}",
            "invoice": invoice,
            "form": form,
            "preview": preview,
            "lines": lines[:SHOWN_LINES],
            "line_count": lines.count(),
            "shown_lines": SHOWN_LINES,
            "currency": invoice.currency,
            "back": change_url(invoice),
        }
        return render(request, "admin/billing/invoice/credit.html", context)

    def _credited(self, request: HttpRequest, form: CreditForm, asked: dict[str, Any]) -> HttpResponse:
        note = credit_invoice(
            **asked,
            gives_usage_back=form.cleaned_data["gives_usage_back"],
            posts=not form.cleaned_data["stays_draft"],
            at=timezone.now(),
            user_id=request.user.pk,
        )
        made = "is a draft: post or discard it" if note.state == InvoiceState.DRAFT else "is posted"
        again = " What it takes back waits to be billed anew." if form.cleaned_data["gives_usage_back"] else ""
        messages.success(request, f"Credit note {note} {made}.{again}")
        return HttpResponseRedirect(change_url(note))

    def post_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """Post a draft that no run has made, after asking; `?usage=back`: and give usage back."""
        draft = get_object_or_404(Invoice, id=invoice_id)
        gives_usage_back = request.GET.get("usage") == "back"
        if gives_usage_back and not may_rebill(request):
            raise PermissionDenied
        question = "Posted documents get their numbers and never change again; a correction is a credit note."
        if gives_usage_back:
            question += " Its records and transactions wait to be billed anew."
        if request.method != "POST" or not self.may_credit(request):
            return self._ask(request, draft, f"Post {draft}?", question, "Post")
        try:
            if draft.credited_invoice_id is None:
                posted = post_manual_invoice(invoice_id=draft.pk, at=timezone.now())
            else:
                posted = post_credit_note(
                    note_id=draft.pk, gives_usage_back=gives_usage_back, at=timezone.now(), user_id=request.user.pk
                )
        except REFUSALS as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"{posted.get_kind_display()} {posted} is posted.")
        return HttpResponseRedirect(change_url(draft))

    def discard_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """Discard a draft that no run has made, after asking."""
        draft = get_object_or_404(Invoice, id=invoice_id)
        question = (
            "The draft goes, and what it was to take back stands."
            if draft.credited_invoice_id is not None
            else "The draft goes, and its transactions wait again."
        )
        if request.method != "POST" or not self.may_credit(request):
            return self._ask(request, draft, f"Discard {draft}?", question, "Discard")
        credited = draft.credited_invoice
        try:
            if credited is None:
                discard_manual_invoice(invoice_id=draft.pk)
            else:
                discard_credit_note(note_id=draft.pk)
        except REFUSALS as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(change_url(draft))
        messages.success(request, f"The draft {draft.pk} is discarded.")
        return HttpResponseRedirect(list_url("invoicing_invoice") if credited is None else change_url(credited))

    def _ask(self, request: HttpRequest, draft: Invoice, title: str, question: str, verb: str) -> HttpResponse:
        if not self.may_credit(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "question": question,
            "verb": verb,
            "verb_class": "tb-primary" if verb == "Post" else "tb-danger",
            "facts": [("Document", draft), ("Customer", draft.customer_name), ("Invoice date", draft.invoice_date)],
            "back": change_url(draft),
        }
        return render(request, "admin/confirmation.html", context)


def may_rebill(request: HttpRequest) -> bool:
    """Whether the user may give usage back: it is cancelled and made anew."""
    return request.user.has_perm("usage.change_usagedatarecord")


def _url(name: str, invoice: Invoice) -> str:
    return reverse(f"admin:invoicing_invoice_{name}", args=[invoice.pk])
