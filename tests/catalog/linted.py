"""Cards to check, and what a rule says of one."""

from datetime import date, time
from decimal import Decimal

from catalog.models import Rate, RateCard, TimeBand
from catalog.queries.findings import Finding
from catalog.queries.lint import lint_card
from tests.factories import RateTierFactory, TimeBandFactory, TimeBandHoursFactory

ON = date(2026, 2, 1)
WEEK = [1, 2, 3, 4, 5, 6, 7]


def band(name: str, *hours: tuple[list[int], time, time | None]) -> TimeBand:
    made = TimeBandFactory(name=name)
    for days, start, end in hours:
        TimeBandHoursFactory(time_band=made, days=days, start_time=start, end_time=end)
    return made


def found(card: RateCard, rule: str, on: date = ON) -> Finding | None:
    """What the rule found, which is of one severity here."""
    findings = [finding for finding in lint_card(rate_card_id=card.pk, on=on) if finding.rule == rule]
    assert len(findings) <= 1
    return findings[0] if findings else None


def said(finding: Finding | None) -> list[str]:
    return [place.sentence for place in finding.places] if finding else []


def tiered(rate: Rate, *tiers: tuple[str, str]) -> Rate:
    for from_quantity, unit_price in tiers:
        RateTierFactory(rate=rate, from_quantity=Decimal(from_quantity), unit_price=Decimal(unit_price))
    return rate
