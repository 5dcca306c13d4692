"""Amounts, quantities and dates as a language and a currency write them."""

import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Self

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import NumberPattern

# More digits than any figure has; Python's 28 would round figures of 38.
DIGITS = 80
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


@lru_cache
def locale_of(language: str) -> Locale:
    """The locale of a language code such as de, de-CH or zh_TW; English for one that is not known."""
    try:
        return Locale.parse(language.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en")


@dataclass(frozen=True, slots=True)
class Figures:
    """Writes figures; `decimals` are those of amounts in the currency."""

    locale: Locale
    currency: str
    amounts: NumberPattern
    others: NumberPattern
    is_code_first: bool

    @classmethod
    def of(cls, locale: Locale, *, currency: str, decimals: int) -> Self:
        """For a currency with so many decimals."""
        plain = locale.decimal_formats[None]
        amounts = copy.copy(plain)
        amounts.frac_prec = (decimals, decimals)
        symbol_first = locale.currency_formats["standard"].pattern.lstrip("\u200f\u200e").startswith("¤")
        return cls(locale=locale, currency=currency, amounts=amounts, others=plain, is_code_first=symbol_first)

    def amount(self, value: Decimal) -> str:
        """In the currency's decimals, without the currency."""
        return self._write(self.amounts, value, is_rounded=True)

    def money(self, value: Decimal) -> str:
        """With the currency's code, on the side on which the language has it."""
        parts = (self.currency, self.amount(value)) if self.is_code_first else (self.amount(value), self.currency)
        return NO_BREAK_SPACE.join(parts)

    def number(self, value: Decimal | int) -> str:
        """With every digit that it has, without zeros at the end."""
        return self._write(self.others, Decimal(value), is_rounded=False)

    def percent(self, value: Decimal) -> str:
        """Of 100: 19 is written 19 %."""
        return f"{self.number(value)}{NO_BREAK_SPACE}%"

    def day(self, value: date) -> str:
        """A date in the middle of the lengths that the language has."""
        return str(format_date(value, "medium", locale=self.locale))

    def month(self, value: date) -> str:
        """The month of a date, with its year."""
        return str(format_skeleton("yMMMM", value, locale=self.locale))

    def _write(self, pattern: NumberPattern, value: Decimal, *, is_rounded: bool) -> str:
        with localcontext(prec=DIGITS):
            exact = value if is_rounded else value.normalize()
            return str(pattern.apply(exact, self.locale, decimal_quantization=is_rounded))
