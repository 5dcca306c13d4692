"""What people do to a usage data record that may be billed already: cancel it, adjust it, direct it otherwise.

Pending usage leaves the inbox; of a draft, the customer's account is produced again; of a posted invoice, an equal and
opposite charge waits for the customer's next one (docs/adr/0012).
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from billing.operations.take_back import restore, reverse, take_out
from usage.choices import BillingDirective, LifeCycleState, RecordChangeKind
from usage.models import UsageDataRecord
from usage.operations.errors import RecordConflict, RecordRefused
from usage.operations.record_values import adjusted
from usage.operations.records import cancel, direct, in_words, locked_record, require_state, succeed


@transaction.atomic
def cancel_record(*, record_id: int, at: datetime, user_id: int | None, reason: str = "") -> UsageDataRecord:
    """Cancel a posted record for good, and take back what it was charged. Raises RecordConflict."""
    record = locked_record(record_id)
    require_state(record, LifeCycleState.POSTED, "cancelled")
    taken = take_out(record)
    if taken.charge is not None:
        reverse(record, taken.charge, at=at)
    cancel(record, RecordChangeKind.CANCELLED, at=at, user_id=user_id, reason=reason)
    restore(taken)
    return record


@transaction.atomic
def adjust_record(
    *, record_id: int, values: Mapping[str, object], at: datetime, user_id: int | None, reason: str = ""
) -> UsageDataRecord:
    """Cancel a posted record and give back its successor, posted, which says these values (by model field) instead.

    Off a draft, the successor is billed on the draft made anew; off a posted invoice, on the customer's next one.
    Raises RecordConflict in another state, RecordRefused with the field where the values cannot be or change nothing.
    """
    record = locked_record(record_id)
    require_state(record, LifeCycleState.POSTED, "adjusted")
    # Before anything is taken back.
    adjusted(record, values)
    taken = take_out(record)
    if taken.charge is not None:
        reverse(record, taken.charge, at=at)
    successor = succeed(
        record=record,
        values=values,
        at=at,
        user_id=user_id,
        reason=reason,
        is_taken_back=True,
        posted_in=taken.posted_in,
    )
    restore(taken)
    return successor


@transaction.atomic
def set_directive(
    *, record_id: int, directive: str, at: datetime, user_id: int | None, reason: str = ""
) -> UsageDataRecord:
    """Say that a draft or posted record is to be billed, credited or neither (`BillingDirective`).

    Raises RecordConflict in another state, where it is so already, and on a posted invoice; RecordRefused for a
    directive that there is not.
    """
    if directive not in BillingDirective.values:
        raise RecordRefused(
            f"“{directive}” is not a billing directive. There are {', '.join(BillingDirective.values)}.",
            "billing_directive",
        )
    record = locked_record(record_id)
    if record.life_cycle_state not in {LifeCycleState.DRAFT, LifeCycleState.POSTED}:
        raise RecordConflict(f"{in_words(record)}: only a draft or posted record is directed otherwise.")
    if record.billing_directive == directive:
        raise RecordConflict(f"Record {record.number} is {record.get_billing_directive_display().lower()} already.")
    taken = take_out(record)
    if taken.charge is not None:
        raise RecordConflict(
            f"Record {record.number} is on posted invoice {taken.charge.line.invoice.number}, which does not change: "
            "adjust or cancel the record instead."
        )
    direct(record, BillingDirective(directive), at=at, user_id=user_id, reason=reason, posted_in=taken.posted_in)
    restore(taken)
    return record
