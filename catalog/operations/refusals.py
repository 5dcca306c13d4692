"""What is refused, in words for the person who asked for it: by the database, and by operations on price lists."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import BaseConstraint

RESTRICTED = "23001"
RAISED = "P0001"
REFERRED_TO = "23503"
NOT_UNIQUE = "23505"
OVERLAPS = "23P01"
VIOLATES_CHECK = "23514"
INTEGRITY_CLASS = "23"


class CatalogRefused(Exception):
    """These values cannot be; the text is a sentence for people."""


class CatalogConflict(CatalogRefused):
    """It contradicts what is stored, or what is stored is in use."""


@contextmanager
def database_refusals() -> Iterator[None]:
    """Write; what the database refuses of it is taken back and raised as `CatalogRefused` or `CatalogConflict`."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        sentence = refusal(error)
        if sentence is None:
            raise
        is_by_itself = getattr(error.__cause__, "sqlstate", None) == VIOLATES_CHECK
        raise (CatalogRefused if is_by_itself else CatalogConflict)(sentence) from error


def refusal(error: DatabaseError) -> str | None:
    """The sentence that says why the database refused; None where it did not refuse but failed."""
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or ""
    if not (code.startswith(INTEGRITY_CLASS) or code == RAISED):
        return None
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or ""
    if code == RESTRICTED or (code == REFERRED_TO and "cannot be deleted" in said):
        return said
    if constraint := _constraint(getattr(getattr(cause, "diag", None), "constraint_name", None)):
        return str(constraint.get_violation_error_message())
    return {
        RAISED: "The database protects this: in its present state it cannot be changed or deleted.",
        REFERRED_TO: "Other data refers to this: it cannot be deleted.",
        NOT_UNIQUE: "There is one like this already.",
        OVERLAPS: "It overlaps another one in time.",
    }.get(code, "The database refuses these values, because they contradict other data.")


def _constraint(name: str | None) -> BaseConstraint | None:
    constraints = (c for model in apps.get_models() for c in model._meta.constraints)
    return next((c for c in constraints if c.name == name), None)
