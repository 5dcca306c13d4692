"""A line on a terminal that says how far an import is."""

import shutil
import time
from collections.abc import Callable

from usage.engine.progress import ImportProgress

REDRAW_SECONDS = 0.1
MEGABYTE = 1_000_000
BAR_CELLS = 30
CLEAR_LINE = "\r\x1b[K"


class ProgressBar:
    """Draws itself over the last line of a terminal, a few times a second, and is gone at the end."""

    def __init__(self, draw: Callable[[str], object], *, name: str, size: int | None) -> None:
        """`draw` writes to the terminal. `size` is of the file in bytes, as it lies there; None where nobody knows."""
        self._draw = draw
        self._name = name
        self._size = size
        self._drawn_at = 0.0
        self._started_at = time.monotonic()
        # Of the whole file, once it is read: while rows are written, those that had their turn are told.
        self._row_count = 0

    def show(self, progress: ImportProgress, position: int | None) -> None:
        """Draw it anew, with `position` as how many bytes of the file were read, unless it was drawn just now."""
        self._row_count = max(self._row_count, progress.received)
        now = time.monotonic()
        if now - self._drawn_at < REDRAW_SECONDS:
            return
        self._drawn_at = now
        width = shutil.get_terminal_size().columns
        line = self._line(progress, position, now - self._started_at)
        self._draw(CLEAR_LINE + line[: width - 1])

    def clear(self) -> None:
        """Take it away, if it was ever drawn."""
        if self._drawn_at:
            self._draw(CLEAR_LINE)

    def _line(self, progress: ImportProgress, position: int | None, seconds: float) -> str:
        """A file that is read fills the first half of the bar; its rows the second, as they are written."""
        if progress.phase == "writing":
            written = progress.accepted + progress.duplicates + progress.conflicts + progress.quarantined
            share = written / self._row_count if self._row_count else 1.0
            return f"{self._name} {_bar(0.5 + share / 2)} {written:,} of {self._row_count:,} rows written"
        megabytes = progress.byte_count / MEGABYTE
        speed = megabytes / seconds if seconds else 0
        told = f"{progress.received:,} rows read, {megabytes:,.1f} MB, {speed:,.1f} MB/s"
        if not self._size or position is None:
            return f"{self._name} {told}"
        return f"{self._name} {_bar(min(1.0, position / self._size) / 2)} {told}"


def _bar(share: float) -> str:
    full = round(share * BAR_CELLS)
    return f"[{'#' * full}{'.' * (BAR_CELLS - full)}] {share:4.0%}"
