"""A file of prices as rows of text in the database, whatever its format. Bounded in memory, size and lines."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from django.db.backends.utils import CursorWrapper

from catalog.adapters.csv_stream import CsvStream, StreamFault
from catalog.adapters.incoming import HEAD_BYTES, opened
from catalog.adapters.workbook import WorkbookStream
from catalog.choices import FileFormat
from catalog.engine.deck_layout import sniffed_delimiter
from catalog.operations.copying import copy_block
from catalog.operations.rate_decks.statements import stage_sql

LARGEST_BYTES = 100 << 20
MOST_LINES = 1_048_576


class _Peekable(Protocol):
    def peek(self, size: int = 0, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Table:
    """The header of a file and, behind it, its rows."""

    columns: list[str]
    delimiter: str
    is_workbook: bool
    _stream: CsvStream

    def stage(self, cursor: CursorWrapper) -> None:
        """Copy the rows into `deck_staging`. Raises StreamFault that names the line."""
        columns = [f"c{position}" for position in range(len(self.columns))]
        create, copy, stage = stage_sql(columns, self.delimiter, first_line=self._stream.header_line_count + 1)
        cursor.execute(create)
        count = 0
        for block in self._stream.blocks():
            count += copy_block(copy, block, len(columns))
            if count > MOST_LINES:
                raise StreamFault(f"it has more than {MOST_LINES:,} lines. Send it in parts")
        cursor.execute(stage)
        if not cursor.rowcount:
            raise StreamFault("it has a header and no lines")
        cursor.execute("DROP TABLE deck_rows")


def open_table(file: BinaryIO, *, file_name: str, decimal_sign: str = "") -> Table:
    """Read the header of a price list. Raises StreamFault for what is no CSV file and no Excel workbook.

    Numbers of a workbook have no sign of their own: they get `decimal_sign`, as its texts are said to have it.
    """
    incoming = opened(file, file_name=file_name, largest_bytes=LARGEST_BYTES)
    if incoming.file_format == FileFormat.NDJSON:
        raise StreamFault("it is JSON lines. Send a price list as CSV with a header line, or as an Excel workbook")
    is_workbook = incoming.file_format == FileFormat.XLSX
    if is_workbook:
        workbook = WorkbookStream(incoming.stream, decimal_sign=decimal_sign or ".")
        source, delimiter = cast("BinaryIO", workbook), ","
    else:
        source, delimiter = incoming.stream, sniffed_delimiter(_first_line(incoming.stream))
    stream = CsvStream(source, delimiter=delimiter)
    return Table([name.strip() for name in stream.header], delimiter, is_workbook, stream)


def _first_line(stream: BinaryIO) -> str:
    """The first line of text, as far as the reader has it before it; the stream stays where it is."""
    head = cast("_Peekable", stream).peek(HEAD_BYTES)[:HEAD_BYTES].decode(errors="replace")
    return next((line for line in head.splitlines() if line.strip()), "")
