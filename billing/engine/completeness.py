"""Does what was received on a day add up? And if not, in words: what is missing, too much, or misplaced."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from catalog.engine.money import exact_sum

# What can be wrong with where a record is. A record is pending, charged or excluded (not to be billed, draft, rejected,
# cancelled), and in one of these only; a cancelled one may have a charge that was taken back.
FAULTS = {
    "PENDING_AND_CHARGED": "It is pending and charged: the next run would bill it again.",
    "PENDING_ELSEWHERE": "Its row of pending usage names another customer or date: no run bills it where it belongs.",
    "CHARGED_ELSEWHERE": "It is charged to another customer.",
    "CHARGED_OTHERWISE": "It is charged for another quantity than it has.",
    "NOWHERE": "It is to be billed, but it is neither pending nor charged: no run would bill it.",
    "REVERSED_BUT_POSTED": "Its charge was taken back, but it is not cancelled.",
    "EXCLUDED_BUT_PENDING": "It is not to be billed, but it is pending.",
    "EXCLUDED_BUT_CHARGED": "It is not to be billed, but it has a charge that was not taken back.",
}


@dataclass(frozen=True, slots=True)
class MisplacedRecord:
    """A record that is in none of pending, charged and excluded, in two of them, or in one wrongly."""

    id: int
    number: str
    fault: str

    @property
    def detail(self) -> str:
        """What is wrong, as a sentence."""
        return FAULTS[self.fault]


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What one source system sent on one day (UTC), and where it is. Quantities are in the units of the usage types.

    Received, accepted, duplicates, conflicts and quarantined are what imports noted, and records that came one by one.
    The others are counted in the tables: `record_count` records, `conflict_row_count` rows that are kept as conflicts,
    `quarantined_line_count` lines that did not go in. `charged_quantity` is what the charges say.
    """

    source_system_id: int
    day: date
    received_count: int
    accepted_count: int
    duplicate_count: int
    conflict_count: int
    quarantined_count: int
    conflict_row_count: int
    quarantined_line_count: int
    record_count: int
    record_quantity: Decimal
    pending_count: int
    pending_quantity: Decimal
    charged_count: int
    charged_quantity: Decimal
    not_billed_count: int
    draft_count: int
    rejected_count: int
    cancelled_count: int
    excluded_quantity: Decimal
    misplaced_count: int
    checked_at: datetime
    misplaced: tuple[MisplacedRecord, ...] = ()

    @property
    def excluded_count(self) -> int:
        """Records that no run bills, whatever the reason."""
        return self.not_billed_count + self.draft_count + self.rejected_count + self.cancelled_count

    @property
    def balances(self) -> bool:
        """Whether everything that was received is where it belongs."""
        return not self.differences

    @property
    def differences(self) -> list[str]:
        """What does not add up, a sentence each; none where all does."""
        parted = self.accepted_count + self.duplicate_count + self.conflict_count + self.quarantined_count
        placed = self.pending_count + self.charged_count + self.excluded_count
        sentences = [
            _uneven("row", self.received_count, parted, "received", "accounted for"),
            _uneven("record", self.accepted_count, self.record_count, "accepted", "there"),
            _uneven("conflict", self.conflict_count, self.conflict_row_count, "noted by imports", "kept"),
            _uneven(
                "quarantined line", self.quarantined_count, self.quarantined_line_count, "noted by imports", "kept"
            ),
            _uneven("record", self.record_count, placed, "there", "pending, charged or excluded"),
            self._uneven_quantity(),
            _misplaced(self.misplaced_count),
        ]
        return [sentence for sentence in sentences if sentence]

    def _uneven_quantity(self) -> str:
        placed = exact_sum([self.pending_quantity, self.charged_quantity, self.excluded_quantity])
        difference = exact_sum([self.record_quantity, placed.copy_negate()])
        if not difference:
            return ""
        what = "is missing" if difference > 0 else "is too much"
        return (
            f"A quantity of {_plain(difference.copy_abs())} {what}: the records have {_plain(self.record_quantity)}, "
            f"pending, charged and excluded are {_plain(placed)}."
        )


def _uneven(thing: str, expected: int, found: int, expected_is: str, found_is: str) -> str:
    """A sentence where two counts differ: 12 records are missing: 100 were accepted, 88 are there."""
    if expected == found:
        return ""
    difference = abs(expected - found)
    things = thing if difference == 1 else f"{thing}s"
    verb = "is" if difference == 1 else "are"
    what = "missing" if found < expected else "too many"
    return f"{difference:,} {things} {verb} {what}: {expected:,} {expected_is}, {found:,} {found_is}."


def _misplaced(count: int) -> str:
    if not count:
        return ""
    return "1 record is not where it belongs." if count == 1 else f"{count:,} records are not where they belong."


def _plain(quantity: Decimal) -> str:
    """A quantity in full, with thousands separators and without the zeros that its scale adds."""
    text = f"{quantity:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
