"""One usage data record that is sent as JSON, and what its sender is answered."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from customers.api.exceptions import MembersRefused, Refused
from usage.api.record_actions import refusal
from usage.api.record_detail import shown
from usage.api.related import (
    action_text,
    check_it_belongs,
    no_such_service,
    product_text,
    service_text,
    source_of,
    type_text,
)
from usage.api.values import Reference, written_out
from usage.operations.errors import NumberConflict, RecordRefused
from usage.operations.single import take_in_record
from usage.queries.records import one_record, usage_data_records

RELATED = {"product": product_text, "subscription_action": action_text, "type": type_text}
# What is only held against the service's own.
CHECKED = ("subscription_service", "subscription", "accounts_receivable")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: a staff user, or the key of a customer, who sends usage of its own services only."""

    user_id: int | None
    customer_id: int | None


@transaction.atomic
def take_in(body: dict[str, Any], *, sender: Sender, at: datetime) -> tuple[dict[str, Any], bool]:
    """The record as it is shown, and whether it is new: a number that came before with the same content is not.

    `body` is a checked `NewRecordBody`; what is null in it is as if it were not given. Raises `MembersRefused` or
    `Refused`, with nothing taken in, and `NumberConflict` where the number came before with other content.
    """
    body = {member: value for member, value in body.items() if value is not None}
    related = {member: value for member, value in body.items() if isinstance(value, Reference)}
    source = source_of(related["source_system"])
    texts = texts_of(body, related, customer_id=sender.customer_id)
    try:
        taken = take_in_record(source_system_id=source.id, texts=texts, user_id=sender.user_id, at=at)
    except RecordRefused as error:
        raise _refusal(error, related, sender) from error
    record = one_record(taken.record_id)
    if record is None or sender.customer_id not in {None, record.customer_id}:
        # The identifier was the sender's at another time, and at this one is somebody else's.
        raise no_such_service(related["subscription_service"])
    check_it_belongs(record, {member: related[member] for member in CHECKED if member in related})
    return shown(record, is_for_customer=sender.customer_id is not None), taken.is_new


def texts_of(body: dict[str, Any], related: dict[str, Reference], *, customer_id: int | None) -> dict[str, str]:
    """The body as the fields of a file: texts, related objects by their natural name. Raises `MembersRefused`."""
    texts = {
        member: written_out(value) if isinstance(value, Decimal) else str(value)
        for member, value in body.items()
        if member not in related
    }
    texts["service"] = service_text(related["subscription_service"], customer_id=customer_id)
    return texts | {member: text_of(related[member]) for member, text_of in RELATED.items() if member in related}


@dataclass(frozen=True, slots=True)
class KnownConflict:
    """What a sender is told of the record with its number: of its own all, of another's that it is there."""

    sentence: str
    record_id: str | None
    differences: dict[str, tuple[str | None, str | None]]


def known_conflict(error: NumberConflict, *, number: str, customer_id: int | None) -> KnownConflict:
    """A conflict as far as the customer may know of it; staff, None, may know all."""
    if usage_data_records(customer_id=customer_id).filter(id=error.record_id).exists():
        return KnownConflict(str(error), str(error.record_id), dict(error.differences))
    return KnownConflict(f"The source system has sent the record {number} before.", None, {})


def _refusal(error: RecordRefused, related: dict[str, Reference], sender: Sender) -> MembersRefused | Refused:
    if error.field == "service" and sender.customer_id is not None:
        return no_such_service(related["subscription_service"])
    return refusal(error)
