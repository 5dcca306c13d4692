"""What people do to usage data records, in a line each, and what is to be seen of it."""

from datetime import UTC, datetime
from typing import Any

from billing.operations.usage_records import adjust_record, cancel_record, set_directive
from invoicing.models import Transaction
from tests.runs import plain
from usage.models import UsageDataRecord, UsageDataRecordChange

# When people act: after January was billed.
THEN = datetime(2026, 2, 5, 10, 0, tzinfo=UTC)


def cancel(record: UsageDataRecord, reason: str = "") -> UsageDataRecord:
    return cancel_record(record_id=record.pk, at=THEN, user_id=None, reason=reason)


def adjust(record: UsageDataRecord, **values: Any) -> UsageDataRecord:
    return adjust_record(record_id=record.pk, values=values, at=THEN, user_id=None)


def direct(record: UsageDataRecord, directive: str) -> UsageDataRecord:
    return set_directive(record_id=record.pk, directive=directive, at=THEN, user_id=None)


def state(record: UsageDataRecord) -> str:
    """The record's state as it is stored."""
    return str(UsageDataRecord.objects.values_list("life_cycle_state", flat=True).get(pk=record.pk))


def history(record: UsageDataRecord) -> list[tuple[str, dict[str, list[str | None]]]]:
    """What was done to the record: kind and changes."""
    return list(UsageDataRecordChange.objects.filter(record=record).order_by("id").values_list("kind", "changes"))


def reversals() -> list[str]:
    """The opposite charges: description, amount, and whether they wait."""
    return [
        f"{one.description}: {plain(one.amount)} {one.currency_id}, {'waits' if one.invoice_line is None else 'billed'}"
        for one in Transaction.objects.filter(kind="REVERSAL").order_by("id")
    ]
