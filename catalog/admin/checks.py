"""How pages show what a check of a price list found, and what its examples cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from catalog.admin.figures import exact_in
from catalog.choices import Severity
from catalog.queries.examples import ExampleOutcome, example_in_words, examples_with_deck
from catalog.queries.findings import Finding, Place
from catalog.queries.lint import lint_deck

BADGES = {Severity.ERROR: "danger", Severity.WARNING: "warning"}


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place and the address of its page; empty where it has none."""

    sentence: str
    url: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with its places, and how many more there are than are shown."""

    finding: Finding
    badge: str
    places: list[PlaceRow]
    more: int


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """An example in words, what it is to cost and what it costs; `accepted` is what to take over, if it is wrong."""

    outcome: ExampleOutcome
    words: str
    url: str
    expected: str
    costs: str
    accepted: str


def shown_check(findings: Sequence[Finding], outcomes: Sequence[ExampleOutcome]) -> dict[str, Any]:
    """What the template admin/catalog/check.html shows of a card or a deck."""
    return {
        "findings": [finding_row(finding) for finding in findings],
        "examples": [example_row(outcome) for outcome in outcomes],
        "error_count": sum(finding.severity == Severity.ERROR for finding in findings),
        "warning_count": sum(finding.severity == Severity.WARNING for finding in findings),
        "wrong_count": sum(not outcome.is_right for outcome in outcomes),
    }


def shown_deck_check(deck_id: int) -> dict[str, Any]:
    """The same of a rate deck, as its card would be were the deck activated."""
    return shown_check(lint_deck(deck_id=deck_id), examples_with_deck(deck_id=deck_id))


def finding_row(finding: Finding) -> FindingRow:
    """One finding as a page shows it."""
    places = [PlaceRow(place.sentence, place_url(place)) for place in finding.places]
    more = finding.count - len(places) if places else 0
    return FindingRow(finding, BADGES[finding.severity], places, more)


def example_row(outcome: ExampleOutcome) -> ExampleRow:
    """One example as a page shows it."""
    example = outcome.example
    currency = example.rate_card.currency_id
    return ExampleRow(
        outcome=outcome,
        words=example_in_words(example),
        url=place_url(Place("", "catalog_rateexample", example.pk)),
        expected=exact_in(example.amount, currency),
        costs=exact_in(outcome.amount, currency) if outcome.amount is not None else "no price",
        accepted="" if outcome.is_right or outcome.amount is None else f"{outcome.amount:f}",
    )


def place_url(place: Place) -> str:
    """The page of what is found; empty where it has none, as lines of a deck that are shown on the deck's."""
    if not place.object_id:
        return ""
    try:
        return reverse(f"admin:{place.model}_change", args=[place.object_id])
    except NoReverseMatch:
        return ""
