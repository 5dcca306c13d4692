"""What dashboards are asked for: the period, one currency, a group of customers."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import Count
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing.models.runs import EARLIEST, LATEST
from customers.models import Customer, CustomerGroup
from reports.queries.dashboards import Scope

PERIODS = (
    ("this-month", "This month"),
    ("last-month", "Last month"),
    ("12-months", "Last 12 months"),
    ("own", "Own dates"),
)
FIRST_SHOWN = "12-months"
# Longer periods are shown by month.
LONGEST_BY_DAY = 62
LONGEST_DAYS = 3_660


class DashboardForm(forms.Form):
    """Bound from the start: what the address does not say is as it is first shown.

    Groups are asked for only by who may view them.
    """

    period = forms.ChoiceField(choices=PERIODS, widget=UnfoldAdminSelectWidget)
    from_day = forms.DateField(
        label="Own dates: from", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    to_day = forms.DateField(
        label="To, this day included", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    group = forms.ModelChoiceField(
        CustomerGroup.objects.all(),
        label="Customer group",
        required=False,
        empty_label="All customers",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, data: Any, *, currencies: dict[str, int], today: date, has_groups: bool = True) -> None:
        first_shown = {"period": FIRST_SHOWN, "currency": next(iter(currencies), "")}
        super().__init__(first_shown | {name: value for name, value in data.dict().items() if value})
        self.today = today
        if not has_groups:
            del self.fields["group"]
        chosen: Any = self.fields["currency"]
        chosen.choices = [(code, code) for code in currencies]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("period") != "own":
            return given
        first, last = given.get("from_day"), given.get("to_day")
        for name, day in (("from_day", first), ("to_day", last)):
            if day is None and name not in self.errors:
                self.add_error(name, "Own dates need a first and a last day.")
            elif day is not None and not EARLIEST <= day < LATEST:
                self.add_error(name, f"Give a year from {EARLIEST.year} to {LATEST.year - 1}.")
        if first and last and last < first:
            self.add_error("to_day", "The last day is before the first.")
        elif first and last and (last - first).days >= LONGEST_DAYS:
            self.add_error("to_day", f"That is {(last - first).days + 1:,} days: ask for {LONGEST_DAYS:,} at most.")
        return given

    @property
    def scope(self) -> Scope:
        """What a valid form asks for."""
        group = self.cleaned_data.get("group")
        asked = Scope(*self._days(), self.cleaned_data["currency"], group and group.pk)
        return replace(asked, by_month=(asked.until - asked.first).days > LONGEST_BY_DAY)

    @property
    def before_first(self) -> date:
        """The first day of the period before: as many months before whole months, else as many days."""
        scope, period = self.scope, self.cleaned_data["period"]
        if period == "own":
            return max(scope.first - (scope.until - scope.first), EARLIEST)
        return months_before(scope.first, 12 if period == "12-months" else 1)

    def _days(self) -> tuple[date, date]:
        period = self.cleaned_data["period"]
        if period == "own":
            return self.cleaned_data["from_day"], self.cleaned_data["to_day"] + timedelta(days=1)
        this_month = self.today.replace(day=1)
        next_month = months_before(this_month, -1)
        if period == "12-months":
            return months_before(this_month, 11), next_month
        return (months_before(this_month, 1), this_month) if period == "last-month" else (this_month, next_month)


def months_before(first: date, months: int) -> date:
    """The first of a month so many months before that of `first`."""
    count = first.year * 12 + first.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def currencies_in_use() -> dict[str, int]:
    """The currencies of customers with their decimals, that of most customers first."""
    used = (
        Customer.objects.order_by()
        .values_list("currency_id", "currency__minor_units")
        .annotate(customer_count=Count("id"))
        .order_by("-customer_count", "currency_id")
    )
    return {code: minor_units for code, minor_units, _ in used}
