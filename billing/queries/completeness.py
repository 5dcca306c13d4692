"""Is every record accounted for? Counted from the tables, not from what was noted along the way."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from catalog.engine.money import exact_sum

BALANCE = """
SELECT
  count(*), coalesce(sum(r.usage_amount), 0),
  count(*) FILTER (WHERE x.is_pending), coalesce(sum(r.usage_amount) FILTER (WHERE x.is_pending), 0),
  count(*) FILTER (WHERE x.is_charged), coalesce(sum(r.usage_amount) FILTER (WHERE x.is_charged), 0),
  count(*) FILTER (WHERE x.is_excluded), coalesce(sum(r.usage_amount) FILTER (WHERE x.is_excluded), 0),
  count(*) FILTER (WHERE x.is_pending::integer + x.is_charged::integer + x.is_excluded::integer <> 1)
FROM usage_data_record r
LEFT JOIN pending_usage p ON p.record_id = r.id
LEFT JOIN usage_charge c ON c.record_id = r.id
CROSS JOIN LATERAL (
  SELECT p.record_id IS NOT NULL AS is_pending, c.record_id IS NOT NULL AS is_charged,
    r.life_cycle_state <> 'POSTED' OR r.billing_directive = 'NOT_TO_BE_BILLED' AS is_excluded
) x
WHERE r.usage_import_id = %(import_id)s
"""


@dataclass(frozen=True, slots=True)
class Share:
    """So many records with so much usage, in the unit of their usage types."""

    count: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class UsageBalance:
    """What became of the records of an import: total = pending + charged + excluded, by count and by quantity.

    `misplaced_count` records are in none of the three, or in two: the sums could hide it where one is lost and another
    is counted twice.
    """

    total: Share
    pending: Share
    charged: Share
    excluded: Share
    misplaced_count: int

    @property
    def balances(self) -> bool:
        """Whether nothing is lost and nothing is in two places."""
        parts = (self.pending, self.charged, self.excluded)
        together = Share(sum(part.count for part in parts), exact_sum(part.quantity for part in parts))
        return self.misplaced_count == 0 and self.total == together


def import_balance(import_id: int) -> UsageBalance:
    """The balance of one import's records. Reads all of them."""
    with connection.cursor() as cursor:
        cursor.execute(BALANCE, {"import_id": import_id})
        row = cursor.fetchone()
    total, pending, charged, excluded = (Share(row[n], row[n + 1]) for n in range(0, 8, 2))
    return UsageBalance(total=total, pending=pending, charged=charged, excluded=excluded, misplaced_count=row[8])
