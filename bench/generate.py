"""Telephone calls, the same for the same seed: what the benchmark takes in and bills."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

MONTH = datetime(2026, 9, 1, tzinfo=UTC)
SECONDS = 30 * 86_400
PRODUCTS = 8
REGIONS = ("DE", "FR", "GB", "US")
HEADER = "number,service,product,from_date,to_date,usage_amount,destination,region\n"
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: calls, customers, services of theirs; and the seed."""

    records: int
    customers: int
    services: int
    seed: int

    def part(self, divisor: int) -> "Size":
        """The same company with fewer calls."""
        return replace(self, records=max(1, self.records // divisor))


def write_calls(folder: Path, size: Size) -> Path:
    """Write the calls as CSV and give back the file. Calls of one customer are spread over the file, as in life."""
    source = random.Random(size.seed)
    path = folder / f"calls-{size.records}.csv"
    days = [f"{MONTH + timedelta(days=day):%Y-%m-%d}" for day in range(31)]
    with path.open("w") as file:
        file.write(HEADER)
        for start in range(0, size.records, ROWS_AT_ONCE):
            file.writelines(
                _call(source, size, number, days) for number in range(start, min(start + ROWS_AT_ONCE, size.records))
            )
    return path


def _call(source: random.Random, size: Size, number: int, days: list[str]) -> str:
    service, duration = source.randrange(size.services), 1 + min(3_599, int(source.expovariate(1 / 180)))
    start = source.randrange(SECONDS)
    return (
        f"{size.records}-{number:08d},44{service:09d},VOICE-{source.randrange(PRODUCTS)},"
        f"{_instant(start, days)},{_instant(start + duration, days)},{duration},"
        f"+49{source.randrange(10**9):09d},{REGIONS[source.randrange(4)]}\n"
    )


def _instant(second: int, days: list[str]) -> str:
    day, rest = divmod(second, 86_400)
    hour, rest = divmod(rest, 3_600)
    return f"{days[day]}T{hour:02d}:{rest // 60:02d}:{rest % 60:02d}Z"
