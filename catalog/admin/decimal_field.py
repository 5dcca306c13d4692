"""Decimals in forms, as people write them."""

from decimal import Decimal
from typing import Any

from django import forms


class PlainDecimalField(forms.DecimalField):
    """Shows what is stored without the zeros that the column's scale adds: 0.005, where the database gives
    0.005000000000000000, and 0, where Python writes 0E-18.
    """

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Decimal) or not value.is_finite():
            return value
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
