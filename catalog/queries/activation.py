"""What speaks against activating a rate deck."""

from catalog.choices import Severity
from catalog.queries.examples import examples_with_deck
from catalog.queries.lint import lint_deck


def activation_objections(*, deck_id: int) -> list[str]:
    """A sentence for each example that would cost something else, and for each error that lines of the deck bring.

    Errors that the card has already are not the deck's. Raises `RateDeck.DoesNotExist`.
    """
    errors = [finding for finding in lint_deck(deck_id=deck_id) if finding.severity == Severity.ERROR]
    wrong = [outcome.sentence for outcome in examples_with_deck(deck_id=deck_id) if not outcome.is_right]
    return [*wrong, *(f"{finding.title}: {finding.sentence}" for finding in errors if finding.line_count)]
