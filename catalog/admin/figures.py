"""How pages for staff show amounts and quantities. Also a template library: `{% load figures %}`."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from django import template

from catalog.models import Currency

EMPTY = "-"

register = template.Library()


@register.filter
def exact(value: Decimal | int | None) -> str:
    """A number in full, with thousands separators and without the zeros that the column's scale adds: 1,234.5."""
    if value is None:
        return EMPTY
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(amount: Decimal | None, *, currency: str, minor_units: int) -> str:
    """An amount of a document in the currency's minor units, with its code: 1,234.50 EUR.

    Digits below the minor unit are shown in full, not rounded away: documents have none, sums of charges may.
    """
    if amount is None:
        return EMPTY
    in_minor_units = amount.quantize(Decimal(1).scaleb(-minor_units), rounding=ROUND_HALF_UP)
    return f"{in_minor_units:,f} {currency}" if in_minor_units == amount else f"{exact(amount)} {currency}"


@register.simple_tag
def rounded(amount: Decimal, currency: str, minor_units: Mapping[str, int]) -> str:
    """A sum of charges rounded to its currency's minor units, by code, where the digits below them say nothing."""
    return f"{amount.quantize(Decimal(1).scaleb(-minor_units[currency]), rounding=ROUND_HALF_UP):,f} {currency}"


@register.filter
def amount_in(amount: Decimal | None, currency: Currency) -> str:
    """`money` of a currency object, for templates."""
    return money(amount, currency=currency.code, minor_units=currency.minor_units)


@register.filter
def exact_in(amount: Decimal | None, currency: str) -> str:
    """An exact amount in full with its currency: 0.0194250768999525 USD."""
    return EMPTY if amount is None else f"{exact(amount)} {currency}"
