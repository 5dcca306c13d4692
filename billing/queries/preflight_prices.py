"""What might be wrong with the prices of a run before it is commenced: examples, and rates that have ended."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection

from billing.choices import PreflightVerdict
from billing.models import BillingRun, RateCardCheck
from billing.queries.preflight_checks import PreflightCheck, counted, either, listed, warn_of
from catalog.models import RateCard
from catalog.queries.examples import ExampleOutcome, examples_of_cards
from catalog.queries.expired import expired_counts

SQL = Path(__file__).parent / "sql"
# Rules of the check of a card that the pre-flight has checks of its own for.
CHECKED_BY_THE_DAY = {"wrong_examples", "expired"}
ONE_DAY = timedelta(days=1)
# Examples are tried in the week up to the last day.
SIX_DAYS = timedelta(days=6)


def price_checks(run: BillingRun) -> tuple[PreflightCheck, ...]:
    """The checks of the rate cards that customers of the run with pending usage are priced by."""
    card_ids = _cards_of(run)
    # The last day whose usage the run bills.
    last_day = run.cutoff_date - ONE_DAY
    return _wrong_examples(card_ids, last_day), _expired_rates(card_ids, last_day), _card_findings(card_ids)


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
        f"of {either(len(names), 'the card', 'their cards')} prices what {either(count, 'it', 'they')} did. "
        + either(count, "Add a version, if it is still sold.", "Add versions of what is still sold.")
        if count
        else "No price that ended before the cutoff date is without a successor.",
        model="catalog_rate",
        query=(*_of_one_card(set(expired)), ("holding", "ended")) if expired else (),
    )


def _card_findings(card_ids: Sequence[int]) -> PreflightCheck:
    """What the hourly check found, but for what the checks above look at by the run's own day."""
    checks = (
        RateCardCheck.objects.filter(rate_card__in=card_ids).select_related("rate_card").order_by("rate_card__name")
    )
    found = [
        (check, finding) for check in checks for finding in check.findings if finding["rule"] not in CHECKED_BY_THE_DAY
    ]
    count = sum(finding["count"] for _, finding in found)
    with_findings = list({check.rate_card_id: check for check, _ in found}.values())
    return PreflightCheck(
        code="rate_card_findings",
        title="Checks of rate cards",
        verdict=warn_of(count),
        count=count,
        detail=f"{counted(count, 'thing looks', 'things look')} wrong in "
        f"{listed([check.rate_card.name for check in with_findings])}. The first: {found[0][1]['sentence']} "
        f"{_last_checked(with_findings)}"
        if found
        else _unfound_in_words(len(card_ids), list(checks)),
        model="billing_ratecardcheck",
        query=(("q", with_findings[0].rate_card.name),) if len(with_findings) == 1 else (),
    )


def _unfound_in_words(card_count: int, checks: Sequence[RateCardCheck]) -> str:
    if not card_count:
        return "No rate card prices usage of the run."
    unchecked = card_count - len(checks)
    if not unchecked:
        return f"Nothing looks wrong in the rate cards that price the run's usage. {_last_checked(checks)}"
    return (
        f"{counted(unchecked, 'rate card', 'rate cards')} of the run {either(unchecked, 'was', 'were')} not checked "
        "yet. The check runs every hour; a card's own page makes it at once."
    )


def _last_checked(checks: Sequence[RateCardCheck]) -> str:
    """Since when this is known: of several cards the time of the oldest check."""
    oldest = min(check.checked_at for check in checks)
    return f"Last checked at {oldest.astimezone(UTC):%Y-%m-%d %H:%M} UTC."


def _of_one_card(card_ids: set[int]) -> tuple[tuple[str, str], ...]:
    """The filter of a list by the card, where it is one."""
    return tuple(("rate_card__id__exact", str(card_id)) for card_id in card_ids) if len(card_ids) == 1 else ()
