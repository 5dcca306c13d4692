"""Reports as Parquet files, for programs: exact decimals, dates, times; what they come to is in the file's metadata."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from reports.engine.columns import COUNT, DATE, MONEY, NUMBER, SECONDS, TEXT, TIME
from reports.engine.differences import plain
from reports.engine.sheet import Sheet

# Each takes memory twice, as it comes and as it is packed; larger ones pack no better.
ROWS_OF_GROUP = 5_000


def write_parquet(path: Path, sheet: Sheet, rows: Iterable[Sequence[Any]]) -> int:
    """Write the rows, some thousands at a time; how many there were. Durations are seconds."""
    # It takes 50 MB: only a process that makes such files has it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        TEXT: pa.string(),
        DATE: pa.date32(),
        TIME: pa.time32("s"),
        COUNT: pa.int64(),
        # As the database has them.
        NUMBER: pa.decimal128(38, 18),
        MONEY: pa.decimal128(20, 4),
        SECONDS: pa.decimal128(18, 6),
    }
    totals = {
        "title": sheet.title,
        "currency": sheet.currency,
        "uses": str(sheet.totals.uses),
        "charges": plain(sheet.totals.charges),
        "amount": f"{sheet.totals.amount:.{sheet.minor_units}f}",
        "left_out_uses": str(sheet.left_out.uses),
        "left_out_charges": plain(sheet.left_out.charges),
    }
    schema = pa.schema([(column.key, types[column.kind]) for column in sheet.columns], metadata=totals)
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in groups(rows):
            columns = [
                pa.array(values, type=field.type)
                for values, field in zip(zip(*group, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            count += len(group)
    return count


def groups(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """The rows, some at a time."""
    remaining = iter(rows)
    while group := list(islice(remaining, ROWS_OF_GROUP)):
        yield group
