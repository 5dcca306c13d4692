"""Whether the posted invoices of a run are what its stored inputs make of them: all of it computed again.

Records are rated anew by the one rating SQL, by the price lists of their accounts as the run saw them; where a price
depends on the usage of a month, with what was noted of the month when it was charged. Charges are added up to lines,
lines to taxes and totals; digests are taken anew. Nothing of it is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from billing.models import BillingRun
from billing.operations.production import prepare_session
from billing.operations.proof import stored_and_recomputed_root
from billing.operations.rating import (
    FRAGMENTS,
    drop_rating_tables,
    forget_prices,
    own_prices,
    prepare_prices,
    rate_taken,
    use_sql,
)
from invoicing.operations.content import content_of, parts_sql, version_1_sql

SQL = Path(__file__).parent / "sql" / "verify"
CHARGES_AT_ONCE = 200_000
CHUNK_TABLES = "account, charged, taken, recounted, line, tax, charge"
COUNTED_FRAGMENTS = ("amount_after", "amount_at_start", "rounded_fee")
CHUNKS = """
SELECT chunk, min(price_snapshot), array_agg(invoice_id ORDER BY turn) FROM document GROUP BY chunk ORDER BY chunk
"""
FIRST = """
SELECT d.number, f.place, f.field, f.stored, f.recomputed
FROM difference f JOIN document d USING (turn)
ORDER BY f.turn, f.rank, f.place COLLATE "C", f.field LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class ProofDifference:
    """One thing that a document says otherwise than is computed now, as texts; empty: there is nothing.

    `place` is where on the document (a record, a line, a tax, the document, a part of its digests), `field` what of it.
    """

    number: str
    place: str
    field: str
    stored: str
    recomputed: str

    def __str__(self) -> str:
        return (
            f"{self.number}: {self.place}: {self.field} is {self.stored or 'missing'}, "
            f"computed again it is {self.recomputed or 'missing'}."
        )


@dataclass(frozen=True, slots=True)
class VerifiedRun:
    """How many posted invoices a run has, how many are identical, and the first difference in the order of numbers.

    `root` and `recomputed_root` are the run's digest as stored (empty: not all is posted) and over the invoices now.
    """

    invoice_count: int
    identical_count: int
    first: ProofDifference | None
    root: str
    recomputed_root: str

    @property
    def is_identical(self) -> bool:
        """Whether all is as it was posted."""
        return self.first is None and self.root in ("", self.recomputed_root)


def verify_run(*, run_id: int) -> VerifiedRun:
    """Compute all posted invoices of a run again and compare. Raises BillingRun.DoesNotExist.

    Set by set, in a transaction that is rolled back; it locks nothing.
    """
    run = BillingRun.objects.get(pk=run_id)
    with transaction.atomic():
        try:
            with connection.cursor() as cursor:
                return _verified(cursor, run)
        finally:
            transaction.set_rollback(True)


def _verified(cursor: CursorWrapper, run: BillingRun) -> VerifiedRun:
    prepare_session()
    cursor.execute(_sql("documents"), {"run_id": run.pk, "charges_at_once": CHARGES_AT_ONCE})
    cursor.execute(CHUNKS)
    for chunk, snapshot, invoice_ids in cursor.fetchall():
        _verify_chunk(cursor, chunk=chunk, snapshot=snapshot, invoice_ids=invoice_ids)
    cursor.execute("SELECT count(*) FROM document")
    invoice_count = int(cursor.fetchone()[0])
    cursor.execute("SELECT count(DISTINCT turn) FROM difference")
    differing = int(cursor.fetchone()[0])
    cursor.execute(FIRST)
    first = cursor.fetchone()
    root, recomputed_root = stored_and_recomputed_root(run_id=run.pk)
    return VerifiedRun(
        invoice_count=invoice_count,
        identical_count=invoice_count - differing,
        first=ProofDifference(*(text or "" for text in first)) if first else None,
        root=root,
        recomputed_root=recomputed_root,
    )


def _verify_chunk(cursor: CursorWrapper, *, chunk: int, snapshot: str, invoice_ids: Sequence[int]) -> None:
    parameters: dict[str, Any] = {"chunk": chunk}
    cursor.execute(_sql("taken").replace("{use}", use_sql()), parameters)
    _rate_again(cursor, snapshot=snapshot)
    cursor.execute(_sql("recounted", **{name: FRAGMENTS[name] for name in COUNTED_FRAGMENTS}))
    cursor.execute(_sql("charges"))
    cursor.execute(_sql("figures"), parameters)
    with content_of(cursor, invoice_ids=invoice_ids):
        digests = _sql("content", parts=parts_sql("i.number"), version_1=version_1_sql("i.number"))
        cursor.execute(digests, parameters)
    drop_rating_tables(cursor)
    cursor.execute(f"DROP TABLE {CHUNK_TABLES}")


def _rate_again(cursor: CursorWrapper, *, snapshot: str) -> None:
    """Price what is in `taken` by the price lists of its accounts as a snapshot saw them, into `rated`."""
    cursor.execute("SELECT array_agg(DISTINCT c) FROM account, unnest(rate_card_ids) c")
    card_ids = cursor.fetchone()[0] or []
    prices = own_prices(cursor, snapshot=snapshot)
    cursor.execute("SELECT min(used_on), max(used_on) + 1 FROM taken")
    from_day, until_day = cursor.fetchone()
    if from_day is not None:
        prepare_prices(cursor, run=prices, from_day=from_day, until_day=until_day, card_ids=card_ids)
    # Counted from 0: what it counts on from was noted with each charge.
    rate_taken(cursor, run=prices, attempt=0, card_ids=card_ids, is_afresh=True)
    forget_prices(cursor, run_id=prices.pk)


def _sql(step: str, **fragments: str) -> str:
    statement = (SQL / f"{step}.sql").read_text()
    for name, fragment in fragments.items():
        statement = statement.replace(f"{{{name}}}", fragment)
    return statement
