"""Forms for prices: every term with a label and a help that say what it does."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from catalog.admin.figures import exact
from catalog.engine.rates import Tier
from catalog.models import Rate, RateTier
from catalog.operations.rates import TERMS

LABELS = {
    "destination_prefix": "Prefix",
    "destination_name": "Destination",
    "pricing_model": "Price is",
    "unit_price": "Price",
    "unit_size": "For so many units",
    "minimum_quantity": "Minimum quantity",
    "first_increment": "First step",
    "increment": "Following steps",
    "minimum_charge": "Costs at least",
    "maximum_charge": "Costs at most",
    "included_quantity": "Free in each month",
    "counted_per": "Counted per",
    "rounding_digits": "Round to decimals",
    "rounding_mode": "Rounding",
    "start_date": "From",
    "end_date": "Until",
}
HELP = {
    "region": "Exactly as records name it. Empty: every region.",
    "destination_prefix": (
        "Digits that the destination begins with, such as 4477: the longest one wins. Empty: all destinations."
    ),
    "destination_name": "What people call it, such as UK mobile.",
    "time_band": "Only uses that start in its hours. Empty: at any time.",
    "pricing_model": (
        "Per unit: the same price for each. Graduated and volume: by the tiers below. Package: a price for each block "
        "of so many units, whole blocks only."
    ),
    "unit_price": "In the currency of the rate card. With tiers: the price up to the first of them.",
    "unit_size": "60 for a price per minute where usage is in seconds; the size of a block for packages.",
    "connection_fee": "Of each use, whatever its quantity.",
    "minimum_quantity": "A shorter use is billed as this much.",
    "first_increment": "The first step, such as 30 of 30/6. Empty: as the following ones.",
    "increment": "Quantities are billed in whole steps of this, such as 6 of 30/6. Empty: exactly.",
    "minimum_charge": "Of each use, fee included. Empty: no limit.",
    "maximum_charge": "Of each use, fee included. Empty: no limit.",
    "included_quantity": "Used before anything is charged for.",
    "counted_per": "Whose usage of a month counts together for tiers, packages and the free quantity.",
    "rounding_digits": "Of the amount of each use. Empty: it is kept exactly, and the document is rounded.",
    "start_date": "First day on which it holds, in the customer's time zone.",
    "end_date": "First day on which it no longer holds. Empty: until further notice.",
}
LABELS_OF_TIERS = {"from_quantity": "Above", "unit_price": "Price"}


def plain_values(rate: Rate, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields as a person would type them: without the zeros of the column's scale."""
    values = {name: getattr(rate, name) for name in names}
    return {
        name: exact(value).replace(",", "") if hasattr(value, "as_tuple") else value for name, value in values.items()
    }


class RateForm(forms.ModelForm):  # type: ignore[type-arg]  # as the admin's own forms
    """A rate. Whether another version is in the way is left to the operation, which says which one."""

    class Meta:
        model = Rate
        fields = ("destination_name", *TERMS, "start_date")
        labels = LABELS
        help_texts = HELP

    def _get_validation_exclusions(self) -> set[str]:
        # Without the card there is no overlap to look for; the field itself has been checked.
        return {*super()._get_validation_exclusions(), "rate_card"}  # type: ignore[misc]  # not in the stubs

    def clean_destination_prefix(self) -> str:
        prefix = str(self.cleaned_data["destination_prefix"])
        if prefix and not (prefix.isascii() and prefix.isdecimal()):
            raise forms.ValidationError("A prefix has digits only, without + or spaces.")
        return prefix


class RateTierForm(forms.ModelForm):  # type: ignore[type-arg]  # as the admin's own forms
    """A tier of a rate that is being added."""

    class Meta:
        model = RateTier
        fields = ("from_quantity", "unit_price")
        labels = LABELS_OF_TIERS


def decimal_field(label: str) -> forms.DecimalField:
    """A price or a quantity, of up to 18 decimals."""
    return forms.DecimalField(
        label=label,
        required=False,
        max_digits=38,
        decimal_places=18,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "aria-label": label}),
    )


class TierForm(forms.Form):
    """One tier; a row that is left empty is none."""

    from_quantity = decimal_field(LABELS_OF_TIERS["from_quantity"])
    unit_price = decimal_field(LABELS_OF_TIERS["unit_price"])

    def clean(self) -> None:
        super().clean()
        given = [self.cleaned_data.get(name) is not None for name in LABELS_OF_TIERS]
        if any(given) and not all(given) and not self.errors:
            raise forms.ValidationError("A tier has both: where it starts, and its price.")


def tiers_of(rows: Any) -> list[Tier]:
    """The tiers of the valid forms of a formset, by their quantities; empty rows and deleted ones are left out."""
    filled = [form.cleaned_data for form in rows.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
    given = [Tier(row["from_quantity"], row["unit_price"]) for row in filled if row.get("from_quantity") is not None]
    return sorted(given, key=lambda tier: tier.from_quantity)
