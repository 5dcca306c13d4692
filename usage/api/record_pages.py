"""Pages of the list of usage data records, and the cursors that lead from one to the next."""

import hashlib
import json
from typing import Any, cast

from rest_framework.exceptions import ValidationError

from catalog.queries.keyset import KeyOrder, TookTooLong, time_limit
from customers.api.exceptions import Refused
from customers.api.fields import cursor
from usage.api.serializers import RECORDS
from usage.models import UsageDataRecord
from usage.queries.record_lists import RecordFilters, record_list, record_page

LIST_TIMEOUT_MS = 5_000
TOO_WIDE = (
    "These filters leave too few of too many records: it took more than five seconds and was stopped. "
    "Narrow the list down, for example to one service, or to fewer days."
)
OTHER_LIST = "This cursor is of a list with other filters: ask for the next page with the filters of the first."


def page_of_records(query: dict[str, Any], *, customer_id: int | None) -> dict[str, Any]:
    """`data` and `meta` of a page: of one customer's records, or of all. `query` is a checked UsageDataRecordQuery.

    Raises `Refused` where it takes too long, and `ValidationError` for the cursor of another list.
    """
    filters = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}
    asked = fingerprint(filters, customer_id)
    try:
        with time_limit(LIST_TIMEOUT_MS):
            listed = record_list(cast("RecordFilters", filters), customer_id=customer_id)
            page = record_page(listed, after=place(query["cursor"], asked, listed.order), size=query["limit"])
    except TookTooLong as error:
        raise Refused(TOO_WIDE) from error
    last = [as_text(value) for value in listed.order.place(page.rows[-1])] if page.has_next else []
    next_cursor = cursor(of=RECORDS, after=[asked, *last]) if last else ""
    return {"data": page.rows, "meta": {"limit": len(page.rows), "next_cursor": next_cursor}}


def fingerprint(filters: dict[str, Any], customer_id: int | None) -> str:
    """Tells a list from those with other filters: a cursor is a place in one of them only."""
    asked = json.dumps([customer_id, sorted((name, str(value)) for name, value in filters.items())])
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def as_text(value: Any) -> str:
    """A part of a place, for a cursor."""
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def place(given: list[Any] | None, asked: str, order: KeyOrder) -> list[Any] | None:
    """Where the page starts, from what the cursor says. Raises `ValidationError` for a cursor of another list."""
    if given is None:
        return None
    list_of, *parts = given
    if list_of != asked or len(parts) != len(order.fields):
        raise ValidationError({"cursor": [OTHER_LIST]})
    columns: list[Any] = [UsageDataRecord._meta.get_field(name) for name in order.fields]
    return [column.to_python(text) for column, text in zip(columns, parts, strict=True)]
