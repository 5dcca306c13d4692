"""How numbers and dates are written in a language."""

from datetime import date
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date


def locale(language: str) -> Locale:
    """The language's, English where it is not known."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def has_decimal_comma(language: str) -> bool:
    """Whether decimals are written behind a comma: fields of CSV files have semicolons between them then."""
    symbols = locale(language).number_symbols
    return bool(symbols.get("latn", symbols).get("decimal") == ",")


def number_text(number: Decimal, language: str) -> str:
    """A plain number as the language writes it, with all of its digits: 1234.5 is 1,234.5, or 1.234,5."""
    symbols = locale(language).number_symbols
    symbols = symbols.get("latn", symbols)
    whole, _, decimals = f"{number.copy_abs():f}".partition(".")
    grouped = f"{int(whole):,}".replace(",", str(symbols.get("group", ",")))
    behind = f"{symbols.get('decimal', '.')}{decimals}" if decimals else ""
    return f"{'-' if number < 0 else ''}{grouped}{behind}"


def date_text(day: date, language: str) -> str:
    """A day as the language writes it, such as 31.01.2026."""
    return str(format_date(day, format="medium", locale=locale(language)))
