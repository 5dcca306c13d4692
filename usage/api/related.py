"""Finds what a usage data record is sent with, as it was named, by the name that it is taken in by."""

from collections.abc import Sequence

from customers.api.exceptions import MembersRefused
from usage.api.values import Reference
from usage.models import SourceSystem, UsageDataRecord
from usage.queries.imports import source_system_named
from usage.queries.related import (
    action_numbers,
    is_a_service_of,
    product_codes,
    product_ids,
    service_identifiers,
    sources_named,
    type_ids,
    type_names,
)


def source_of(reference: Reference) -> SourceSystem:
    """The source system. Raises `MembersRefused`."""
    if reference.member == "name" and (named := source_system_named(reference.text)) is not None:
        return named
    found = sources_named(reference.member, reference.text)
    if not found:
        raise unknown("source_system", "source system", reference)
    return found[0]


def service_text(reference: Reference, *, customer_id: int | None) -> str:
    """The service's identifier. Another customer's service is as one that there is not. Raises `MembersRefused`."""
    if reference.member == "id":
        found = service_identifiers(reference.text, customer_id=customer_id)
        return only(found, "subscription_service", "service", reference)
    if customer_id is not None and not is_a_service_of(reference.text, customer_id=customer_id):
        raise no_such_service(reference)
    return reference.text


def product_text(reference: Reference) -> str:
    """The product's code. Raises `MembersRefused`."""
    if reference.member == "code":
        return reference.text
    return only(product_codes(reference.member, reference.text), "product", "product", reference)


def action_text(reference: Reference) -> str:
    """The subscription action's number. Raises `MembersRefused`."""
    if reference.member == "number":
        return reference.text
    return only(action_numbers(reference.text), "subscription_action", "subscription action", reference)


def type_text(reference: Reference) -> str:
    """The usage type's name or alternative code. Raises `MembersRefused`."""
    if reference.member == "name":
        return reference.text
    return only(type_names(reference.member, reference.text), "type", "usage type", reference)


def product_id(reference: Reference) -> int:
    """Raises `MembersRefused`."""
    return int(only(product_ids(reference.member, reference.text), "product", "product", reference))


def type_id(reference: Reference) -> int:
    """Raises `MembersRefused`."""
    return int(only(type_ids(reference.member, reference.text), "type", "usage type", reference))


def check_it_belongs(record: UsageDataRecord, related: dict[str, Reference]) -> None:
    """Hold what was said about the record's service, its subscription and its account against what it has.

    `related` by member of the body. Raises `MembersRefused` for what is another's, and says no more of that.
    """
    service = record.subscription_service
    has = {
        "subscription_service": (service, "The service"),
        "subscription": (service.subscription, "The service's subscription"),
        "accounts_receivable": (getattr(record.customer, "accounts_receivable", None), "The service's account"),
    }
    for member, (found, words) in has.items():
        reference = related.get(member)
        if reference is not None and str(getattr(found, reference.member, None)) != reference.text:
            raise MembersRefused({member: [f"{words} is not the one with the {said(reference)}."]})


def only(found: Sequence[str], field: str, noun: str, reference: Reference) -> str:
    """The one that was found. Raises `MembersRefused` where there is none, and where there are several."""
    if not found:
        raise unknown(field, noun, reference)
    if len(found) > 1:
        raise MembersRefused(
            {field: [f"There are several of them with the {said(reference)}: give another member, such as its id."]}
        )
    return found[0]


def unknown(field: str, noun: str, reference: Reference) -> MembersRefused:
    return MembersRefused({field: [f"There is no {noun} with the {said(reference)}."]})


def no_such_service(reference: Reference) -> MembersRefused:
    """What a customer is told of a service that is another's or nobody's."""
    return unknown("subscription_service", "service of yours", reference)


def said(reference: Reference) -> str:
    """How it was named, in words."""
    return f"{reference.member.replace('_', ' ')} “{reference.text}”"
