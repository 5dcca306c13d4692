"""Seller and buyer of documents: copied to drafts, and copied again when they are posted."""

from collections.abc import Sequence
from pathlib import Path

from django.db.backends.utils import CursorWrapper

SQL = Path(__file__).parent / "sql"
# Documents by which the customer owes the tax itself.
WITHOUT_VAT_NUMBER = """
SELECT c.account_number
FROM invoice i
JOIN customer c ON c.id = i.customer_id
WHERE i.id = ANY (%(invoice_ids)s) AND i.state = 'DRAFT' AND i.customer_vat_number = '' AND EXISTS (
  SELECT FROM invoice_tax x JOIN tax_rate t ON t.id = x.tax_rate_id
  WHERE x.invoice_id = i.id AND t.treatment = 'reverseCharge'
)
ORDER BY c.account_number COLLATE "C" LIMIT 1
"""


def party_sql() -> str:
    """A query of what documents copy of each customer and of who sells to it, by `customer_id`."""
    return (SQL / "party.sql").read_text()


def copy_parties(cursor: CursorWrapper, *, invoice_ids: Sequence[int]) -> None:
    """Copy seller and buyer, as they are now, to those of these documents that are drafts."""
    cursor.execute(
        (SQL / "parties.sql").read_text().replace("{party}", party_sql()), {"invoice_ids": list(invoice_ids)}
    )


def without_vat_number(cursor: CursorWrapper, *, invoice_ids: Sequence[int]) -> str | None:
    """The first account number of which a draft needs the VAT number, for reverse charge, and does not have it."""
    cursor.execute(WITHOUT_VAT_NUMBER, {"invoice_ids": list(invoice_ids)})
    found = cursor.fetchone()
    return None if found is None else str(found[0])
