"""Each report as SQL: what it is made of, whether it adds up, its totals and its rows."""

import json
from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

from catalog.models import Currency
from invoicing.choices import LineKind
from reports.choices import SplitBy
from reports.engine.differences import Difference
from reports.engine.sheet import Sums
from reports.engine.terms import ORDERED_BY, PARTS, SINGLING_OUT, TRANSACTIONS, Report, Terms
from reports.engine.wording import word

SQL = Path(__file__).parent / "sql"
TOP_DESTINATIONS, TOP_USES = 10, 20
USES = """
  FROM reported_use u
  JOIN reported_line l ON l.id = u.line_id
  JOIN reported_service s ON s.id = u.service_id
  LEFT JOIN reported_destination d ON d.code = u.code
"""
IN_TIME = "u.started, u.record_id"
NAME = "coalesce(nullif(l.destination_name, ''), nullif(d.name, ''), l.region)"
# Of the values of a use `u`; in groups, what there is not has a name too.
VALUES = {
    "date": "u.started::date",
    "time": "u.started::time",
    "hour": "extract(hour FROM u.started)::integer",
    "number": "s.identifier",
    "destination": "u.destination",
    "destination_name": NAME,
    "type": "l.usage_type",
    "product": "l.product_name",
    "product_code": "l.product_code",
    "duration": "u.seconds",
    "quantity": "u.quantity",
    "billed_quantity": "u.billed_quantity",
    "unit": "l.unit",
    "rate": "l.unit_price",
    "connection_fee": "l.connection_fee",
    "amount": "u.charge",
    "site": "s.site",
    "campaign": "s.campaign",
    "record_number": "u.record_number",
}
GROUPED = VALUES | {
    "destination_name": f"coalesce(nullif({NAME}, ''), %(no_destination)s)",
    "site": "coalesce(nullif(s.site, ''), %(no_site)s)",
    "campaign": "coalesce(nullif(s.campaign, ''), %(no_campaign)s)",
}
LISTED = {
    "Chargeable Only": "u.charge <> 0",
    "Above Threshold": "abs(u.charge) > %(threshold)s",
    "Longest Uses": "u.record_id IN (SELECT record_id FROM report_singled)",
    "Most Expensive Uses": "u.record_id IN (SELECT record_id FROM report_singled)",
}
SINGLED_BY = {"Longest Uses": "u.seconds", "Most Expensive Uses": "u.charge"}


