"""The forms on the pages of a usage data record: a reason, and what an adjustment changes."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from billing.queries.usage_records import service_at
from catalog.choices import ProductKind
from catalog.models import Product
from customers.models import SubscriptionAction
from usage.choices import BillingDirective
from usage.models import UsageDataRecord, UsageType

NUMBER = {"max_digits": 38, "decimal_places": 18, "widget": UnfoldAdminTextInputWidget}


class ReasonForm(forms.Form):
    """Why it is done."""

    reason = forms.CharField(max_length=2_000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def __init__(self, *args: Any, needs_reason: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason


class AdjustForm(forms.Form):
    """What a record says, to be changed. Related objects are named by identifier, code, name or number."""

    subscription_service = forms.CharField(
        label="Service", max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Its identifier."
    )
    product = forms.ModelChoiceField(
        Product.objects.filter(kind=ProductKind.USAGE),
        to_field_name="code",
        widget=UnfoldAdminTextInputWidget,
        help_text="Its code.",
        error_messages={"invalid_choice": "There is no product for usage with this code."},
    )
    usage_type = forms.ModelChoiceField(
        UsageType.objects.all(), label="Type", widget=UnfoldAdminSelectWidget, empty_label=None
    )
    subscription_action = forms.ModelChoiceField(
        SubscriptionAction.objects.all(),
        label="Action",
        required=False,
        to_field_name="number",
        widget=UnfoldAdminTextInputWidget,
        help_text="Number of the subscription action that it belongs to.",
        error_messages={"invalid_choice": "There is no action with this number."},
    )
    from_date = forms.DateTimeField(label="From", widget=UnfoldAdminTextInputWidget, help_text="In UTC.")
    to_date = forms.DateTimeField(label="To", widget=UnfoldAdminTextInputWidget, help_text="In UTC.")
    usage_amount = forms.DecimalField(label="Amount", **NUMBER)
    total_amount = forms.DecimalField(
        label="Own price", required=False, help_text="For usage that brings its price; empty: by the rates.", **NUMBER
    )
    billing_directive = forms.ChoiceField(choices=BillingDirective.choices, widget=UnfoldAdminSelectWidget)
    billing_effective_date = forms.DateField(
        widget=UnfoldAdminSingleDateWidget, help_text="Left as it is, it follows the day of the use."
    )
    destination = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)
    region = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)

    def __init__(self, data: Any, *, record: UsageDataRecord) -> None:
        for_user = {name: _own_field(name) for name in _own_names()}
        super().__init__(data, initial=_initial(record, [*self.base_fields, *for_user]))
        self.record = record
        self.fields.update(for_user)
        self.fields["reason"] = forms.CharField(
            max_length=2_000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "subscription_service" in self.changed_data and cleaned.get("subscription_service"):
            at = cleaned.get("from_date") or self.record.from_date
            service = service_at(cleaned["subscription_service"], at)
            if service is None:
                self.add_error("subscription_service", f"No service had this identifier on {at:%Y-%m-%d}.")
            cleaned["subscription_service"] = service
        return cleaned

    def main_fields(self) -> list[forms.BoundField]:
        """What every record says, in the order of the page."""
        return [self[name] for name in self.base_fields]

    def own_fields(self) -> list[forms.BoundField]:
        """The user's own fields."""
        return [self[name] for name in _own_names()]

    def uses_own_fields(self) -> bool:
        """Whether any of the user's own is filled in."""
        return any(field.value() not in {None, ""} for field in self.own_fields())

    def values(self) -> dict[str, object]:
        """What was changed, by model field."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "reason"}


def _own_names() -> Iterator[str]:
    yield from (f"udf_string_{n}" for n in range(1, 9))
    yield from (f"udf_float_{n}" for n in range(1, 5))
    yield from (f"udf_date_{n}" for n in range(1, 5))


def _own_field(name: str) -> forms.Field:
    """The field for one of the user's own."""
    if name.startswith("udf_date"):
        return forms.DateField(label=name, required=False, widget=UnfoldAdminSingleDateWidget)
    if name.startswith("udf_float"):
        return forms.DecimalField(label=name, required=False, **NUMBER)
    return forms.CharField(label=name, required=False, strip=False, widget=UnfoldAdminTextInputWidget)


def _initial(record: UsageDataRecord, names: list[str]) -> dict[str, object]:
    """The record's values as the form shows them, numbers without zeros at their end."""
    return {name: _shown(getattr(record, name)) for name in names} | {
        "subscription_service": record.subscription_service.identifier
    }


def _shown(value: object) -> object:
    if not isinstance(value, Decimal):
        return value
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
