"""Finds the objects that a usage data record is sent with: what is named by one member is wanted by another."""

from django.db.models import Model, Q, QuerySet

from catalog.models import Product
from customers.models import SubscriptionAction, SubscriptionService
from usage.models import SourceSystem, UsageType


def sources_named(member: str, text: str) -> list[SourceSystem]:
    """Source systems of which this member (id, name, alternative_code) is the text: one or none."""
    return list(SourceSystem.objects.filter(Q(**{member: text})))


def service_identifiers(service_id: str, *, customer_id: int | None) -> list[str]:
    """The identifier of the service with the id, if there is one, and if it is that customer's where one is given."""
    services = SubscriptionService.objects.filter(id=service_id)
    return _texts(services if customer_id is None else services.filter(customer_id=customer_id), "identifier")


def is_a_service_of(identifier: str, *, customer_id: int) -> bool:
    """Whether the customer has, or had, a service with this identifier."""
    return SubscriptionService.objects.filter(identifier=identifier, customer_id=customer_id).exists()


def product_codes(member: str, text: str) -> list[str]:
    """Codes of the products of which this member (id, code, name) is the text: of a name there may be several."""
    return _texts(Product.objects.filter(**{member: text}), "code")


def product_ids(member: str, text: str) -> list[str]:
    """Ids of the products of which this member is the text."""
    return _texts(Product.objects.filter(**{member: text}), "id")


def action_numbers(action_id: str) -> list[str]:
    """The number of the subscription action with the id, if there is one."""
    return _texts(SubscriptionAction.objects.filter(id=action_id), "number")


def type_names(member: str, text: str) -> list[str]:
    """The name of the usage type of which this member (id, name, alternative_code) is the text, if there is one."""
    return _texts(UsageType.objects.filter(**{member: text}), "name")


def type_ids(member: str, text: str) -> list[str]:
    """The id of the usage type of which this member is the text, if there is one."""
    return _texts(UsageType.objects.filter(**{member: text}), "id")


def _texts(found: QuerySet[Model], field: str) -> list[str]:
    return [str(value) for value in found.values_list(field, flat=True)[:2]]