class Tables:
    """The reports of one invoice whose uses are laid out (`lay_out_uses`), one after the other."""

    def __init__(self, cursor: CursorWrapper, *, invoice_id: int, currency: Currency, terms: Terms) -> None:
        self._cursor = cursor
        self._terms = terms
        language = terms.language
        self.parameters: dict[str, Any] = {
            "invoice_id": invoice_id,
            "minor_units": currency.minor_units,
            "threshold": terms.threshold_amount,
            "no_destination": word("(no destination)", language),
            "no_site": word("(no site)", language),
            "no_campaign": word("(no campaign)", language),
            "others": word("Others", language),
            "kinds": json.dumps({kind.value: word(str(kind.label), language) for kind in LineKind}),
            "top": TOP_DESTINATIONS,
            "top_uses": TOP_USES,
        }

    def gather(self, report: Report) -> None:
        """Lay out what the report is made of, in place of the report before it."""
        self._cursor.execute("DROP TABLE IF EXISTS report_cell, report_singled")
        if report.about == TRANSACTIONS:
            self._cursor.execute("DROP TABLE IF EXISTS reported_transaction")
            self._cursor.execute(_sql("transactions"), self.parameters)
            return
        if report.preset in SINGLING_OUT:
            self._cursor.execute(self._singling_out(report), self.parameters)
        names = ["part", *self._grouped_by(report)]
        keys = [f"{self._part} AS part", *(f"{_in_order(name)} AS {name}" for name in names[1:])]
        statement = (
            _sql("cells")
            .replace("{keys}", ", ".join(keys))
            .replace("{names}", ", ".join(names))
            # By their places, for some are called as columns of the tables are.
            .replace("{ordinals}", ", ".join(str(place + 1) for place in range(len(names) + 3)))
            .replace("{listed}", LISTED.get(report.preset, "true"))
            .replace("{uses}", USES)
        )
        self._cursor.execute(statement, self.parameters)

    def differences(self, report: Report) -> list[Difference]:
        """The lines that what was gathered does not add up to; none where the report is right."""
        lines = "reported_transaction" if report.about == TRANSACTIONS else "reported_line"
        self._cursor.execute(_sql("differences").replace("{lines}", lines))
        return [
            Difference(number, name, (count, uses), (exact, charges), (amount, shared))
            for number, name, count, exact, amount, uses, charges, shared in self._cursor.fetchall()
        ]

    def parts(self, report: Report) -> list[str]:
        """The files of the report that was gathered: one without a name, or the sites or numbers, by name."""
        if not self._terms.splits_by or report.about == TRANSACTIONS:
            return [""]
        self._cursor.execute("SELECT DISTINCT part FROM report_cell ORDER BY part")
        return [part for (part,) in self._cursor.fetchall()]

    def totals(self, part: str) -> tuple[Sums, Sums]:
        """What the rows of a part come to, and what they leave out."""
        self._cursor.execute(_sql("totals"), {"part": part})
        found = {row[0]: Sums(*row[1:]) for row in self._cursor.fetchall()}
        return found.get(True, Sums()), found.get(False, Sums())

    def rows(self, report: Report, part: str) -> tuple[str, dict[str, Any]]:
        """The statement of the rows of a part, with the report's columns in their order, and its parameters."""
        parameters = {**self.parameters, "part": part}
        if report.about == TRANSACTIONS:
            columns = ", ".join(column.key for column in report.columns)
            return f"SELECT {columns} FROM reported_transaction ORDER BY line_number", parameters  # noqa: S608
        statement = self._list(report) if report.lists_uses else self._groups(report)
        columns = ", ".join(column.key for column in report.columns)
        return f"SELECT {columns} FROM ({statement}) r", parameters  # noqa: S608  # names of ours

    def _list(self, report: Report) -> str:
        values = dict(VALUES)
        if any(column.key == "rate" for column in report.columns):
            values["unit"] = "l.rate_unit"
        if report.about in PARTS:
            values[PARTS[report.about].key] = GROUPED[PARTS[report.about].key]
        columns = ", ".join(f"{values[column.key]} AS {column.key}" for column in report.columns)
        conditions = [
            LISTED.get(report.preset, "true"),
            *([f"{self._part} = %(part)s"] if self._terms.splits_by else []),
        ]
        order = IN_TIME
        if first := ORDERED_BY.get(report.preset):
            order = f"{_in_order(first.key)}, {IN_TIME}"
        elif report.preset in SINGLING_OUT:
            whose = f"{_in_order(PARTS[report.about].key)}, " if report.about in PARTS else ""
            order = f"{whose}{SINGLED_BY[report.preset]} DESC, {IN_TIME}"
        return f"SELECT {columns} {USES} WHERE {' AND '.join(conditions)} ORDER BY {order}"

    def _groups(self, report: Report) -> str:
        if report.preset != "Top Destinations":
            return _sql("groups").replace("{names}", ", ".join(self._grouped_by(report)))
        whose = PARTS[report.about].key if report.about in PARTS else ""
        return (
            _sql("top")
            .replace("{whose}", f"{whose}, " if whose else "")
            .replace("{partition}", f"PARTITION BY {whose}" if whose else "")
        )

    def _grouped_by(self, report: Report) -> list[str]:
        """The columns before those of what a group comes to."""
        if report.lists_uses:
            return []
        names = [column.key for column in report.columns]
        return names[: names.index("uses")]

    def _singling_out(self, report: Report) -> str:
        whose = [f"{_in_order(PARTS[report.about].key)}"] if report.about in PARTS else []
        partition = ", ".join([self._part, *whose])
        return (
            _sql("singled")
            .replace("{partition}", partition)
            .replace("{by}", SINGLED_BY[report.preset])
            .replace("{uses}", USES)
        )

    @property
    def _part(self) -> str:
        if not self._terms.splits_by:
            return "''::text"
        return _in_order("site" if self._terms.splits_by == SplitBy.SITE else "number")


def _in_order(key: str) -> str:
    """The value of a group, texts in the order of their bytes: the same on every server."""
    return GROUPED[key] if key in {"date", "hour"} else f'({GROUPED[key]})::text COLLATE "C"'


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()
