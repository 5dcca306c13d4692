"""The page of a conflict: what the record says and what the row says, field by field."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.admin.figures import EMPTY
from usage.choices import BillingDirective, LifeCycleState
from usage.engine.layout import FIELDS
from usage.models import PendingUsage, UsageConflict, UsageDataRecord


@dataclass(frozen=True, slots=True)
class Side:
    """A field: what the record says and what the row says."""

    field: str
    record: str
    row: str
    differs: bool


def sides(conflict: UsageConflict) -> list[Side]:
    """The fields that one of the sides gives, and whether they differ."""
    texts = record_texts(conflict.record)
    shown = []
    # The state is the record's own: a row says nothing of what became of it.
    fields = [field for field in FIELDS if field != "life_cycle_state"]
    for field in (*fields, *sorted(set(conflict.differences) - set(fields))):
        differs = field in conflict.differences
        stands, came = conflict.differences[field] if differs else (texts.get(field), texts.get(field))
        if differs or stands not in {None, ""}:
            shown.append(Side(field, shown_text(stands), shown_text(came), differs))
    return shown


def shown_text(text: object) -> str:
    """A value of a side, without the digits of a second that are all zero; a dash for nothing."""
    return EMPTY if text is None or text == "" else str(text).replace(".000000Z", "Z")


def record_texts(record: UsageDataRecord) -> dict[str, str | None]:
    """What a record says by the names that fields have in files, written as differences are."""
    action = record.subscription_action
    texts: dict[str, str | None] = {
        field: value_text(getattr(record, field)) for field in FIELDS if hasattr(record, field)
    }
    return texts | {
        "service": record.subscription_service.identifier,
        "product": record.product.code,
        "type": record.usage_type.name,
        "from_date": f"{record.from_date:%Y-%m-%dT%H:%M:%S.%fZ}",
        "to_date": f"{record.to_date:%Y-%m-%dT%H:%M:%S.%fZ}",
        "subscription_action": action.number if action else None,
    }


def value_text(value: object) -> str | None:
    """A value as a text, numbers without the zeros that their column adds."""
    if value is None:
        return None
    if not isinstance(value, Decimal):
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def hindrance_to_replacing(record: UsageDataRecord) -> str | None:
    """Why a row cannot take a record's place, and what can be done instead; None while the record is pending."""
    if PendingUsage.objects.filter(record=record).exists():
        return None
    state = LifeCycleState(record.life_cycle_state)
    if state != LifeCycleState.POSTED:
        return f"The record is {state.label.lower()}, not pending: it cannot be replaced. Keep it or dismiss the row."
    if record.billing_directive == BillingDirective.NOT_TO_BE_BILLED:
        return "The record is not to be billed, so it is not pending: adjust it on its page, then dismiss the row."
    return (
        "The record is on an invoice, so it is not replaced: adjust or cancel it on its page, which takes back what "
        "was charged, then dismiss the row."
    )
