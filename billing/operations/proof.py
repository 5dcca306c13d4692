"""The proof of a run: one digest over those of its posted invoices.

`proof_root` is the SHA-256 of a text with a row for each invoice, sorted by its number as bytes: the invoice's
`content_sha256` (`invoicing.operations.content`), two spaces, its number; rows are joined by a line feed, in UTF-8. So
whoever has the invoices' digests can compute it with `sha256sum`.
"""

from django.db import connection

from billing.models import BillingRun
from billing.operations.approval import is_left_to_post

ROOT = """
SELECT encode(sha256(convert_to(string_agg(
  i.content_sha256 || '  ' || i.number, E'\n' ORDER BY i.number COLLATE "C"), 'UTF8')), 'hex')
FROM run_account a
JOIN invoice i ON i.id = a.invoice_id
WHERE a.run_id = %s AND i.state = 'POSTED'
"""
BOTH_ROOTS = "SELECT r.proof_root, ({root}) FROM billing_run r WHERE r.id = %s"


def root_of(*, run_id: int) -> str:
    """The root over the posted invoices of a run, from the digests stored with them; empty where it has none."""
    with connection.cursor() as cursor:
        cursor.execute(ROOT, [run_id])
        return cursor.fetchone()[0] or ""


def stored_and_recomputed_root(*, run_id: int) -> tuple[str, str]:
    """The root that a run has, and the one over its posted invoices, as of one moment: somebody may be posting more."""
    with connection.cursor() as cursor:
        cursor.execute(BOTH_ROOTS.replace("{root}", ROOT), [run_id, run_id])
        stored, recomputed = cursor.fetchone()
        return stored, recomputed or ""


def seal_run(run: BillingRun) -> None:
    """Give a locked run its root once all that it invoices is posted, and a new one if more of it is posted later.

    An account that is held has nothing to post. Inside the transaction that posts.
    """
    if is_left_to_post(run):
        return
    run.proof_root = root_of(run_id=run.pk)
    run.save(update_fields=["proof_root"])
