"""A file of any kind as rows of text: CSV, JSON lines, a workbook."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.conf import settings

from catalog.adapters.csv_stream import Block, CsvStream
from catalog.adapters.incoming import opened
from catalog.adapters.workbook import WorkbookStream
from catalog.choices import FileFormat
from usage.adapters.line_stream import LineStream
from usage.engine.layout import columns_named
from usage.models import SourceSystem
from usage.operations.field_sql import INSTANTS


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file, block by block, and what they are read by.

    `sha256` and `byte_count` are of the file's content, gzip taken off, once all blocks are read.
    """

    file_format: FileFormat
    columns: tuple[str, ...]
    delimiter: str
    first_line: int
    _stream: CsvStream | LineStream
    _workbook: WorkbookStream | None = None

    def blocks(self) -> Iterator[Block]:
        """Whole rows. Raises StreamFault."""
        return self._stream.blocks()

    @property
    def sha256(self) -> str:
        return (self._workbook or self._stream).sha256

    @property
    def byte_count(self) -> int:
        return (self._workbook or self._stream).byte_count


def open_rows(source: SourceSystem, file: BinaryIO, *, file_name: str, file_format: FileFormat | None = None) -> Rows:
    """The rows of a file as its source system writes them; the format is recognised where it is not given.

    Raises StreamFault for what is no such file, and LayoutFault where the column mapping is none.
    """
    incoming = opened(file, file_name=file_name, largest_bytes=settings.USAGE_IMPORT_LARGEST_BYTES)
    known = file_format or incoming.file_format
    if known == FileFormat.NDJSON:
        columns = columns_named(source.column_mapping)
        return Rows(known, columns, source.delimiter, 1, LineStream(incoming.stream))
    workbook = None
    if known == FileFormat.XLSX:
        workbook = WorkbookStream(
            incoming.stream,
            delimiter=source.delimiter,
            decimal_sign=source.decimal_sign,
            instant_columns=INSTANTS,
        )
    stream = CsvStream(cast("BinaryIO", workbook or incoming.stream), delimiter=source.delimiter)
    return Rows(known, tuple(stream.header), source.delimiter, stream.header_line_count + 1, stream, workbook)
