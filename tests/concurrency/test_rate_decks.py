"""Rate decks at the same time, and one whose worker dies: prices change as a whole or not at all."""

import os
import signal
import time
from datetime import date
from multiprocessing import get_context
from typing import Any

import pytest
from django.db import connection

from catalog.models import Rate, RateDeck
from catalog.operations.rate_decks.errors import DeckConflict, DeckStale
from catalog.operations.rates import RateRefused, add_rate_version, end_rate
from tests import factories
from tests.catalog.decks import activate, prepare
from tests.concurrency.sessions import at_once, meanwhile, sessions, transaction_open

pytestmark = pytest.mark.django_db(transaction=True)

LINES = 30_000
LONGEST_SECONDS = 60


@pytest.fixture
def decks() -> list[RateDeck]:
    """Two decks of one card, each with all of its prices new."""
    card = factories.RateCardFactory()
    factories.ProductFactory(code="CALL")
    header = "product,prefix,unit_price\n"
    return [
        prepare(card, header + "".join(f"CALL,{10_000 + n},{price}\n" for n in range(LINES))) for price in ("1", "2")
    ]


def test_of_two_activations_at_once_one_wins_and_the_other_is_stale(decks: list[RateDeck]) -> None:
    results = at_once([lambda deck=deck: activate(deck) for deck in decks])  # type: ignore[misc]
    assert sorted(type(result).__name__ for result in results) == ["DeckStale", "RateDeck"]
    assert any(isinstance(result, DeckStale) for result in results)
    assert Rate.objects.count() == LINES
    assert Rate.objects.values("unit_price").distinct().count() == 1


def test_the_same_deck_is_activated_once(decks: list[RateDeck]) -> None:
    results = at_once([lambda: activate(decks[0]), lambda: activate(decks[0])])
    assert sorted(type(result).__name__ for result in results) == ["DeckConflict", "RateDeck"]
    assert any(isinstance(result, DeckConflict) for result in results)
    assert Rate.objects.count() == LINES


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda rate: add_rate_version(rate_id=rate.pk, start_date=date(2026, 4, 1), terms={}),
            "This version ends on 2026-03-01: a new one starts before that, or is added by itself.",
        ),
        (
            lambda rate: end_rate(rate_id=rate.pk, end_date=date(2026, 6, 1)),
            "is for the same and holds in that time, from 2026-03-01 on",
        ),
    ],
    ids=["a new version", "an end"],
)
def test_what_changes_a_rate_waits_until_a_deck_is_activated(change: Any, sentence: str) -> None:
    rate = factories.RateFactory(destination_prefix="44")
    with transaction_open() as other:
        # What the activation of a deck does, in its order: the card locked, a version ended, the next one added.
        other.execute("SELECT FROM rate_card WHERE id = %s FOR UPDATE", [rate.rate_card_id])
        with pytest.raises(RateRefused) as refused, meanwhile(lambda: change(rate)) as done:  # noqa: PT012
            assert not done.done()
            other.execute("UPDATE rate SET end_date = '2026-03-01' WHERE id = %s", [rate.pk])
            other.execute(
                "INSERT INTO rate (rate_card_id, product_id, region, destination_prefix, pricing_model, unit_price,"
                " rounding_mode, start_date) SELECT rate_card_id, product_id, region, destination_prefix,"
                " pricing_model, 2, rounding_mode, '2026-03-01' FROM rate WHERE id = %s",
                [rate.pk],
            )
            other.execute("COMMIT")
    assert sentence in str(refused.value)
    assert [str(end) for end in Rate.objects.order_by("start_date").values_list("end_date", flat=True)] == [
        "2026-03-01",
        "None",
    ]


def _activate_in_a_process(deck_id: int) -> None:
    connection.close()
    activate(RateDeck.objects.get(id=deck_id))


def test_a_killed_activation_leaves_nothing(decks: list[RateDeck]) -> None:
    connection.close()
    worker = get_context("fork").Process(target=_activate_in_a_process, args=[decks[0].pk])
    worker.start()
    inserts = "query LIKE '%INSERT INTO rate (%' AND state = 'active'"
    deadline = time.monotonic() + LONGEST_SECONDS
    while not sessions(inserts):
        assert worker.is_alive(), "it was over before it was killed"
        assert time.monotonic() < deadline, "it never wrote a rate"
        time.sleep(0.002)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    while sessions(inserts) or sessions("state LIKE 'idle in transaction%'"):
        assert time.monotonic() < deadline, "its session goes on"
        time.sleep(0.05)
    assert not Rate.objects.exists()
    assert RateDeck.objects.get(id=decks[0].pk).state == "READY"
    activate(decks[0])
    assert Rate.objects.count() == LINES
