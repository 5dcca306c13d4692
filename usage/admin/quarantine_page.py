"""The page of a quarantined line: the row as it came, each column to be corrected, and what was tried."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from catalog.choices import FileFormat
from usage.engine.layout import Column, LayoutFault, parse_layout
from usage.models import QuarantinedLine
from usage.operations.reprocess import Reprocessed

ROW = "row"


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of a row: its name, what of a record is made of it, and its input."""

    column: str
    feeds: str
    is_at_fault: bool
    input: forms.BoundField


class CorrectionForm(forms.Form):
    """A row column by column; as one text where it cannot be taken apart."""

    def __init__(self, line: QuarantinedLine, data: Any = None) -> None:
        super().__init__(data)
        self._line = line
        text = line.corrected_text or line.raw_text
        self._cells = cells_of(line, text)
        if self._cells is None:
            self.fields[ROW] = forms.CharField(
                initial=text, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"aria-label": "The row"})
            )
            return
        for position, (column, cell) in enumerate(zip(line.usage_import.columns, self._cells, strict=True)):
            # A line of text would lose the line breaks that stand in a cell.
            widget = UnfoldAdminTextareaWidget if "\n" in cell else UnfoldAdminTextInputWidget
            self.fields[f"column_{position}"] = forms.CharField(
                initial=cell,
                strip=False,
                required=False,
                # What has no name feeds no field, and is not corrected by one.
                disabled=not column,
                widget=widget(attrs={"aria-label": column or f"column {position + 1}"}),
            )

    def text(self) -> str | None:
        """The whole row of a valid form; None where it is given column by column."""
        return str(self.cleaned_data[ROW]) if self._cells is None else None

    def values(self) -> dict[str, str] | None:
        """The text of each column that has a name; None where the row is one text."""
        if self._cells is None:
            return None
        return {
            column: self._as_it_was(f"column_{position}", cell)
            for position, (column, cell) in enumerate(zip(self._line.usage_import.columns, self._cells, strict=True))
            if column
        }

    def cells(self) -> list[Cell]:
        """The columns in the order of the file, none where the row is one text."""
        if self._cells is None:
            return []
        feeds = fields_by_column(self._line)
        return [
            Cell(column, ", ".join(feeds[position]), self._line.field in feeds[position], self[f"column_{position}"])
            for position, column in enumerate(self._line.usage_import.columns)
        ]

    def _as_it_was(self, name: str, cell: str) -> str:
        """What was typed; browsers send every line break as two characters."""
        typed = str(self.cleaned_data[name])
        return typed if "\r" in cell else typed.replace("\r\n", "\n")


def cells_of(line: QuarantinedLine, text: str) -> list[str] | None:
    """The cells of a row of CSV, one for each column of its file; None where it cannot be taken apart so."""
    columns = line.usage_import.columns
    if line.usage_import.file_format == FileFormat.NDJSON:
        return None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=line.usage_import.delimiter))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 and len(rows[0]) == len(columns) else None


def fields_by_column(line: QuarantinedLine) -> dict[int, list[str]]:
    """The fields of a record that each column feeds, by its position, as the source system's mapping is now."""
    feeds: dict[int, list[str]] = defaultdict(list)
    try:
        layout = parse_layout(line.usage_import.columns, line.usage_import.source_system.column_mapping)
    except LayoutFault:
        return feeds
    for field, parts in layout.fields.items():
        for part in parts:
            if isinstance(part, Column):
                for position in part.positions:
                    feeds[position].append(field)
    return feeds


def tried_in_words(done: Reprocessed) -> str:
    """What became of lines that were tried again."""
    if not done.tried:
        return "No line is open: there is nothing to try again."
    became = [
        f"{count:,} {name}"
        for count, name in (
            (done.accepted, "accepted"),
            (done.duplicates, "found to be duplicates"),
            (done.conflicts, "found to be conflicts"),
            (done.quarantined, "still quarantined"),
        )
        if count
    ]
    lines = "1 line was tried again" if done.tried == 1 else f"{done.tried:,} lines were tried again"
    return f"{lines}: {', '.join(became)}."
