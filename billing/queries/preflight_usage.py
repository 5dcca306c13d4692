"""The usage that a run would take, and what of it no rate prices: read set by set, what is new only.

Nearly all usage is found to be priced by groups: of the same rate cards, product, region and first digits. Only what is
left of that is looked at record by record. Whether a rate prices a use is the rule of rating (operations/sql/rating); a
test holds the two together.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from billing.models import BillingRun
from billing.queries.due_recurring import due_recurring_parameters, due_recurring_sql

SQL = Path(__file__).parent / "sql" / "preflight"
TABLES = "preflight_customer, preflight_group, preflight_rate, preflight_doubt, preflight_choice, preflight_unpriced"
# So many of what is found are named.
NAMED = 100
# By so many digits of the destination usage is gathered at first, and by so many what was left of that.
DIGITS = (4, 8)
# Records are read in the order of their ids while at least every so many of them is pending.
SPARSE = 4
# The first digits of a record's destination, as rating takes them.
HEAD = (
    "CASE WHEN r.product_id = ANY (%({name}_products)s::bigint[])"
    " THEN substr(r.destination, 1 + (left(r.destination, 1) = '+')::integer, {digits}) ELSE '' END"
)
DOUBTED = (
    "JOIN preflight_doubt d ON d.kind = c.kind AND d.product_id = r.product_id AND d.region = r.region"
    " AND d.head = {head}"
)


@dataclass(frozen=True, slots=True)
class Found:
    """How many customers a check found, the first of them, how many records they have, and in which currencies."""

    count: int = 0
    customer_ids: tuple[int, ...] = ()
    account_numbers: tuple[str, ...] = ()
    record_count: int = 0
    currencies: tuple[str, ...] = ()


@dataclass(slots=True)
class RunUsage:
    """The temporary tables of what a run would take, as long as its transaction lasts, and what they are asked by."""

    cursor: CursorWrapper
    parameters: dict[str, Any]
    found: dict[str, Found] = field(default_factory=dict)

    def rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What the statement of that name gives."""
        self.cursor.execute((SQL / f"{name}.sql").read_text(), self.parameters | parameters)
        rows: list[tuple[Any, ...]] = self.cursor.fetchall()
        return rows

    def of(self, code: str) -> Found:
        """What was found for a check."""
        return self.found.get(code, Found())


@contextmanager
def run_usage(run: BillingRun) -> Iterator[RunUsage]:
    """What the run would take if it were commenced now."""
    parameters: dict[str, Any] = due_recurring_parameters(run, only_where_it_decides=True) | {
        "run_id": run.pk,
        "transaction_cutoff_date": run.transaction_cutoff_date,
        "named": NAMED,
    }
    with (
        transaction.atomic(),
        closing(connection.cursor()) as cursor,
        _planned(cursor, work_mem="64MB", jit="off", parallel_tuple_cost="0", parallel_setup_cost="0"),
    ):
        usage = RunUsage(cursor, parameters)
        cursor.execute(due_recurring_sql((SQL / "customers.sql").read_text()), parameters)
        _find_unpriced(usage)
        usage.found = {
            code: Found(count, tuple(ids), tuple(numbers), records, tuple(currencies))
            for code, count, ids, numbers, records, currencies in usage.rows("counts")
        }
        yield usage
        cursor.execute(f"DROP TABLE IF EXISTS {TABLES}")


def _find_unpriced(usage: RunUsage) -> None:
    """Make the temporary table of the records that no rate prices."""
    cursor, parameters = usage.cursor, usage.parameters
    cursor.execute("SELECT min(record_id), max(record_id) FROM pending_usage")
    first, last = cursor.fetchone()
    cursor.execute(
        "SELECT customer_id, kind, record_count, rate_card_ids FROM preflight_customer WHERE record_count > 0"
    )
    customers = cursor.fetchall()
    parameters |= {
        "first_record": first or 0,
        "last_record": last or 0,
        "customer_ids": [customer_id for customer_id, *_ in customers],
        "kinds": [kind for _, kind, *_ in customers],
        "rate_card_ids": sorted({card_id for *_, card_ids in customers for card_id in card_ids}),
    }
    record_count = sum(count for _, _, count, _ in customers)
    is_sparse = record_count * SPARSE < parameters["last_record"] - parameters["first_record"]
    # Once in the order of records; what is left by a join with a temporary table, whose rows are hard to foretell.
    planned = {"enable_hashjoin": "off", "enable_mergejoin": "off" if is_sparse else "on"}
    doubted = ""
    for digits in DIGITS:
        head = _prepare_rates(usage, digits)
        with _planned(cursor, **planned):
            _execute(usage, "groups", head=head, doubted=doubted)
        _execute(usage, "doubts")
        planned, doubted = {"enable_nestloop": "off"}, DOUBTED.format(head=head)
        cursor.execute("SELECT EXISTS (SELECT FROM preflight_doubt)")
        if not cursor.fetchone()[0]:
            break
    _execute(usage, "unpriced", doubted=doubted)


def _prepare_rates(usage: RunUsage, digits: int) -> str:
    """Make the table of rates that hold at any hour; gives back by which digits usage is to be gathered."""
    usage.parameters["digits"] = digits
    _execute(usage, "whole_rates")
    usage.cursor.execute("SELECT product_id FROM preflight_rate GROUP BY product_id HAVING bool_and(prefix <> '')")
    name = f"head_{digits}"
    usage.parameters[f"{name}_products"] = [product_id for (product_id,) in usage.cursor.fetchall()]
    return HEAD.format(name=name, digits=digits)


def _execute(usage: RunUsage, name: str, **fragments: str) -> None:
    statement = (SQL / f"{name}.sql").read_text()
    for fragment, text in fragments.items():
        statement = statement.replace(f"{{{fragment}}}", text)
    usage.cursor.execute(statement, usage.parameters)


@contextmanager
def _planned(cursor: CursorWrapper, **settings: str) -> Iterator[None]:
    """Give the planner these settings for what is inside; then it has those that it had."""
    names = list(settings)
    cursor.execute(f"SELECT {', '.join(['current_setting(%s)'] * len(names))}", names)
    before = cursor.fetchone()
    _set(cursor, settings)
    yield
    _set(cursor, dict(zip(names, before, strict=True)))


def _set(cursor: CursorWrapper, settings: dict[str, str]) -> None:
    pairs = [value for pair in settings.items() for value in pair]
    cursor.execute(f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(settings))}", pairs)
