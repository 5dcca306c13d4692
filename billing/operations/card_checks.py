"""Rate cards are checked by and by, and what was found is kept for the pre-flight of runs."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F

from billing.models import RateCardCheck
from catalog.models import RateCard
from customers.queries.lint import lint_rate_card

# One round takes no longer, but for the card that it is at; the next one goes on with those that wait longest.
LONGEST_ROUND = timedelta(seconds=40)


def check_rate_cards(*, now: Callable[[], datetime]) -> int:
    """Check rate cards, those first that were never checked or not for longest; how many there was time for."""
    began = now()
    order = F("last_check__checked_at").asc(nulls_first=True)
    count = 0
    for card in RateCard.objects.order_by(order, "id").only("id"):
        at = now()
        if at - began > LONGEST_ROUND:
            break
        _check(card.pk, at)
        count += 1
    return count


def _check(rate_card_id: int, at: datetime) -> None:
    findings = [
        {
            "rule": finding.rule,
            "severity": str(finding.severity),
            "count": finding.count,
            "sentence": finding.sentence,
        }
        for finding in lint_rate_card(rate_card_id=rate_card_id, on=at.date())
    ]
    RateCardCheck.objects.update_or_create(
        rate_card_id=rate_card_id, defaults={"checked_at": at, "checked_on": at.date(), "findings": findings}
    )
