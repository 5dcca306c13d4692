"""Fields and a validator that Django does not have. Migrations name them by this path: do not move them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Func

from catalog.choices import time_zones


class TransactionIdField(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's `xid8`: the number of the transaction that wrote a row, to ask later whether a snapshot saw it."""

    def db_type(self, connection: object) -> str:  # noqa: ARG002  Django passes it
        return "xid8"


class CurrentTransactionId(Func):
    """The number of the transaction that runs the statement."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = TransactionIdField()


def validate_timezone(value: str) -> None:
    """Refuse what is not the name of an IANA time zone."""
    if value not in time_zones():
        raise ValidationError(f"“{value}” is not a time zone. Name one such as Europe/Berlin or UTC.")
