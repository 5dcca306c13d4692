"""Every page of the admin opens, whatever is registered, and no list asks more of the database for more rows."""

from functools import reduce
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import CompletenessDay
from catalog.admin.base import Admin
from tests.admin.rows import PRESET, make

pytestmark = pytest.mark.django_db

OWN_APPS = ("catalog", "customers", "usage", "invoicing", "reports", "billing")
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# Shown on the page of what they belong to, or not for people.
ELSEWHERE = {
    *(
        "billing.RunChunk",
        "billing.UsageGap",
        "customers.CustomerRateCard",
        "customers.GroupRateCard",
        "customers.IdempotentRequest",
    ),
    *("invoicing.InvoiceLine", "invoicing.InvoiceTax", "invoicing.PostedInvoiceCount", "reports.GroupReportProfile"),
    *("catalog.RateDeckLine", "catalog.RateTier", "catalog.TimeBandHours"),
    *("customers.BilledUntil", "usage.UsageDataRecordChange", "usage.UsageImportBlock"),
}
# Pages of figures in place of a list of rows; their own tests count their queries.
NO_LISTS = {CompletenessDay}
LISTS = [model for model in MODELS if model not in PRESET and model not in NO_LISTS]


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def ids(models: list[type[Model]]) -> list[str]:
    return [model._meta.label for model in models]


def is_history(model: type[Model]) -> bool:
    return model._meta.object_name is not None and model._meta.object_name.endswith("Event")


def test_every_model_has_its_page() -> None:
    missing = {
        model._meta.label
        for app in OWN_APPS
        for model in apps.get_app_config(app).get_models()
        if model not in admin.site._registry and not is_history(model)
    }
    assert missing == ELSEWHERE


@pytest.mark.parametrize("model", MODELS, ids=ids(MODELS))
def test_list_opens_when_it_is_empty(admin_client: Client, model: type[Model]) -> None:
    response = admin_client.get(page(model, "changelist"))
    assert response.status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=ids(MODELS))
def test_empty_list_says_what_to_do(model: type[Model]) -> None:
    model_admin = admin.site._registry[model]
    assert isinstance(model_admin, Admin)
    assert model_admin.empty_hint or model in {*PRESET, User}


@pytest.mark.parametrize("model", LISTS, ids=ids(LISTS))
def test_list_takes_as_many_queries_for_three_rows_as_for_one(admin_client: Client, model: type[Model]) -> None:
    address = page(model, "changelist")
    make(model)
    admin_client.get(address)  # fills the caches of content types
    with CaptureQueriesContext(
        connection,
    ) as for_one:
        assert admin_client.get(address).status_code == 200
    make(model)
    make(model)
    with CaptureQueriesContext(connection) as for_three:
        response = admin_client.get(address)
    assert response.context["cl"].result_count >= 3
    assert len(for_three) == len(for_one), [query["sql"] for query in for_three.captured_queries]


@pytest.mark.parametrize("model", MODELS, ids=ids(MODELS))
def test_page_of_a_row_opens(admin_client: Client, model: type[Model]) -> None:
    row = make(model)
    assert admin_client.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=ids(MODELS))
def test_page_to_add_a_row_opens_where_rows_are_added_by_hand(
    admin_client: Client, admin_user: User, rf: RequestFactory, model: type[Model]
) -> None:
    request = rf.get("/")
    request.user = admin_user
    expected = 200 if admin.site._registry[model].has_add_permission(request) else 403
    assert admin_client.get(page(model, "add")).status_code == expected


@pytest.mark.parametrize("model", MODELS, ids=ids(MODELS))
def test_search_and_every_filter_open(admin_client: Client, model: type[Model]) -> None:
    row = make(model)
    model_admin = admin.site._registry[model]
    if model_admin.search_fields:
        assert admin_client.get(page(model, "changelist"), {"q": "x"}).status_code == 200
    for described in model_admin.list_filter:
        name = described[0] if isinstance(described, tuple) else described
        if isinstance(name, str):
            field: Any = get_fields_from_path(model, name)[-1]
            found: Any = reduce(getattr, name.split(LOOKUP_SEP), row)
            value = getattr(found, "pk", None) if field.is_relation else found
            key = field.target_field.name if field.is_relation else None
            lookup = f"{name}__{key}__exact" if key else f"{name}__exact"
            response = admin_client.get(page(model, "changelist"), {lookup: value if value is not None else 1})
            assert response.status_code == 200, name


@pytest.mark.parametrize("model", MODELS, ids=ids(MODELS))
def test_who_may_only_look_sees_pages_without_buttons(viewer_client: Client, model: type[Model]) -> None:
    row = make(model)
    assert viewer_client.get(page(model, "changelist")).status_code == 200
    response = viewer_client.get(page(model, "change", row.pk))
    assert response.status_code == 200
    assert b'name="_save"' not in response.content
    assert b"tb-primary" not in response.content
    assert b'class="tb-button tb-danger"' not in response.content


@pytest.mark.parametrize("model", MODELS, ids=ids(MODELS))
def test_no_list_deletes_in_bulk(admin_client: Client, model: type[Model]) -> None:
    make(model)
    assert b"delete_selected" not in admin_client.get(page(model, "changelist")).content
