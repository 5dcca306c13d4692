"""The list of usage data records: filters, each served by an index in the order that the list has then, and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

from django.db.models import Q, QuerySet

from catalog.models import Product
from catalog.queries.keyset import KeyOrder, KeyPage
from customers.models import AccountsReceivable, SubscriptionService
from usage.models import SourceSystem, UsageDataRecord, UsageType
from usage.queries.records import usage_data_records

# Of more services than these the records are not merged service by service, but found among all of their customers'.
MERGED_SERVICES = 100


class RecordFilters(TypedDict, total=False):
    """Narrows a list: related objects by their natural name, times from `_after` on and before `_before`."""

    accounts_receivable: str
    subscription: str
    subscription_service: str
    product: str
    source_system: str
    type: str
    usage_import: int
    life_cycle_state: str
    billing_directive: str
    is_late: bool
    from_date_after: datetime
    from_date_before: datetime
    billing_effective_date_after: date
    billing_effective_date_before: date


@dataclass(frozen=True, slots=True)
class RecordList:
    """Records in an order, as parts each of which an index gives in that order; no parts, no records."""

    parts: tuple[QuerySet[UsageDataRecord], ...]
    order: KeyOrder


def record_list(filters: RecordFilters, *, customer_id: int | None = None) -> RecordList:
    """The records that match every filter: of one customer, or of all. A name that nothing has matches none.

    They are in the order of ids; filtered by a range of dates, or by a source system, in the order of that date.
    """
    records = UsageDataRecord.objects.filter(_own_columns(filters) & _named_objects(filters))
    order = KeyOrder(_ordered_by(filters))
    owners = _customers(filters, customer_id)
    if not {"subscription", "subscription_service"} & set(filters):
        owned = records if owners is None else records.filter(customer_id__in=owners)
        return RecordList((owned,) if owners is None or owners else (), order)
    services = _services(filters, owners)
    if len(services) <= MERGED_SERVICES:
        # A service has one customer only: the service alone leads the index to its records.
        return RecordList(tuple(records.filter(subscription_service_id=service) for service in services), order)
    of_all = records.filter(subscription_service_id__in=services, customer_id__in=set(services.values()))
    return RecordList((of_all,), order)


def record_page(listed: RecordList, *, after: Sequence[Any] | None, size: int) -> KeyPage[UsageDataRecord]:
    """At most `size` records of the list, with all that is shown of them: the first, or those after a place."""
    # Their keys first: no other table then comes between the records and the index that gives their order.
    keys = _keys(listed, after, size + 1)
    shown = usage_data_records().order_by().in_bulk(keys[:size])
    rows = [shown[key] for key in keys[:size] if key in shown]
    return KeyPage(rows, has_previous=after is not None, has_next=len(keys) > size)


def _keys(listed: RecordList, after: Sequence[Any] | None, count: int) -> list[int]:
    order = listed.order
    parts = [
        order.sorted(part if after is None else order.beyond(part, after)).values_list(*order.fields)[:count]
        for part in listed.parts
    ]
    if not parts:
        return []
    merged = parts[0] if len(parts) == 1 else order.sorted(parts[0].union(*parts[1:], all=True))[:count]
    return [place[-1] for place in merged]


def _ordered_by(filters: RecordFilters) -> tuple[str, ...]:
    if {"billing_effective_date_after", "billing_effective_date_before"} & set(filters):
        return ("billing_effective_date", "id")
    if {"from_date_after", "from_date_before", "source_system"} & set(filters):
        return ("from_date", "id")
    return ("id",)


def _own_columns(filters: RecordFilters) -> Q:
    conditions = Q()
    for name in ("life_cycle_state", "billing_directive", "is_late"):
        if name in filters:
            conditions &= Q(**{name: filters[name]})
    if "usage_import" in filters:
        conditions &= Q(usage_import_id=filters["usage_import"])
    for name in ("from_date", "billing_effective_date"):
        if f"{name}_after" in filters:
            conditions &= Q(**{f"{name}__gte": filters[f"{name}_after"]})  # type: ignore[literal-required]
        if f"{name}_before" in filters:
            conditions &= Q(**{f"{name}__lt": filters[f"{name}_before"]})  # type: ignore[literal-required]
    return conditions


def _named_objects(filters: RecordFilters) -> Q:
    conditions = Q()
    if "product" in filters:
        conditions &= Q(product_id__in=_ids(Product.objects.filter(code=filters["product"])))
    if "source_system" in filters:
        conditions &= Q(source_system_id__in=_named(SourceSystem, filters["source_system"]))
    if "type" in filters:
        conditions &= Q(usage_type_id__in=_named(UsageType, filters["type"]))
    return conditions


def _customers(filters: RecordFilters, customer_id: int | None) -> set[int] | None:
    """Ids of the only customers whose records may be in the list; None: those of all may."""
    owners = None if customer_id is None else {customer_id}
    if "accounts_receivable" in filters:
        accounts = AccountsReceivable.objects.filter(number=filters["accounts_receivable"])
        found = set(accounts.values_list("customer_id", flat=True))
        owners = found if owners is None else owners & found
    return owners


def _services(filters: RecordFilters, owners: set[int] | None) -> dict[int, int]:
    """The customer of each service that the filters name, by the id of the service."""
    services = SubscriptionService.objects.all()
    if owners is not None:
        services = services.filter(customer_id__in=owners)
    if "subscription" in filters:
        services = services.filter(subscription__number=filters["subscription"])
    if "subscription_service" in filters:
        services = services.filter(identifier=filters["subscription_service"])
    return dict(services.values_list("id", "customer_id"))


def _named(model: type[SourceSystem] | type[UsageType], text: str) -> list[int]:
    """The id of the one with this name, or else with this alternative code."""
    return _ids(model.objects.filter(name=text)) or _ids(model.objects.filter(alternative_code=text))


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("id", flat=True))
