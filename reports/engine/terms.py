"""By what the reports of one invoice are made, and which reports that gives."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from reports.engine.columns import CALL_COLUMNS, GROUPS, MEASURES, RATE_UNIT, SINGLED_OUT, TRANSACTION_COLUMNS, Column
from reports.engine.wording import word

CUSTOMER, SITE, CAMPAIGN, NUMBER, CALLS, TRANSACTIONS = (
    *("customer", "site", "campaign", "number"),
    *("calls", "transactions"),
)
ABOUT = {CUSTOMER: "Customer", SITE: "Sites", CAMPAIGN: "Campaigns", NUMBER: "Numbers", CALLS: "Usage"}
PARTS = {SITE: CALL_COLUMNS["Site"], CAMPAIGN: CALL_COLUMNS["Campaign"], NUMBER: CALL_COLUMNS["Number"]}
# How presets are written in a title.
TITLES = {"Above Threshold": "Above a threshold", "Chargeable Only": "Chargeable only"}
SINGLING_OUT = ("Longest Uses", "Most Expensive Uses")
# Call details that are all of the calls, in the order of what they name, which stands in the first column.
ORDERED_BY = {"By Number": CALL_COLUMNS["Number"], "By Site": CALL_COLUMNS["Site"]}


@dataclass(frozen=True, slots=True)
class Terms:
    """The choices of a profile, and the customer's time zone, language and privacy."""

    customer_usage_reports: tuple[str, ...] = ()
    site_usage_reports: tuple[str, ...] = ()
    campaign_usage_reports: tuple[str, ...] = ()
    number_usage_reports: tuple[str, ...] = ()
    include_transaction_columns: tuple[str, ...] = ()
    include_call_columns: tuple[str, ...] = ()
    call_details: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    threshold_amount: Decimal = Decimal(0)
    splits_by: str = ""
    timezone: str = "UTC"
    language: str = "en"
    masks_numbers: bool = False

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Terms":
        """Terms as `to_json` wrote them; what it did not know yet has its default."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        values["threshold_amount"] = Decimal(str(stored.get("threshold_amount", "0")))
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"threshold_amount": str(self.threshold_amount)}


@dataclass(frozen=True, slots=True)
class Report:
    """One table: about whom (`about`), which preset of it, and its columns in their order.

    `lists_uses` tells a list of uses, one a row, from a table of groups of them.
    """

    about: str
    preset: str
    columns: tuple[Column, ...]
    lists_uses: bool

    def title(self, language: str) -> str:
        """Its name, such as “Sites: By product”."""
        if self.about == TRANSACTIONS:
            return word("Transactions", language)
        preset = TITLES.get(self.preset, self.preset.capitalize())
        return f"{word(ABOUT[self.about], language)}: {word(preset, language)}"


def reports_of(terms: Terms) -> list[Report]:
    """The reports that the terms ask for, each once, in the order of the profile's fields."""
    return list(dict.fromkeys(_reports_of(terms)))


def _reports_of(terms: Terms) -> Iterator[Report]:
    for about, presets in (
        (CUSTOMER, terms.customer_usage_reports),
        (SITE, terms.site_usage_reports),
        (CAMPAIGN, terms.campaign_usage_reports),
        (NUMBER, terms.number_usage_reports),
    ):
        whose = (PARTS[about],) if about in PARTS else ()
        for preset in presets:
            if preset in SINGLING_OUT:
                rest = tuple(column for column in SINGLED_OUT if column not in whose)
                yield Report(about, preset, (*whose, *rest), lists_uses=True)
            else:
                yield Report(about, preset, (*whose, *GROUPS[preset], *MEASURES), lists_uses=False)
    for preset in terms.call_details:
        yield Report(CALLS, preset, _call_columns(terms.include_call_columns, preset), lists_uses=True)
    if terms.include_transaction_columns:
        chosen = tuple(TRANSACTION_COLUMNS[name] for name in terms.include_transaction_columns)
        yield Report(TRANSACTIONS, "", _with_amount(chosen, TRANSACTION_COLUMNS), lists_uses=False)


def _call_columns(names: tuple[str, ...], preset: str) -> tuple[Column, ...]:
    """The chosen columns, all where none is, a rate with what it is for; what the list is ordered by comes first."""
    columns = tuple(
        column
        for name in names or CALL_COLUMNS
        for column in ((CALL_COLUMNS[name], RATE_UNIT) if name == "Rate" else (CALL_COLUMNS[name],))
    )
    if first := ORDERED_BY.get(preset):
        columns = (first, *(column for column in columns if column != first))
    return _with_amount(columns, CALL_COLUMNS)


def _with_amount(columns: tuple[Column, ...], known: Mapping[str, Column]) -> tuple[Column, ...]:
    """With the amount, which totals need, and another column before it, for what the totals are called."""
    amount = known["Amount"]
    if amount not in columns:
        columns = (*columns, amount)
    if columns[0] == amount:
        first = next((column for column in columns if column != amount), known["Date"])
        columns = (first, *(column for column in columns if column != first))
    return columns
