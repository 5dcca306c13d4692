"""What might be wrong with the prices of a run before it is commenced: examples, and rates that have ended."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection

from billing.choices import PreflightVerdict
from billing.models import BillingRun
from billing.queries.preflight_checks import PreflightCheck, counted, listed, warn_of
from catalog.models import RateCard
from catalog.queries.examples import ExampleOutcome, examples_of_cards
from catalog.queries.expired import expired_counts

SQL = Path(__file__).parent / "sql"
ONE_DAY = timedelta(days=1)
# Examples are tried in the week up to the last day.
SIX_DAYS = timedelta(days=6)


def price_checks(run: BillingRun) -> tuple[PreflightCheck, ...]:
    """The checks of the rate cards that customers of the run with pending usage are priced by."""
    card_ids = _cards_of(run)
    # The last day whose usage the run bills.
    last_day = run.cutoff_date - ONE_DAY
    return _wrong_examples(card_ids, last_day), _expired_rates(card_ids, last_day)


def _cards_of(run: BillingRun) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute((SQL / "cards_of_run.sql").read_text(), {"subrun": run.subrun, "cutoff_date": run.cutoff_date})
        return [card_id for (card_id,) in cursor.fetchall()]


def _wrong_examples(card_ids: Sequence[int], last_day: date) -> PreflightCheck:
    # An example of a later day is of prices that the run does not use yet.
    due = [
        outcome
        for outcome in examples_of_cards(rate_card_ids=card_ids, on=last_day - SIX_DAYS)
        if outcome.example.used_at.astimezone(ZoneInfo(outcome.example.timezone)).date() <= last_day
    ]
    wrong = [outcome for outcome in due if not outcome.is_right]
    return PreflightCheck(
        code="wrong_examples",
        title="Examples of prices",
        # Somebody said what it is to cost: to bill something else is never meant.
        verdict=PreflightVerdict.BLOCK if wrong else PreflightVerdict.PASS,
        count=len(wrong),
        detail=_examples_in_words(wrong, last_day) if wrong else _right_in_words(len(due)),
        model="catalog_rateexample",
        query=_of_one_card({outcome.example.rate_card_id for outcome in wrong}),
    )


def _examples_in_words(wrong: Sequence[ExampleOutcome], last_day: date) -> str:
    cards = sorted({outcome.example.rate_card.name for outcome in wrong})
    return (
        f"{counted(len(wrong), 'example is', 'examples are')} wrong by the prices of the week up to {last_day} "
        f"in {listed(cards)}. The first: {wrong[0].sentence} Correct the prices or the example."
    )


def _right_in_words(count: int) -> str:
    if not count:
        return "The rate cards that price the run's usage have no examples."
    return f"{counted(count, 'example of the rate cards costs', 'examples of the rate cards cost')} what was said."


def _expired_rates(card_ids: Sequence[int], last_day: date) -> PreflightCheck:
    expired = expired_counts(rate_card_ids=card_ids, on=last_day)
    names = list(RateCard.objects.filter(id__in=expired).order_by("name").values_list("name", flat=True))
    count = sum(expired.values())
    return PreflightCheck(
        code="expired_rates",
        title="Expired prices",
        verdict=warn_of(count),
        count=count,
        detail=f"{counted(count, 'price of', 'prices of')} {listed(names)} ended before the cutoff date, and nothing "
        "of the card prices what it did. Add a version, if it is still sold."
        if count
        else "No price that ended before the cutoff date is without a successor.",
        model="catalog_rate",
        query=(*_of_one_card(set(expired)), ("holding", "ended")) if expired else (),
    )


def _of_one_card(card_ids: set[int]) -> tuple[tuple[str, str], ...]:
    """The filter of a list by the card, where it is one."""
    return tuple(("rate_card__id__exact", str(card_id)) for card_id in card_ids) if len(card_ids) == 1 else ()
