"""Telephone calls with all columns, the same for the same seed: what the benchmark takes in and bills.

A file as it comes: among its good rows are duplicates, conflicts and faulty ones, spread evenly and at known rates. The
same file without them is what the floor, which checks nothing, is given.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

MONTH = datetime(2026, 9, 1, tzinfo=UTC)
# After its last hour in every time zone.
MONTH_CUTOFF = "2026-10-02"
SECONDS = 30 * 86_400
PRODUCTS = 8
REGIONS = ("DE", "FR", "GB", "US")
HEADER = (
    "number,type,service,product,from_date,to_date,usage_amount,billing_directive,billing_effective_date,destination,"
    "region,total_amount,"
    + ",".join(f"udf_string_{n}" for n in range(1, 9))
    + ","
    + ",".join(f"udf_float_{n}" for n in range(1, 5))
    + ","
    + ",".join(f"udf_date_{n}" for n in range(1, 5))
    + "\n"
)
ROWS_AT_ONCE = 10_000
# One row of so many: 2 % repeat an earlier row, 0.5 % cannot become a record, 0.1 % contradict an earlier row.
A_DUPLICATE, A_FAULT, A_CONFLICT = 50, 200, 1_000
FAULTS = (("usage_amount", "n/a"), ("service", "unknown"), ("from_date", "yesterday"), ("product", "VOICE-99"))
COLUMNS = HEADER.strip().split(",")


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: rows of the file, customers, services of theirs; and the seed."""

    records: int
    customers: int
    services: int
    seed: int

    def part(self, divisor: int) -> "Size":
        """The same company with fewer calls."""
        return replace(self, records=max(1, self.records // divisor))

    @property
    def expected(self) -> dict[str, int]:
        """What becomes of the file's rows."""
        kinds = [kind_of(row) for row in range(self.records)]
        return {kind: kinds.count(kind) for kind in ("accepted", "duplicates", "conflicts", "quarantined")}


@dataclass(frozen=True, slots=True)
class Calls:
    """One file of calls as it comes, and its good rows alone."""

    dirty: Path
    clean: Path


def kind_of(row: int) -> str:
    """What becomes of a row, by its place in the file."""
    if row % A_CONFLICT == A_CONFLICT - 1:
        return "conflicts"
    if row % A_FAULT == A_FAULT - 2:
        return "quarantined"
    if row % A_DUPLICATE == A_DUPLICATE - 3:
        return "duplicates"
    return "accepted"


def write_calls(folder: Path, size: Size) -> Calls:
    """Write the calls as CSV, twice. Calls of one customer are spread over the file, as in life."""
    source = random.Random(size.seed)
    calls = Calls(folder / f"calls-{size.records}.csv", folder / f"clean-{size.records}.csv")
    days = [f"{MONTH + timedelta(days=day):%Y-%m-%d}" for day in range(31)]
    earlier: list[str] = []
    with calls.dirty.open("w") as dirty, calls.clean.open("w") as clean:
        dirty.write(HEADER)
        clean.write(HEADER)
        for start in range(0, size.records, ROWS_AT_ONCE):
            rows = list(_rows(source, size, range(start, min(start + ROWS_AT_ONCE, size.records)), days, earlier))
            dirty.writelines(text for _, text in rows)
            clean.writelines(text for kind, text in rows if kind == "accepted")
    return calls


def _rows(
    source: random.Random, size: Size, numbers: range, days: list[str], earlier: list[str]
) -> Iterator[tuple[str, str]]:
    """Rows with what becomes of them. `earlier` are good rows from all over the file so far."""
    for number in numbers:
        kind = kind_of(number)
        if kind in {"duplicates", "conflicts"}:
            text = earlier[source.randrange(len(earlier))]
            yield kind, _changed(text, "usage_amount", "1.5") if kind == "conflicts" else text
            continue
        text = _call(source, size, number, days)
        if kind == "quarantined":
            text = _changed(text, *FAULTS[number // A_FAULT % len(FAULTS)])
        elif len(earlier) < ROWS_AT_ONCE:
            earlier.append(text)
        else:
            earlier[source.randrange(ROWS_AT_ONCE)] = text
        yield kind, text


def _changed(row: str, column: str, value: str) -> str:
    texts = row.split(",")
    texts[COLUMNS.index(column)] = value
    return ",".join(texts)


def _call(source: random.Random, size: Size, number: int, days: list[str]) -> str:
    service, duration = source.randrange(size.services), 1 + min(3_599, int(source.expovariate(1 / 180)))
    start = source.randrange(SECONDS)
    odd = source.randrange(10**9)
    # One in ten brings its own amount.
    own = f"{odd % 1000 / 1000:.3f}" if number % 10 == 0 else ""
    return (
        f"{size.records}-{number:08d},Call,44{service:09d},VOICE-{source.randrange(PRODUCTS)},"
        f"{_instant(start, days)},{_instant(start + duration, days)},{duration},"
        f"TO_BE_BILLED,{days[start // 86_400]},+49{odd:09d},{REGIONS[odd % 4]},{own},"
        f"trunk-{odd % 24},{odd:08x},mobile,cell-{odd % 5_000},g711,ok,{service:x},ref-{number},"
        f"{odd % 50}.{odd % 7},0.{odd % 97:03d},{odd % 1_000},{odd % 11}.25,"
        f"{days[odd % 30]},2026-01-{1 + odd % 28:02d},2025-12-31,{days[start // 86_400]}\n"
    )


def _instant(second: int, days: list[str]) -> str:
    day, rest = divmod(second, 86_400)
    hour, rest = divmod(rest, 3_600)
    return f"{days[day]}T{hour:02d}:{rest // 60:02d}:{rest % 60:02d}Z"
