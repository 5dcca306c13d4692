"""A small company with some of everything in its usage, and how requests are led to what it has."""

import zlib
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from customers.api.fields import cursor
from customers.models import Customer
from tests.factories.catalog import ProductFactory
from tests.factories.customers import SubscriptionActionFactory, SubscriptionFactory, SubscriptionServiceFactory
from tests.factories.usage import SourceSystemFactory, UsageDataRecordFactory
from tests.usage.taking import lines, take
from usage.api import import_serializers
from usage.models import QuarantinedLine, UsageConflict

NAMES = {
    "from_date": "2026-01-15T12:00:00Z",
    "to_date": "2026-01-15T12:01:00Z",
    "source_system": "Switch",
    "subscription_service": "+49301",
    "product": "CALL",
    "type": "Call",
    "subscription_action": "ACT-1",
    "subscription": "S-1",
    "accounts_receivable": "AR-ACME-1",
}
CURSORS = {
    "usage_imports_list": import_serializers.IMPORTS,
    "usage_imports_quarantine": import_serializers.QUARANTINE,
    "usage_imports_conflicts": import_serializers.CONFLICTS,
}


def make_sample(customer: Customer) -> dict[str, list[int]]:
    """Usage of Acme's +49301: records in each state, imports, quarantine, conflicts. Gives ids by the paths' names."""
    product = ProductFactory(code="CALL")
    subscription = SubscriptionFactory(customer=customer, number="S-1")
    SubscriptionActionFactory(subscription=subscription, number="ACT-1")
    service = SubscriptionServiceFactory(
        customer=customer, subscription=subscription, identifier="+49301", product=product
    )
    source = SourceSystemFactory(name="Switch", alternative_code="SW")
    call = ",+49301,CALL,2026-01-15T12:00:00Z,2026-01-15T12:01:00Z,"
    first = take(lines(f"R1{call}60", f"R2{call}sixty", f"R3,+49399{call[7:]}60", f"R1{call}61"), source=source)
    records = [
        UsageDataRecordFactory(subscription_service=service, product=product, source_system=source, **fields)
        for fields in (
            {"life_cycle_state": "DRAFT"},
            {"life_cycle_state": "CANCELLED", "udf_string_1": "x", "udf_float_1": 1, "udf_date_1": "2026-01-15"},
            {"rating_type": "PRERATED", "total_amount": "1.5"},
        )
    ]
    return {
        "record_id": [record.id for record in records] + list(first.usage_data_records.values_list("id", flat=True)),
        "import_id": [first.id],
        "line_id": list(QuarantinedLine.objects.values_list("id", flat=True)),
        "conflict_id": list(UsageConflict.objects.values_list("id", flat=True)),
    }


def lead(case: schemathesis.Case[Any], ids: dict[str, list[int]]) -> None:
    """Have a request that is in order name what there is: ids, names, cursors and times of use cannot be guessed.

    Parts that are meant to be wrong stay so; of ids and bodies that are in order every eighth stays as it is, too.
    """
    if _is_right(case, ParameterLocation.QUERY) and case.query:
        case.query = case.query | _query(case)
    chance = zlib.crc32(f"{case.path_parameters}{case.query}{case.body!r}".encode(errors="replace"))
    if chance % 8 == 0:
        return
    if _is_right(case, ParameterLocation.PATH) and case.path_parameters:
        case.path_parameters = {name: str(ids[name][chance // 8 % len(ids[name])]) for name in case.path_parameters}
    if _is_right(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        case.body = case.body | {name: value for name, value in NAMES.items() if name in case.body}


def _query(case: schemathesis.Case[Any]) -> dict[str, Any]:
    found = {name: text for name, text in NAMES.items() if name in case.query}
    if case.query.get("cursor"):
        list_name = CURSORS.get(case.operation.definition.raw["operationId"])
        found["cursor"] = cursor(of=list_name, after=[3]) if list_name else ""
    if {"from", "to"} & set(case.query):
        found |= {"from": "2026-01-15", "to": "2026-01-31"}
    return found


def _is_right(case: schemathesis.Case[Any], part: ParameterLocation) -> bool:
    return case.meta is not None and not case.meta.is_negative_at(part)
