"""Reads on usage data records for the API."""

from datetime import date, datetime
from typing import Any, TypedDict

from django.db.models import Q, QuerySet

from catalog.models import Product
from customers.models import AccountsReceivable, Subscription, SubscriptionService
from usage.models import SourceSystem, UsageDataRecord, UsageType

SHOWN_WITH_A_RECORD = (
    "customer__accounts_receivable",
    "subscription_service__subscription",
    "subscription_service__product",
    "product",
    "subscription_action",
    "source_system",
    "usage_type",
    "created_by",
    "updated_by",
    "charge__rate",
    "charge__line__invoice",
)


class RecordFilters(TypedDict, total=False):
    """Narrows a list: related objects by their natural name, times from `_after` on and before `_before`."""

    accounts_receivable: str
    subscription: str
    subscription_service: str
    product: str
    source_system: str
    type: str
    life_cycle_state: str
    billing_directive: str
    from_date_after: datetime
    from_date_before: datetime
    to_date_after: datetime
    to_date_before: datetime
    billing_effective_date_after: date
    billing_effective_date_before: date


def usage_data_records(*, customer_id: int | None = None) -> QuerySet[UsageDataRecord]:
    """Records with all that is shown of them, in one query: of one customer, or of all."""
    records = UsageDataRecord.objects.select_related(*SHOWN_WITH_A_RECORD)
    return records if customer_id is None else records.filter(customer_id=customer_id)


def matching_records(records: QuerySet[UsageDataRecord], filters: RecordFilters) -> QuerySet[UsageDataRecord]:
    """Those of the records that match every filter; a name that nothing has matches none.

    Names become ids first, and what belongs to one customer narrows to that customer, so that the index on customer and
    id serves it.
    """
    conditions = Q(**_related(filters))
    for name in ("life_cycle_state", "billing_directive"):
        if name in filters:
            conditions &= Q(**{name: filters[name]})
    for name in ("from_date", "to_date", "billing_effective_date"):
        if f"{name}_after" in filters:
            conditions &= Q(**{f"{name}__gte": filters[f"{name}_after"]})  # type: ignore[literal-required]
        if f"{name}_before" in filters:
            conditions &= Q(**{f"{name}__lt": filters[f"{name}_before"]})  # type: ignore[literal-required]
    return records.filter(conditions)


def _related(filters: RecordFilters) -> dict[str, Any]:
    found: dict[str, Any] = {}
    customers: list[set[int]] = []
    if "accounts_receivable" in filters:
        accounts = AccountsReceivable.objects.filter(number=filters["accounts_receivable"])
        customers.append(set(accounts.values_list("customer_id", flat=True)))
    services = _services(filters)
    if services is not None:
        found["subscription_service_id__in"] = {service_id for service_id, _ in services}
        customers.append({customer_id for _, customer_id in services})
    if customers:
        found["customer_id__in"] = set.intersection(*customers)
    if "product" in filters:
        found["product_id__in"] = list(Product.objects.filter(code=filters["product"]).values_list("id", flat=True))
    if "source_system" in filters:
        found["source_system_id__in"] = _named(SourceSystem, filters["source_system"])
    if "type" in filters:
        found["usage_type_id__in"] = _named(UsageType, filters["type"])
    return found


def _services(filters: RecordFilters) -> set[tuple[int, int]] | None:
    """Id and customer of each service that the filters name; None where they name neither service nor subscription."""
    services = SubscriptionService.objects.values_list("id", "customer_id")
    if "subscription" in filters:
        subscriptions = Subscription.objects.filter(number=filters["subscription"])
        services = services.filter(subscription__in=subscriptions)
    if "subscription_service" in filters:
        services = services.filter(identifier=filters["subscription_service"])
    if not {"subscription", "subscription_service"} & set(filters):
        return None
    return set(services)


def _named(model: type[SourceSystem] | type[UsageType], text: str) -> list[int]:
    """Ids of those with this name or alternative code."""
    return list(model.objects.filter(Q(name=text) | Q(alternative_code=text)).values_list("id", flat=True))
