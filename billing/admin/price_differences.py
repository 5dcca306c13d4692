"""The page that holds posted invoices against the prices of now, and drafts what settles the difference."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.admin.past_usage import PastUsageForm, card_field, customers_field, last_month, minor_units
from billing.operations.price_corrections import REASON_LENGTH, CorrectionRefused, draft_corrections
from billing.operations.price_differences import (
    SHOWN_CUSTOMERS,
    SHOWN_RECORDS,
    DifferencesRefused,
    PriceDifferences,
    price_differences,
)
from catalog.admin.base import list_url
from catalog.admin.card_links import CARD_LINKS, CardLink

PERMISSIONS = ("invoicing.view_usagecharge", "customers.view_customer")
FIELDS = {"until_day": "to_day"}

CARD_LINKS.append(
    CardLink(
        "Price differences",
        lambda card: f"{reverse('price-differences')}?rate_card={card.pk}",
        "invoicing.view_usagecharge",
    )
)


class DifferencesForm(PastUsageForm):
    """Whose posted usage of which days."""

    rate_card = card_field(
        label="Rate card", required=False, help_text="Only customers that were billed by it. Empty: by any."
    )
    customers = customers_field()

    def asked(self) -> dict[str, Any]:
        """The question as operations take it, but the customers."""
        card = self.cleaned_data["rate_card"]
        return {**self.days, "rate_card_id": card and card.pk}

    def find(self) -> PriceDifferences | None:
        """The differences; None where the question is refused, with the reason at its field."""
        try:
            return price_differences(**self.asked(), customer_ids=self.customer_ids)
        except DifferencesRefused as refused:
            self.add_error(FIELDS.get(refused.field, refused.field), str(refused))
            return None


class DraftForm(forms.Form):
    """Which customers are corrected, and why."""

    customer_id = forms.TypedMultipleChoiceField(coerce=int, required=False)
    reason = forms.CharField(
        max_length=REASON_LENGTH,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Stands on the invoice behind the credit and the new charge.",
    )

    def __init__(self, data: Any, *, customers: list[int]) -> None:
        super().__init__(data)
        chosen: Any = self.fields["customer_id"]
        chosen.choices = [(number, number) for number in customers]


def may_see(request: HttpRequest) -> bool:
    """Whether the user may see what customers were charged."""
    return request.user.has_perms(PERMISSIONS)


def may_draft(request: HttpRequest) -> bool:
    """Whether the user may give credits and charges."""
    return request.user.has_perm("invoicing.add_transaction")


def differences_page(request: HttpRequest) -> HttpResponse:
    """The form, the differences, and the button that drafts credit and charge for the customers that are ticked."""
    if not may_see(request):
        raise PermissionDenied
    is_asked = "from_day" in request.GET
    initial = last_month(timezone.localdate()) | request.GET.dict()
    form = DifferencesForm(request.GET if is_asked else None, initial=initial)
    found = form.find() if is_asked and form.is_valid() else None
    draft = DraftForm(
        request.POST or None, customers=[one.customer_id for one in found.customers] if found is not None else []
    )
    if request.method == "POST" and found is not None:
        if not may_draft(request):
            raise PermissionDenied
        if draft.is_valid() and drafted(request, form, draft):
            return HttpResponseRedirect(request.get_full_path())
    context = {
        **admin.site.each_context(request),
        "title": "Price differences",
        "form": form,
        "found": found,
        "minor_units": minor_units(),
        "draft": draft,
        "may_draft": may_draft(request),
        "shown_customers": SHOWN_CUSTOMERS,
        "shown_records": SHOWN_RECORDS,
        "corrections": list_url("invoicing_pricecorrection"),
    }
    return render(request, "admin/billing/prices/differences.html", context)


def drafted(request: HttpRequest, form: DifferencesForm, draft: DraftForm) -> bool:
    """Draft the corrections and say what was; or why not."""
    chosen = draft.cleaned_data["customer_id"]
    if not chosen:
        messages.error(request, "Tick the customers to be corrected.")
        return False
    try:
        corrections = draft_corrections(
            **form.asked(),
            customer_ids=chosen,
            reason=draft.cleaned_data["reason"],
            user_id=request.user.pk,
            at=timezone.now(),
        )
    except CorrectionRefused as refused:
        messages.error(request, str(refused))
        return False
    if corrections.transaction_count == 0:
        messages.warning(request, "There was nothing to correct any more.")
    else:
        messages.success(
            request,
            f"{corrections.transaction_count:,} transactions for {len(corrections.customers):,} "
            f"{'customer' if len(corrections.customers) == 1 else 'customers'} wait for the next invoice.",
        )
    return True
