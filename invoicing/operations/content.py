r"""What a posted document says, as a text whose SHA-256 anybody can compute again.

Version 2, of what is posted from now on. A document has seven parts: `document` (number, kind, currency, dates, tax
point, language, message, the invoice that it credits and why, totals), `seller` (name, address, VAT number,
registration, payment details) and `buyer` (name, address, VAT number), as copied, `lines`, `taxes`, `rates` (the terms
of each line's rate version) and `charges` (each usage charge with the record that it bills). A part is rows, a row is
fields:

- Fields are joined by `|`, rows by a line feed, without one at the end. Encoded in UTF-8.
- A text is a JSON string (RFC 8259; nothing is escaped but the quotation mark, the backslash and control characters,
  those as `\b`, `\f`, `\n`, `\r`, `\t` or `\u00xx`). Codes such as the kind or the currency are written as they are.
- A number is a plain decimal without zeros or a point at its end, a date `2026-01-31`, a moment the seconds since
  1970-01-01 UTC. What there is not is empty.
- Lines are in the order of their numbers, taxes in that of names, then percents, steps of a rate in that of quantities,
  `from=price`, joined by commas. The fields and their order: `sql/content.sql`, `sql/charges.sql`.
- Charges of a line are sorted by their rows as bytes and cut into blocks of 1,000; the part has a row for each block:
  line number, block number from 1 on, SHA-256 of the block's rows.

`content_parts` has a row for each part, in the order above: its SHA-256 in hexadecimal, two spaces, its name, as
`sha256sum` writes it. `content_sha256` is the SHA-256 of that text. Neither row ids nor times of writing are in it: the
same run gives the same digests, wherever and however often it is produced.

Version 1 had header, lines and taxes in one text (`sql/content_v1.sql`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db.backends.utils import CursorWrapper

SQL = Path(__file__).parent / "sql"
VERSION = 2
# Charges that are written out at a time: what PostgreSQL has to sort, on disk where memory is short.
CHARGES_AT_ONCE = 200_000
CHUNKS = """
SELECT array_agg(invoice_id ORDER BY invoice_id)
FROM (
  SELECT invoice_id,
    div(sum(sum(charge_count) + 1) OVER (ORDER BY invoice_id) - sum(charge_count) - 1, %(at_once)s) AS chunk
  FROM invoice_line WHERE invoice_id = ANY (%(invoice_ids)s) GROUP BY invoice_id
) c
GROUP BY chunk ORDER BY chunk
"""


@contextmanager
def content_of(cursor: CursorWrapper, *, invoice_ids: Sequence[int]) -> Iterator[None]:
    """Digest these documents, drafts or posted, into the temporary table `content`, which is there for the block.

    It has a row for each document and part, but `document`, which has the number (`sql/documents.sql`). Set by set, and
    never more than a block of charges in memory, whatever a document has.
    """
    # To compile these statements takes longer than they do.
    cursor.execute("SELECT set_config('jit', 'off', true)")
    cursor.execute("CREATE TEMPORARY TABLE content (invoice_id bigint, part text, sha256 text) ON COMMIT DROP")
    parameters = {"invoice_ids": list(invoice_ids)}
    cursor.execute(_sql("content"), parameters)
    cursor.execute(CHUNKS, parameters | {"at_once": CHARGES_AT_ONCE})
    for (chunk,) in cursor.fetchall():
        cursor.execute(_sql("charges"), {"invoice_ids": chunk})
    cursor.execute("CREATE INDEX ON content (invoice_id)")
    cursor.execute("ANALYZE content")
    yield
    cursor.execute("DROP TABLE content")


def parts_sql(number: str) -> str:
    """The expression of `content_parts` for the document `i` under a number, where `content` is there."""
    return (SQL / "parts.sql").read_text().replace("{number}", number)


def version_1_sql(number: str) -> str:
    """The expression of what version 1 took the SHA-256 of, for the document `i` of the customer `c` under a number."""
    return (SQL / "content_v1.sql").read_text().replace("{number}", number)


def _sql(step: str) -> str:
    return (SQL / f"{step}.sql").read_text()
