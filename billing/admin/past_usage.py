"""What pages about usage that is charged already ask for: the days, whose it was, and which price list."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.models.runs import EARLIEST, LATEST
from billing.operations.rated_again import LONGEST_DAYS
from catalog.models import Currency, Rate, RateCard
from customers.models import Customer
from usage.models import UsageDataRecord

SEARCHED = {"class": "unfold-filter-autocomplete"}


def minor_units() -> dict[str, int]:
    """How many decimals sums of each currency are shown with."""
    return dict(Currency.objects.values_list("code", "minor_units"))


def card_field(*, label: str, required: bool, help_text: str) -> Any:
    """A rate card, found by typing its name."""
    related: Any = Rate._meta.get_field("rate_card")
    widget = AutocompleteSelect(related, admin.site, attrs=SEARCHED)
    return forms.ModelChoiceField(
        RateCard.objects.all(), label=label, required=required, help_text=help_text, widget=widget
    )


def customers_field() -> Any:
    """Customers, found by typing; none chosen are all."""
    related: Any = UsageDataRecord._meta.get_field("customer")
    return forms.ModelMultipleChoiceField(
        Customer.objects.all(),
        required=False,
        widget=AutocompleteSelectMultiple(related, admin.site, attrs=SEARCHED),
        help_text="Found by the start of account number or name. Empty: all.",
    )


class PastUsageForm(forms.Form):
    """Days on the customers' clocks on which usage was, both included."""

    from_day = forms.DateField(label="Used from", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    to_day = forms.DateField(label="To, this day included", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    class Media:
        js = ("admin/js/jquery.init.js", "unfold/js/select2.init.js")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        first, last = given.get("from_day"), given.get("to_day")
        for name, day in (("from_day", first), ("to_day", last)):
            if day and not EARLIEST <= day < LATEST:
                self.add_error(name, f"Give a year from {EARLIEST.year} to {LATEST.year - 1}.")
        if first and last and last < first:
            self.add_error("to_day", "The last day is before the first.")
        elif first and last and (last - first).days >= LONGEST_DAYS:
            self.add_error("to_day", f"That is {(last - first).days + 1:,} days: ask for {LONGEST_DAYS} at most.")
        return given

    @property
    def days(self) -> dict[str, Any]:
        """The days as operations take them: the last one is without."""
        return {
            "from_day": self.cleaned_data["from_day"],
            "until_day": self.cleaned_data["to_day"] + timedelta(days=1),
        }

    @property
    def customer_ids(self) -> Sequence[int] | None:
        """The customers that were chosen; None: all."""
        return [customer.pk for customer in self.cleaned_data["customers"]] or None


def last_month(today: date) -> dict[str, str]:
    """The month before this one, as the form takes it."""
    last = today.replace(day=1) - timedelta(days=1)
    return {"from_day": last.replace(day=1).isoformat(), "to_day": last.isoformat()}
