"""The page of an account receivable: what it owes by its documents, and its statement between two days."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSingleDateWidget

from customers.admin.customers import AccountsReceivableAdmin as LookedAtAdmin
from customers.models import AccountsReceivable
from invoicing.queries.receivables import account_balance, account_statement

STATEMENT_DAYS = 365

admin.site.unregister(AccountsReceivable)


class StatementForm(forms.Form):
    """The days of the statement, both included."""

    from_day = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget)
    to_day = forms.DateField(label="To", widget=UnfoldAdminSingleDateWidget)

    def clean(self) -> dict[str, Any]:
        days = super().clean() or {}
        if days.get("from_day") and days.get("to_day") and days["to_day"] < days["from_day"]:
            self.add_error("to_day", "It is before the first day.")
        return days


@admin.register(AccountsReceivable)
class AccountsReceivableAdmin(LookedAtAdmin):
    """The page of an account with its balance and its statement."""

    change_form_template = "admin/invoicing/accountsreceivable/change_form.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        account = kwargs.get("obj")
        if account and request.user.has_perm("invoicing.view_invoice"):
            asked = "from_day" in request.GET
            today = timezone.localdate()
            initial = {"from_day": date.fromordinal(today.toordinal() - STATEMENT_DAYS), "to_day": today}
            form = StatementForm(request.GET if asked else initial)
            context["statement_form"] = form
            context["balances"] = balances = account_balance(account.pk)
            context["minor_units"] = {each.currency: each.minor_units for each in balances}
            if form.is_valid():
                context["statements"] = account_statement(account.pk, **form.cleaned_data)
        return super().render_change_form(request, context, *args, **kwargs)
