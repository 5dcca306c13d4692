"""The OpenAPI document and its page."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.api.caller import Caller

PATHS = {
    "/backend/api/v1/billingRuns": {"get", "post"},
    "/backend/api/v1/billingRuns/{run_id}": {"get", "put", "patch"},
    "/backend/api/v1/billingRuns/{run_id}/accounts": {"get"},
    "/backend/api/v1/billingRuns/{run_id}/accounts/{account_id}/hold": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/accounts/{account_id}/release": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/accounts/{account_id}/splitOff": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/approve": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/cancel": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/commence": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/comparison": {"get"},
    "/backend/api/v1/billingRuns/{run_id}/pause": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/preflight": {"get"},
    "/backend/api/v1/billingRuns/{run_id}/preview": {"get"},
    "/backend/api/v1/billingRuns/{run_id}/resume": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/retryFailed": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/undo": {"post"},
    "/backend/api/v1/billingRuns/{run_id}/whyNot": {"get"},
    "/backend/api/v1/priceCorrections": {"post"},
    "/backend/api/v1/priceDifferences": {"get"},
    "/backend/api/v1/whatIf": {"post"},
    "/backend/api/v1/publicHolidays": {"get", "post"},
    "/backend/api/v1/publicHolidays/addCountry": {"post"},
    "/backend/api/v1/publicHolidays/{holiday_id}": {"get", "put", "patch", "delete"},
    "/backend/api/v1/rateCards": {"get", "post"},
    "/backend/api/v1/rateCards/{card_id}": {"get", "put", "patch"},
    "/backend/api/v1/rateCards/{card_id}/export": {"get"},
    "/backend/api/v1/rateCards/{card_id}/import": {"post"},
    "/backend/api/v1/rateCards/{card_id}/increase": {"post"},
    "/backend/api/v1/rateDecks": {"get"},
    "/backend/api/v1/rateDecks/{deck_id}": {"get"},
    "/backend/api/v1/rateDecks/{deck_id}/activate": {"post"},
    "/backend/api/v1/rateDecks/{deck_id}/compare": {"post"},
    "/backend/api/v1/rateDecks/{deck_id}/discard": {"post"},
    "/backend/api/v1/rateDecks/{deck_id}/lines": {"get"},
    "/backend/api/v1/rates": {"get", "post"},
    "/backend/api/v1/rates/{rate_id}": {"get", "put", "patch"},
    "/backend/api/v1/billingRuns/{run_id}/verification": {"get"},
    "/backend/api/v1/billingRuns/{run_id}/verify": {"post"},
    "/backend/api/v1/billingRunSchedules": {"get", "post"},
    "/backend/api/v1/billingRunSchedules/{schedule_id}": {"get", "put", "patch", "delete"},
    "/backend/api/v1/accountsReceivable/{account_id}/balance": {"get"},
    "/backend/api/v1/accountsReceivable/{account_id}/entries": {"get"},
    "/backend/api/v1/accountsReceivable/{account_id}/statement": {"get"},
    "/backend/api/v1/invoices/{invoice_id}/credit": {"post"},
    "/backend/api/v1/invoices/{invoice_id}/discard": {"post"},
    "/backend/api/v1/invoices/{invoice_id}/post": {"post"},
    "/backend/api/v1/manualInvoices": {"post"},
    "/backend/api/v1/invoiceDeliveries": {"get"},
    "/backend/api/v1/invoiceDeliveries/{delivery_id}": {"get"},
    "/backend/api/v1/invoiceDeliveries/{delivery_id}/resolve": {"post"},
    "/backend/api/v1/invoiceDeliveries/{delivery_id}/sendAgain": {"post"},
    "/backend/api/v1/legalEntities": {"get", "post"},
    "/backend/api/v1/legalEntities/{entity_id}": {"get", "put", "patch"},
    "/backend/api/v1/coupons": {"get", "post"},
    "/backend/api/v1/coupons/{coupon_id}": {"get", "put", "patch", "delete"},
    "/backend/api/v1/accountCredits": {"get", "post"},
    "/backend/api/v1/accountCredits/{credit_id}": {"get", "put", "patch", "delete"},
    "/backend/api/v1/invoiceUsageReportCustomerProfiles": {"get", "post"},
    "/backend/api/v1/invoiceUsageReportCustomerProfiles/presets": {"get"},
    "/backend/api/v1/invoiceUsageReportCustomerProfiles/{profile_id}": {"get", "patch", "put", "delete"},
    "/backend/api/v1/invoiceUsageReportCustomerProfiles/{profile_id}/give": {"post"},
    "/backend/api/v1/invoiceUsageReportCustomerProfiles/{profile_id}/take": {"post"},
    "/backend/api/v1/recurringCharges": {"get", "post"},
    "/backend/api/v1/recurringCharges/{charge_id}": {"get", "put", "patch", "delete"},
    "/backend/api/v1/timeBands": {"get", "post"},
    "/backend/api/v1/timeBands/{band_id}": {"get", "put", "patch", "delete"},
    "/backend/api/v1/prices": {"get"},
    "/backend/api/v1/rateCards/{card_id}/examples": {"get"},
    "/backend/api/v1/rateCards/{card_id}/lint": {"get"},
    "/billing/v3/invoices": {"get"},
    "/billing/v3/invoices/month-to-date": {"get"},
    "/billing/v3/invoices/{invoice_id}": {"get"},
    "/billing/v3/invoices/{invoice_id}/usage-reports": {"get"},
    "/billing/v3/invoices/{invoice_id}/usage-reports/{report_id}": {"get"},
    "/usage/v1/completeness": {"get"},
    "/usage/v1/usage_data_records": {"get", "post"},
    "/usage/v1/usage_data_records/{record_id}": {"get"},
    "/usage/v1/usage_data_records/{record_id}/adjust": {"post"},
    "/usage/v1/usage_data_records/{record_id}/cancel": {"post"},
    "/usage/v1/usage_data_records/{record_id}/explanation": {"get"},
    "/usage/v1/usage_data_records/{record_id}/post": {"post"},
    "/usage/v1/usage_data_records/{record_id}/reject": {"post"},
    "/usage/v1/usage_data_records/{record_id}/set_creditable": {"post"},
    "/usage/v1/usage_data_records/{record_id}/set_not_billable": {"post"},
    "/usage/v1/usage_data_records/{record_id}/set_to_be_billed": {"post"},
    "/usage/v1/usage_imports": {"get", "post"},
    "/usage/v1/usage_imports/{import_id}": {"get"},
    "/usage/v1/usage_imports/{import_id}/conflicts": {"get"},
    "/usage/v1/usage_imports/{import_id}/conflicts/{conflict_id}/decide": {"post"},
    "/usage/v1/usage_imports/{import_id}/quarantine": {"get"},
    "/usage/v1/usage_imports/{import_id}/quarantine/{line_id}": {"get", "patch"},
    "/usage/v1/usage_imports/{import_id}/quarantine/{line_id}/dismiss": {"post"},
    "/usage/v1/usage_imports/{import_id}/quarantine/{line_id}/reprocess": {"post"},
    "/usage/v1/usage_imports/{import_id}/reprocess": {"post"},
}


@pytest.fixture
def document(db: None) -> Any:
    return Caller(None).get("/api/schema/").json()


def test_the_document_is_valid_and_without_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_address_is_in_it(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert {path: set(operations) for path, operations in document["paths"].items()} == PATHS


def test_both_headers_are_in_it(document: Any) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["Bearer"] == {"type": "http", "scheme": "bearer"}
    assert schemes["Fastly-Key"] == {"type": "apiKey", "in": "header", "name": "Fastly-Key"}
    for operations in document["paths"].values():
        for operation in operations.values():
            assert {"Bearer": []} in operation["security"]
            assert {"Fastly-Key": []} in operation["security"]


def test_every_operation_has_its_errors(document: Any) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            expected = {"400", "401", "403", "406", "429"} | ({"404"} if "{" in path else set())
            expected |= {"409", "413", "415", "422"} if method != "get" else set()
            assert expected <= set(operation["responses"]), (path, method)
            keys = [parameter["name"] for parameter in operation.get("parameters", [])]
            assert ("Idempotency-Key" in keys) == (method != "get")
    assert document["components"]["schemas"]["Error"]["required"] == ["title", "detail", "status", "code", "errors"]


def test_bodies_take_their_own_members_only(document: Any) -> None:
    schemas = document["components"]["schemas"]
    body = schemas["NewRecordBody"]
    assert body["required"] == ["from_date", "source_system", "subscription_service", "usage_amount"]
    assert [schemas[name]["additionalProperties"] for name in ("NewRecordBody", "AdjustBody", "ReasonBody")] == [
        False
    ] * 3
    assert (schemas["PatchedCorrectionBody"]["minProperties"], schemas["PatchedCorrectionBody"]["maxProperties"]) == (
        1,
        1,
    )
    assert document["paths"]["/usage/v1/usage_data_records"]["post"]["requestBody"]["required"] is True


def test_ids_are_texts_and_amounts_numbers(document: Any) -> None:
    schemas = document["components"]["schemas"]
    invoice, line, run = (schemas[name]["properties"] for name in ("Invoice", "LineItem", "BillingRun"))
    assert invoice["invoice_id"]["type"] == "string"
    assert {invoice[name]["type"] for name in ("monthly_transaction_amount", "tax_amount", "total_amount")} == {
        "number"
    }
    assert {line[name]["type"] for name in ("amount", "rate", "units")} == {"number"}
    assert run["invoiceAmount"]["type"] == ["number", "null"]
    assert "double" not in str(document)


def test_an_invoice_is_json_or_a_pdf(document: Any) -> None:
    answers = document["paths"]["/billing/v3/invoices/{invoice_id}"]["get"]["responses"]["200"]["content"]
    assert set(answers) == {"application/json", "application/pdf"}
    assert answers["application/pdf"]["schema"] == {"type": "string", "format": "binary"}
    month = document["components"]["schemas"]["MonthToDate"]["properties"]
    assert (month["monthly_transaction_amount"]["type"], month["total_amount"]["type"]) == ("string", "number")


def test_the_document_is_to_be_had_as_yaml(db: None) -> None:
    response = Client().get("/api/schema", headers={"Accept": "application/yaml"})
    assert response.content.startswith(b"openapi: 3.1.0")


def test_the_page_loads_nothing_from_elsewhere(db: None) -> None:
    page = Client().get("/api/docs/").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)
