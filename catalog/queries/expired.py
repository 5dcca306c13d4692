"""Prices that have ended and have no successor."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from django.db import connection

SQL = Path(__file__).parent / "sql"


def expired_counts(*, rate_card_ids: Sequence[int], on: date) -> dict[int, int]:
    """How many prices of each card have ended by the day without anything of the card that prices what they did.

    Cards without such prices are left out. One query, however many cards.
    """
    with connection.cursor() as cursor:
        cursor.execute((SQL / "expired_of_cards.sql").read_text(), {"rate_card_ids": list(rate_card_ids), "on": on})
        return dict(cursor.fetchall())
