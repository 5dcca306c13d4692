"""What an adjustment makes of a record: the values that it changes, checked, and what follows from them."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.timezone import is_naive

from catalog.choices import ProductKind
from catalog.models import Product
from customers.models import SubscriptionAction, SubscriptionService
from usage.choices import RatingType
from usage.models import UsageDataRecord
from usage.models.records import EARLIEST, LATEST
from usage.operations.errors import RecordRefused

ADJUSTABLE = (
    *("subscription_service", "product", "usage_type", "subscription_action"),
    *("from_date", "to_date", "usage_amount", "total_amount", "billing_directive", "billing_effective_date"),
    *("destination", "region"),
    *(f"udf_string_{n}" for n in range(1, 9)),
    *(f"udf_float_{n}" for n in range(1, 5)),
    *(f"udf_date_{n}" for n in range(1, 5)),
)
# What a successor takes over as it is: who sent it. The rest of its content is adjustable, or follows.
TAKEN_OVER = ("customer", "source_system", "rating_type", *ADJUSTABLE)

Changes = dict[str, list[str | None]]


def adjusted(record: UsageDataRecord, values: Mapping[str, object]) -> tuple[UsageDataRecord, Changes]:
    """The record, not saved, as it says after these values; and each field that changed, as texts before and after.

    `values` by model field, references as rows or ids. The customer follows the service, the rating type the total
    amount, and the billing effective date the local date of `from_date` where it was that and is not given. Raises
    RecordRefused with the field at fault, or where nothing would change.
    """
    made = UsageDataRecord(**{name: getattr(record, name) for name in TAKEN_OVER})
    for name, value in values.items():
        _set(made, name, value)
    given = {_name(name) for name in values}
    made.customer = made.subscription_service.customer
    made.rating_type = RatingType.POSTRATED if made.total_amount is None else RatingType.PRERATED
    if "billing_effective_date" not in given and record.billing_effective_date == local_date(record):
        made.billing_effective_date = local_date(made)
    _check_times(made)
    _check_references(made, given)
    changes: Changes = {
        name: [as_text(getattr(record, name)), as_text(getattr(made, name))]
        for name in ADJUSTABLE
        if getattr(record, name) != getattr(made, name)
    }
    if not changes:
        raise RecordRefused(f"Record {record.number} says all of that already: nothing would change.")
    return made, changes


def local_date(record: UsageDataRecord) -> date:
    """The day, in the customer's time zone, on which the use began."""
    return record.from_date.astimezone(ZoneInfo(record.customer.timezone)).date()


def as_text(value: object) -> str | None:
    """A field's value as histories show it: numbers in plain digits, times in UTC, references by their natural name."""
    if value is None:
        return None
    for kind, text in TEXTS.items():
        if isinstance(value, kind):
            return text(value)
    return str(value)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# A date-time is a date too: it comes first.
TEXTS: dict[type, Callable[[Any], str]] = {
    Decimal: _plain,
    datetime: lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    date: date.isoformat,
    Product: lambda product: product.code,
    SubscriptionService: lambda service: service.identifier,
    SubscriptionAction: lambda action: action.number,
}


def _name(name: str) -> str:
    """The field's name; of a reference also by its column."""
    return name.removesuffix("_id")


def _set(made: UsageDataRecord, name: str, value: object) -> None:
    if _name(name) not in ADJUSTABLE:
        raise RecordRefused(f"“{name}” cannot be adjusted. What can: {', '.join(ADJUSTABLE)}.", name)
    field: Any = UsageDataRecord._meta.get_field(_name(name))
    if isinstance(value, Model):
        setattr(made, field.name, value)
        return
    if isinstance(value, str) and "\x00" in value:
        raise RecordRefused("A text holds no NUL character.", field.name)
    # An empty text of the user's own fields is none, as in a file.
    cleaned = None if value == "" and field.null else value
    try:
        setattr(made, field.attname, field.clean(cleaned, made))
    except (ValidationError, ArithmeticError) as error:
        sentences = error.messages if isinstance(error, ValidationError) else [f"“{value}” is not a number."]
        raise RecordRefused(" ".join(sentences), field.name) from error


def _check_times(made: UsageDataRecord) -> None:
    for name in ("from_date", "to_date"):
        at = getattr(made, name)
        if is_naive(at):
            raise RecordRefused(f"{at} does not say its time zone.", name)
        if not EARLIEST <= at < LATEST:
            raise RecordRefused(f"{at} is not between {EARLIEST.date()} and {LATEST.date()}.", name)
    if made.to_date < made.from_date:
        raise RecordRefused(
            f"It would end at {as_text(made.to_date)}, before it starts at {as_text(made.from_date)}.", "to_date"
        )
    if not EARLIEST.date() <= made.billing_effective_date < LATEST.date():
        raise RecordRefused(
            f"{made.billing_effective_date} is not between {EARLIEST.date()} and {LATEST.date()}.",
            "billing_effective_date",
        )


def _check_references(made: UsageDataRecord, given: set[str]) -> None:
    if made.product.kind != ProductKind.USAGE:
        raise RecordRefused(f"Product {made.product.code} is not for usage. Name one of the kind Usage.", "product")
    service, day = made.subscription_service, local_date(made)
    if given & {"subscription_service", "from_date"} and not (
        service.start_date <= day and (service.end_date is None or day < service.end_date)
    ):
        raise RecordRefused(
            f"{service.identifier} was not a service of {made.customer} on {day}. Name the service of that day.",
            "subscription_service",
        )
    action = made.subscription_action
    if (
        given & {"subscription_service", "subscription_action"}
        and action is not None
        and action.subscription_id != service.subscription_id
    ):
        raise RecordRefused(
            f"Action {action.number} is of another subscription than {service.identifier}: name one of that, or none.",
            "subscription_action",
        )
