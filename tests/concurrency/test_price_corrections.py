"""Prices of posted invoices corrected by several people at once."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial

import pytest

from billing.operations.price_corrections import DraftedCorrections, draft_corrections
from billing.operations.price_differences import price_differences
from billing.operations.what_if import WhatIf, what_if
from catalog.operations.rates import add_rate_version
from invoicing.models import PriceCorrection, Transaction, UsageCharge
from tests.billing.taken import THEN, cancel
from tests.concurrency.sessions import at_once
from tests.factories import RateCardFactory, RateFactory
from tests.runs import bill, customer_at, post, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)

FROM, UNTIL = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def acme_id() -> int:
    """Acme with 100 units at 0.10 on a posted invoice, which should have been 0.08."""
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    post(bill())
    add_rate_version(rate_id=rate_of(call).pk, start_date=FROM, terms={"unit_price": Decimal("0.08")})
    return acme.pk


def draft(customer_id: int) -> DraftedCorrections:
    return draft_corrections(from_day=FROM, until_day=UNTIL, customer_ids=[customer_id], at=THEN)


def test_what_four_people_correct_at_once_is_corrected_once(acme_id: int) -> None:
    drafted = at_once([partial(draft, acme_id)] * 4)
    assert sorted(one.transaction_count for one in drafted if isinstance(one, DraftedCorrections)) == [0, 0, 0, 2]
    assert [one.amount for one in Transaction.objects.order_by("id")] == [-10, 8]
    assert PriceCorrection.objects.count() == 1


def test_usage_taken_back_while_its_price_is_corrected_costs_nothing_in_the_end(acme_id: int) -> None:
    record = UsageCharge.objects.get().record
    works: list[Callable[[], object]] = [partial(draft, acme_id), partial(cancel, record)]
    at_once(works)
    # Whoever comes first: the 10 that were charged go, and a correction goes with them.
    assert 10 + sum(one.amount for one in Transaction.objects.all()) == 0
    assert price_differences(from_day=FROM, until_day=UNTIL).record_count == 0


def test_who_asks_at_once_waits_for_nobody(acme_id: int) -> None:
    card = RateCardFactory()
    RateFactory(rate_card=card, product=UsageCharge.objects.get().record.product, unit_price=Decimal("0.07"))
    asked = at_once([partial(what_if, from_day=FROM, until_day=UNTIL, card_id=card.pk)] * 3)
    assert [one.then if isinstance(one, WhatIf) else one for one in asked] == [7, 7, 7]
