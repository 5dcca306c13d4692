"""What becomes of the rows of a file, whatever their order, their faults and how often they come."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.factories import ProductFactory, SubscriptionServiceFactory
from tests.usage.taking import HEADER, counts, lines, make_company, records, take
from usage.models import PendingUsage, UsageConflict, UsageDataRecord

SERVICES = ("+49301", "+49302")
PRODUCTS = ("CALL", "FAX, sent")
# Each with what it is; other texts are no number and no date.
AMOUNTS = {
    "60": Decimal(60),
    "6e1": Decimal(60),
    "60.0": Decimal(60),
    "0.000000000000000001": Decimal("1e-18"),
    "-1": Decimal(-1),
}
STARTS = {
    "2026-01-15T12:00:00Z": datetime(2026, 1, 15, 12, 0, tzinfo=UTC),
    "2026-01-15 13:00:00+01": datetime(2026, 1, 15, 12, 0, tzinfo=UTC),
    "2026-01-16T00:00:00": datetime(2026, 1, 16, 0, 0, tzinfo=UTC),
}
Content = tuple[str, str, datetime, Decimal]


@dataclass(frozen=True)
class Row:
    number: str
    service: str
    product: str
    start: str
    amount: str

    @property
    def text(self) -> str:
        product = f'"{self.product}"' if "," in self.product else self.product
        return f"{self.number},{self.service},{product},{self.start},,{self.amount}"

    @property
    def content(self) -> Content | None:
        """What a record of it says; None if it cannot be one."""
        if self.service not in SERVICES or self.product not in PRODUCTS:
            return None
        if self.start not in STARTS or self.amount not in AMOUNTS:
            return None
        return self.service, self.product, STARTS[self.start], AMOUNTS[self.amount]


rows = st.lists(
    st.builds(
        Row,
        number=st.sampled_from(["1", "2", "3", "N-4", "ö5"]),
        service=st.sampled_from([*SERVICES, *SERVICES, *SERVICES, "+49399", ""]),
        product=st.sampled_from([*PRODUCTS, *PRODUCTS, "NONE"]),
        start=st.sampled_from([*STARTS, *STARTS, "2024-02-30T12:00:00Z"]),
        amount=st.sampled_from([*AMOUNTS, *AMOUNTS, "twelve", "1e99"]),
    ),
    max_size=15,
)


def expected(file: list[Row], known: dict[str, Content]) -> Counter[str]:
    """What becomes of the rows, one after the other; `known` are the contents of records by number, and grows."""
    outcomes: Counter[str] = Counter()
    for row in file:
        if row.content is None:
            outcomes["quarantined"] += 1
        elif row.number not in known:
            known[row.number] = row.content
            outcomes["accepted"] += 1
        else:
            outcomes["duplicates" if known[row.number] == row.content else "conflicts"] += 1
    return outcomes


def stored() -> dict[str, Content]:
    """What the records say, by number."""
    found = UsageDataRecord.objects.values_list(
        "number", "subscription_service__identifier", "product__code", "from_date", "usage_amount"
    )
    return {number: (service, product, start, amount) for number, service, product, start, amount in found}


@pytest.mark.django_db
@settings(max_examples=35)
@given(st.lists(rows, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_files_become_what_their_rows_say_in_their_order(files: list[list[Row]], chance: random.Random) -> None:
    with transaction.atomic():
        make_company()
        SubscriptionServiceFactory(identifier=SERVICES[1])
        ProductFactory(code=PRODUCTS[1])
        known: dict[str, Content] = {}
        for number, file in enumerate(files):
            # A column that nothing reads makes each file one of its own.
            content = lines(*(f"{row.text},{number}" for row in file), header=f"{HEADER},x{number}")
            assert counts(take(content)) == expected(file, known)
            assert stored() == known
        event(f"{len(known)} records, {UsageConflict.objects.count() > 0} conflicts")
        assert PendingUsage.objects.count() == len(known)

        before = records("id", "number", "usage_import", "line_number", "updated_at")
        again = [row for file in files for row in file]
        chance.shuffle(again)
        content = lines(*(row.text for row in again))
        outcomes = expected(again, dict(known))
        assert counts(take(content)) == outcomes
        assert "accepted" not in outcomes
        assert records("id", "number", "usage_import", "line_number", "updated_at") == before
        transaction.set_rollback(True)
