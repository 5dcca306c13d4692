"""The uses on an invoice, laid out once for all of its reports."""

from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

from invoicing.models import Invoice
from reports.adapters.destinations import destination_name
from reports.engine.terms import Terms

SQL = Path(__file__).parent / "sql"
# What reports of an invoice before this one, in the same transaction, may have left.
LAID_OUT = ("reported_line", "reported_service", "reported_use", "reported_destination", "reported_transaction")


def lay_out_uses(cursor: CursorWrapper, *, invoice: Invoice, terms: Terms) -> None:
    """Lay the usage lines, services and uses of an invoice out in temporary tables, which go with the transaction.

    Set by set: the charges are read once, and destinations that no rate names are named once for each beginning.
    """
    parameters: dict[str, Any] = {
        "invoice_id": invoice.pk,
        "customer_id": invoice.customer_id,
        "timezone": terms.timezone,
        "masked": terms.masks_numbers,
    }
    # What is sorted is as large as the invoice; and to compile the statements takes longer than they do.
    cursor.execute("SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)")
    cursor.execute("SELECT set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'postgres', true)")
    # Of the temporary tables the planner need know roughly how many rows there are, and how many values.
    cursor.execute("SELECT set_config('default_statistics_target', '10', true)")
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(LAID_OUT)}")
    cursor.execute((SQL / "lines.sql").read_text(), parameters)
    cursor.execute("ANALYZE reported_line, reported_service")
    cursor.execute((SQL / "uses.sql").read_text(), parameters)
    _name_destinations(cursor, terms.language)
    if terms.splits_by:
        # Each of the files asks for the uses of its services.
        cursor.execute("CREATE INDEX ON reported_use (service_id)")
    cursor.execute("ANALYZE reported_use (line_id, service_id)")


def _name_destinations(cursor: CursorWrapper, language: str) -> None:
    """Name the destinations that no rate names, by one number of each beginning and length."""
    cursor.execute((SQL / "unnamed.sql").read_text())
    found = [(code, destination_name(f"+{digits}", language)) for code, digits in cursor.fetchall()]
    codes, names = [code for code, _ in found], [name for _, name in found]
    cursor.execute(
        "CREATE TEMPORARY TABLE reported_destination ON COMMIT DROP AS"
        " SELECT code, name FROM unnest(%s::text[], %s::text[]) AS named (code, name)",
        [codes, names],
    )
    cursor.execute("ANALYZE reported_destination")
