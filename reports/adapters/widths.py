"""How wide the columns of a table on paper are: from what stands in them, in ems and points, before it is typeset.

Left to itself the typesetter gives numbers all that they ask for and texts what is left: in lists of many columns that
was too little, and texts overlapped. Nor does it make letters smaller.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

# Of a sans-serif text, in ems: digits and most small letters, capitals, the broadest letters, and those of East Asia.
CHARACTER, CAPITAL, BROAD_CAPITAL, BROAD_CHARACTER, WIDE_CHARACTER = 0.585, 0.65, 0.785, 0.94, 1.05
BROAD_CAPITALS = "DGHNOQUÄÖÜ"
BROAD = "mwMW@%…—жмшщыюфЖМШЩЫЮФ"
BOLD = 1.15
# Left and right of what stands in a cell, in points.
PADDING = 6.0
SIZES = (8.0, 7.0, 6.0)
# Where a text may be parted that has no spaces: it is not seen.
BREAK = "\u200b"
# What is lost where widths are rounded.
ROUNDED = 0.01


@dataclass(frozen=True, slots=True)
class Widths:
    """The size of the letters and the widths of the columns, all in points."""

    size: float
    columns: tuple[float, ...]

    def parted(self, place: int, text: str, *, is_bold: bool = False) -> str:
        """A cell's text, with places to part its words where they are longer than the column is wide."""
        room = (self.columns[place] - PADDING + ROUNDED) / self.size / (BOLD if is_bold else 1)
        return parted(text, room)

    def all_parted(self, texts: Sequence[str], *, is_sum: bool = False) -> list[str]:
        """A row's texts, each as its column takes it. Of sums, what they are called is bold, and may be parted so."""
        return [self.parted(place, text, is_bold=is_sum and place == 0) for place, text in enumerate(texts)]


def ems(text: str) -> float:
    """How long a text is, in ems, well enough to give it room."""
    return sum(map(_width, text))


def parted(text: str, room: float) -> str:
    """A text with places to part its words where they take more than so many ems."""
    if ems(text) <= room:
        return text
    return " ".join(BREAK.join(_pieces(word, room)) for word in text.split(" "))


@cache
def _width(character: str) -> float:
    if character in BROAD:
        return BROAD_CHARACTER
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        # It stands above or below the one before, or is not seen.
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return WIDE_CHARACTER
    if character.isupper():
        return BROAD_CAPITAL if character in BROAD_CAPITALS or not character.isascii() else CAPITAL
    return CHARACTER


def _pieces(word: str, room: float) -> Iterator[str]:
    """A word in pieces that take no more than so many ems; no mark is parted from its letter."""
    start, length = 0, 0.0
    for place, character in enumerate(word):
        width = _width(character)
        if width == WIDE_CHARACTER:
            # The typesetter parts words of these by itself, and knows where not to.
            length = 0
        elif length and width and length + width > room:
            yield word[start:place]
            start, length = place, 0
        length += width
    yield word[start:]


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
            # No character of ASCII is broader.
            if len(text) * BROAD_CHARACTER > asked[place] or not text.isascii():
                asked[place] = max(asked[place], ems(text))
    return asked


def fits(asked: Sequence[float], room: float) -> bool:
    """Whether columns have the room in points that they ask for, in letters of the largest size."""
    return sum(asked) * SIZES[0] + PADDING * len(asked) <= room


def widths(asked: Sequence[float], *, texts: Sequence[bool], room: float) -> Widths:
    """The widths of columns that ask for so many ems, together `room` points.

    Letters are as large as they can be, and what is left goes to all columns alike. Where even the smallest letters are
    too large, columns of texts give, or all where these are too few: first those that ask for most.
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

    Where these are too few, the widest of all columns: short ones, such as dates, stay whole.
    """
    found = list(wanted)
    left = sum(wanted[place] for place in elastic) - over
    narrowest = SIZES[-1] * CHARACTER * 4
    if left < narrowest * len(elastic):
        elastic, left = range(len(wanted)), sum(wanted) - over
    places = sorted(elastic, key=lambda place: wanted[place])
    for done, place in enumerate(places):
        found[place] = min(wanted[place], left / (len(places) - done))
        left -= found[place]
    return found
