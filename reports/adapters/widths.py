"""How wide the columns of a table on paper are: from what stands in them, in ems and points, before it is typeset.

A typesetter that measures each cell itself takes several times as long for a list of calls.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Of a sans-serif text, in ems: digits and most letters, capitals among small letters included. Wide ones are one em.
CHARACTER, WIDE_CHARACTER = 0.585, 1.05
BOLD = 1.15
# Left and right of what stands in a cell, in points.
PADDING = 6.0
SIZES = (8.0, 7.0, 6.0)
# Where a text may be parted that has no spaces: it is not seen.
BREAK = "\u200b"


@dataclass(frozen=True, slots=True)
class Widths:
    """The size of the letters and the widths of the columns, all in points."""

    size: float
    columns: tuple[float, ...]

    def parted(self, place: int, text: str) -> str:
        """A cell's text, with places to part its words where they are longer than the column is wide."""
        room = max(1, int((self.columns[place] - PADDING) / (self.size * CHARACTER)))
        if len(text) <= room:
            return text
        return " ".join(
            BREAK.join(word[start : start + room] for start in range(0, len(word), room)) for word in text.split(" ")
        )

    def all_parted(self, texts: Sequence[str]) -> list[str]:
        """A row's texts, each as its column takes it."""
        return [self.parted(place, text) for place, text in enumerate(texts)]


def ems(text: str) -> float:
    """How long a text is, in ems, well enough to give it room."""
    if text.isascii():
        return len(text) * CHARACTER
    return sum(WIDE_CHARACTER if unicodedata.east_asian_width(each) in "WF" else CHARACTER for each in text)


def longest_word(text: str) -> str:
    """What takes most room of a text that is set in several lines."""
    return max(text.split(), key=ems, default="")


def shortened(text: str, room: float) -> str:
    """A text that takes no more than so many ems, with … in place of its end where it is longer."""
    if ems(text) <= room:
        return text
    end = len(text) - 1
    while end and ems(text[:end]) + ems("…") > room:
        end -= 1
    return f"{text[:end].rstrip()}…"


def natural(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """What each column asks for so that no cell is set in two lines, in ems; headers are, at their spaces."""
    asked = [ems(longest_word(header)) * BOLD for header in headers]
    for row in rows:
        for place, text in enumerate(row):
            if len(text) * CHARACTER > asked[place] or not text.isascii():
                asked[place] = max(asked[place], ems(text))
    return asked


def fits(asked: Sequence[float], room: float) -> bool:
    """Whether columns have the room in points that they ask for, in letters of the largest size."""
    return sum(asked) * SIZES[0] + PADDING * len(asked) <= room


def widths(asked: Sequence[float], *, texts: Sequence[bool], room: float) -> Widths:
    """The widths of columns that ask for so many ems, together `room` points.

    Letters are as large as they can be, and what is left goes to all columns alike. Where even the smallest letters are
    too large, columns of texts give: first those that ask for most.
    """
    free = room - PADDING * len(asked)
    size = next((size for size in SIZES if sum(asked) * size <= free), SIZES[-1])
    wanted = [each * size for each in asked]
    over = sum(wanted) - free
    if over > 0:
        wanted = _shrunk(wanted, [place for place, is_text in enumerate(texts) if is_text], over)
    else:
        wanted = [each - over / len(wanted) for each in wanted]
    return Widths(size, tuple(round(each + PADDING, 2) for each in wanted))


def _shrunk(wanted: Sequence[float], elastic: Sequence[int], over: float) -> list[float]:
    """The widest of some columns cut down to one width, so that all together ask for less by `over`.

    Where these are too few, all columns are made narrower alike.
    """
    found = list(wanted)
    left = sum(wanted[place] for place in elastic) - over
    narrowest = SIZES[-1] * CHARACTER * 4
    if left < narrowest * len(elastic):
        share = (sum(wanted) - over) / sum(wanted)
        return [each * share for each in wanted]
    places = sorted(elastic, key=lambda place: wanted[place])
    for done, place in enumerate(places):
        cut = left / (len(places) - done)
        found[place] = min(wanted[place], cut)
        left -= found[place]
    return found
