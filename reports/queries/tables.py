"""Each report as SQL: what it is made of, whether it adds up, its totals and its rows."""

import json
from dataclasses import dataclass
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
    "rate_unit": "l.rate_unit",
    # Nothing used costs no fee; what is credited gives it back.
    "connection_fee": "sign(u.quantity) * l.connection_fee",
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
    "Longest Uses": "u.record_id IN (SELECT record_id FROM {singled})",
    "Most Expensive Uses": "u.record_id IN (SELECT record_id FROM {singled})",
}
SINGLED_BY = {"Longest Uses": "u.seconds", "Most Expensive Uses": "u.charge"}


@dataclass(frozen=True, slots=True)
class Gathered:
    """A report that is laid out in temporary tables: what it is made of, and the uses that it singles out."""

    report: Report
    cells: str
    singled: str


class Tables:
    """The reports of one invoice whose uses are laid out (`lay_out_uses`)."""

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

    def gather(self, report: Report, number: int = 0) -> Gathered:
        """Lay out what a report is made of, in tables by its number, in place of what had that number before."""
        gathered = Gathered(report, cells=f"report_cell_{number}", singled=f"report_singled_{number}")
        self._cursor.execute(f"DROP TABLE IF EXISTS {gathered.cells}, {gathered.singled}")
        if report.about == TRANSACTIONS:
            self._cursor.execute("DROP TABLE IF EXISTS reported_transaction")
            self._cursor.execute(_sql("transactions").replace("{cells}", gathered.cells), self.parameters)
            return gathered
        if report.preset in SINGLING_OUT:
            self._cursor.execute(self._singling_out(gathered), self.parameters)
        names = ["part", *self._grouped_by(report)]
        keys = [f"{self._part} AS part", *(f"{_in_order(name)} AS {name}" for name in names[1:])]
        statement = (
            _sql("cells")
            .replace("{cells}", gathered.cells)
            .replace("{keys}", ", ".join(keys))
            .replace("{names}", ", ".join(names))
            # By their places, for some are called as columns of the tables are.
            .replace("{ordinals}", ", ".join(str(place + 1) for place in range(len(names) + 3)))
            .replace("{listed}", _listed(gathered))
            .replace("{uses}", USES)
        )
        self._cursor.execute(statement, self.parameters)
        if self._terms.splits_by:
            # Its files ask for their rows one after the other.
            self._cursor.execute(f"CREATE INDEX ON {gathered.cells} (part)")
        return gathered

    def differences(self, gathered: Gathered) -> list[Difference]:
        """The lines that what was gathered does not add up to; none where the report is right."""
        lines = "reported_transaction" if gathered.report.about == TRANSACTIONS else "reported_line"
        self._cursor.execute(_sql("differences").replace("{lines}", lines).replace("{cells}", gathered.cells))
        return [
            Difference(number, name, (count, uses), (exact, charges), (amount, shared))
            for number, name, count, exact, amount, uses, charges, shared in self._cursor.fetchall()
        ]

    def totals(self, gathered: Gathered) -> dict[str, tuple[Sums, Sums]]:
        """The parts of a report, in their order, each with what its rows come to and what they leave out.

        One without a name where the report is not split, else those of the sites or numbers that have uses.
        """
        self._cursor.execute(_sql("totals").replace("{cells}", gathered.cells))
        found: dict[str, dict[bool, Sums]] = {}
        for part, is_listed, *sums in self._cursor.fetchall():
            found.setdefault(part, {})[is_listed] = Sums(*sums)
        return {part: (sums.get(True, Sums()), sums.get(False, Sums())) for part, sums in found.items()}

    def rows(self, gathered: Gathered, part: str) -> tuple[str, dict[str, Any]]:
        """The statement of the rows of a part, with the report's columns in their order, and its parameters."""
        report = gathered.report
        parameters = {**self.parameters, "part": part}
        columns = ", ".join(column.key for column in report.columns)
        if report.about == TRANSACTIONS:
            return f"SELECT {columns} FROM reported_transaction ORDER BY line_number", parameters  # noqa: S608
        statement = self._list(gathered) if report.lists_uses else self._groups(gathered)
        return f"SELECT {columns} FROM ({statement}) r", parameters  # noqa: S608  # names of ours

    def row_count(self, gathered: Gathered, part: str, *, listed: Sums) -> int:
        """How many rows a part has: in a list as many as uses are listed, else counted."""
        if gathered.report.lists_uses:
            return listed.uses
        rows, parameters = self.rows(gathered, part)
        self._cursor.execute(f"SELECT count(*) FROM ({rows}) r", parameters)  # noqa: S608  a statement of ours
        return int(self._cursor.fetchone()[0])

    def _list(self, gathered: Gathered) -> str:
        report = gathered.report
        values = dict(VALUES)
        if report.about in PARTS:
            values[PARTS[report.about].key] = GROUPED[PARTS[report.about].key]
        columns = ", ".join(f"{values[column.key]} AS {column.key}" for column in report.columns)
        conditions = [
            _listed(gathered),
            *([f"{self._part} = %(part)s"] if self._terms.splits_by else []),
        ]
        order = IN_TIME
        if first := ORDERED_BY.get(report.preset):
            order = f"{_in_order(first.key)}, {IN_TIME}"
        elif report.preset in SINGLING_OUT:
            whose = f"{_in_order(PARTS[report.about].key)}, " if report.about in PARTS else ""
            order = f"{whose}{SINGLED_BY[report.preset]} DESC, {IN_TIME}"
        return f"SELECT {columns} {USES} WHERE {' AND '.join(conditions)} ORDER BY {order}"

    def _groups(self, gathered: Gathered) -> str:
        report = gathered.report
        if report.preset != "Top Destinations":
            names = ", ".join(self._grouped_by(report))
            return _sql("groups").replace("{names}", names).replace("{cells}", gathered.cells)
        whose = PARTS[report.about].key if report.about in PARTS else ""
        return (
            _sql("top")
            .replace("{cells}", gathered.cells)
            .replace("{whose}", f"{whose}, " if whose else "")
            .replace("{partition}", f"PARTITION BY {whose}" if whose else "")
        )

    def _grouped_by(self, report: Report) -> list[str]:
        """The columns before those of what a group comes to."""
        if report.lists_uses:
            return []
        names = [column.key for column in report.columns]
        return names[: names.index("uses")]

    def _singling_out(self, gathered: Gathered) -> str:
        report = gathered.report
        whose = [f"{_in_order(PARTS[report.about].key)}"] if report.about in PARTS else []
        partition = ", ".join([self._part, *whose])
        return (
            _sql("singled")
            .replace("{singled}", gathered.singled)
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


def _listed(gathered: Gathered) -> str:
    """The condition of the uses that a report lists, each a row; all in one of groups."""
    return LISTED.get(gathered.report.preset, "true").replace("{singled}", gathered.singled)


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()
