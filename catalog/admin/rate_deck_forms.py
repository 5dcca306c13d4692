"""What staff fill in for rate decks: a file, its columns, a percent."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from catalog.choices import EARLIEST_YEAR, LATEST_YEAR, DeckMode, ProductKind
from catalog.engine.deck_layout import MAPPED
from catalog.models import Product, RateDeck, TimeBand

SIGNS = [("", "As the file has it"), (".", "A point: 0.05"), (",", "A comma: 0,05")]
OFFERED_COLUMNS = 200


def checked_day(value: date) -> None:
    """Refuse a day that no price holds on."""
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        raise forms.ValidationError(f"Give a year from {EARLIEST_YEAR} to {LATEST_YEAR}.")


def holds_from() -> forms.DateField:
    """The first day of a deck's prices."""
    return forms.DateField(label="Holds from", widget=UnfoldAdminSingleDateWidget, validators=[checked_day])


def products() -> Any:
    """The products that usage is priced for."""
    return Product.objects.filter(kind=ProductKind.USAGE).order_by("code")


class UploadForm(forms.Form):
    """A price list, and from when on it holds."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV with a header line, or an Excel workbook (XLSX); gzipped or not. Its columns are named as those "
        "of an export of this card, or you say which is which on the next page.",
    )
    starts_on = holds_from()
    mode = forms.ChoiceField(
        label="Prices that it does not name", choices=DeckMode.choices, widget=UnfoldAdminSelectWidget
    )
    default_product = forms.ModelChoiceField(
        Product.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Of the lines that name no product.",
    )
    decimal_sign = forms.ChoiceField(
        label="Decimal sign", choices=SIGNS, required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["default_product"].queryset = products()  # type: ignore[attr-defined]  # the declared field's


class ColumnsForm(forms.Form):
    """Which column of a deck's file each field of a rate comes from."""

    def __init__(self, deck: RateDeck, data: Any = None) -> None:
        super().__init__(data)
        columns: Sequence[str] = [name for name in deck.columns if name][:OFFERED_COLUMNS]
        chosen: Mapping[str, str] = deck.column_mapping
        self.fields["default_product"] = forms.ModelChoiceField(
            products(),
            required=False,
            initial=deck.default_product_id,
            widget=UnfoldAdminSelectWidget,
            help_text="Of the lines that name no product.",
        )
        choices = [("", "nothing"), *((name, f"column {name}") for name in dict.fromkeys(columns))]
        for field in MAPPED:
            self.fields[field] = forms.ChoiceField(
                label=field,
                choices=choices,
                required=False,
                initial=chosen.get(field, ""),
                widget=UnfoldAdminSelectWidget,
            )

    def mapping(self) -> dict[str, str]:
        """What a valid form says; a field without a column is left out on purpose."""
        return {field: self.cleaned_data[field] for field in MAPPED}


class IncreaseForm(forms.Form):
    """A percent, and on which of the card's prices."""

    percent = forms.DecimalField(
        max_digits=9,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
        help_text="Of unit prices, connection fees and tiers; below 0 they go down. Minimum and maximum charges stay.",
    )
    starts_on = holds_from()
    round_to = forms.IntegerField(
        label="Rounded to decimals",
        required=False,
        min_value=0,
        max_value=18,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Half up. Empty: not rounded.",
    )
    product = forms.ModelChoiceField(
        Product.objects.none(), required=False, empty_label="All", widget=UnfoldAdminSelectWidget
    )
    destination_prefix = forms.RegexField(
        r"^[0-9]{0,15}$",
        label="Destinations that begin with",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"invalid": "A prefix is at most 15 digits, without + or spaces."},
    )
    region = forms.CharField(
        required=False, max_length=100, widget=UnfoldAdminTextInputWidget, help_text="Empty: those of any region."
    )
    time_band = forms.ModelChoiceField(
        TimeBand.objects.none(), required=False, empty_label="All", widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = products()  # type: ignore[attr-defined]  # the declared field's
        self.fields["time_band"].queryset = TimeBand.objects.order_by("name")  # type: ignore[attr-defined]
