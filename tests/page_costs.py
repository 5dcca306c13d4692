"""What a page of a list costs PostgreSQL: the plan of the very query that a request asks."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

INDEXED = frozenset({"Index Scan", "Index Only Scan"})
BITMAP = frozenset({"Bitmap Heap Scan"})
# Of another table with a longer name.
OTHERS = frozenset({"rate_card_pkey"})


@dataclass(frozen=True)
class Cost:
    """What PostgreSQL did in the table for a page: by which indexes, rows thrown away, blocks touched."""

    indexes: frozenset[str]
    removed_rows: int
    block_count: int


def cost_of(ask: Callable[[], Any], *, table: str, scans: frozenset[str] = INDEXED) -> Cost:
    """What the query that orders the table costs, of those that `ask` makes; it may read the table by `scans` only."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    sqls = [query["sql"] for query in asked.captured_queries]
    (sql,) = (sql for sql in sqls if f'FROM "{table}"' in sql and re.search("ORDER BY .* LIMIT", sql))
    # What pghistory puts in front of a query that does not begin with SELECT.
    sql = re.sub(r"^SELECT set_config.*?; ", "", sql)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
        (text,) = cursor.fetchone()
    plan = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    # A part of a partitioned or aliased read that names no table is taken for one of it.
    read = [node for node in _nodes(plan) if node.get("Relation Name", table) == table and "Scan" in node["Node Type"]]
    read = [node for node in read if node["Node Type"] not in {"Bitmap Index Scan", "Subquery Scan"}]
    assert {node["Node Type"] for node in read} <= scans, plan
    names = (node.get("Index Name", "") for node in _nodes(plan))
    return Cost(
        indexes=frozenset(name for name in names if name.startswith(f"{table}_") and name not in OTHERS),
        removed_rows=sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in read),
        block_count=sum(node["Shared Hit Blocks"] + node["Shared Read Blocks"] for node in read),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)
