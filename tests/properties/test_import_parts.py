"""A file is taken in part by part: whatever the size of the parts, it ends in the same."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.usage.taking import HEADER, counts, lines, make_company, take
from usage.models import PendingUsage, QuarantinedLine, UsageConflict, UsageDataRecord
from usage.operations import merge

# So wide that a block of the staging table holds four rows, and just not so wide that they are packed.
PAD = "x" * 1_700

Row = tuple[int, str, bool, bool]
rows = st.lists(
    st.tuples(
        st.integers(min_value=1, max_value=6),  # the number
        st.sampled_from(["60", "60", "60", "61", "6e1", "sixty"]),
        st.booleans(),  # whether its service is known
        st.booleans(),  # whether a cell spans lines
    ),
    min_size=6,
    max_size=40,
)


def text(row: Row) -> str:
    number, amount, is_known, spans = row
    service = "+49301" if is_known or number % 2 else "+49399"
    return f'R{number},{service},CALL,2026-01-15T12:00:00Z,,{amount},"{PAD}{chr(10) if spans else ""}"'


def result(content: str, part_rows: int) -> tuple[dict[str, Any], int]:
    """All that a file leaves behind when it is taken in by parts of so many rows, and how many parts those were."""
    parts: list[int] = []
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "PART_ROWS", part_rows)
        whole_part = merge._merge_part

        def counted(*arguments: Any) -> merge.Counts:
            parts.append(1)
            return whole_part(*arguments)

        patch.setattr(merge, "_merge_part", counted)
        make_company()
        taken = take(content)
        found = {
            "counts": counts(taken),
            "records": list(
                UsageDataRecord.objects.order_by("line_number").values_list("number", "line_number", "usage_amount")
            ),
            # Numbers of rows go up in the order of the file.
            "order": list(UsageDataRecord.objects.order_by("pk").values_list("line_number", flat=True)),
            "pending": sorted(PendingUsage.objects.values_list("record__number", flat=True)),
            "conflicts": list(
                UsageConflict.objects.order_by("line_number").values_list(
                    "line_number", "record__line_number", "differences", "raw_text"
                )
            ),
            "quarantined": list(
                QuarantinedLine.objects.order_by("line_number").values_list("line_number", "detail", "raw_text")
            ),
        }
        transaction.set_rollback(True)
    return found, len(parts)


@pytest.mark.django_db
@settings(max_examples=25)
@given(rows, st.sampled_from([1, 7, 12]))
def test_a_file_of_many_parts_ends_as_one_of_one_part(file: list[Row], part_rows: int) -> None:
    content = lines(*map(text, file), header=f"{HEADER},udf_string_1")
    whole, one = result(content, 200_000)
    by_parts, several = result(content, part_rows)
    event(f"{min(several, 5)} parts or more")
    assert by_parts == whole
    assert whole["order"] == sorted(whole["order"])
    assert one == 1


@pytest.mark.django_db
def test_parts_are_as_small_as_they_are_asked_to_be() -> None:
    content = lines(*(text((n, "60", True, False)) for n in range(40)), header=f"{HEADER},udf_string_1")
    found, parts = result(content, 12)
    assert found["counts"] == {"accepted": 40}
    assert parts == 4  # of three blocks each, the last of one
    assert result(content, 1)[1] == 10
