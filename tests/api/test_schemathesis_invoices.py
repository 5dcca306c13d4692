"""What the document says of invoices and of what is done with them holds, whatever is sent."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from customers.models import Customer
from customers.operations.api_keys import create_api_key
from tests.api.conftest import ALL_SCOPES
from tests.factories import (
    AccountCreditFactory,
    CouponFactory,
    InvoiceDeliveryFactory,
    InvoiceUsageReportProfileFactory,
    LegalEntityFactory,
    RunScheduleFactory,
    TransactionFactory,
)
from tests.runs import bill, customer_at, post, use

pytestmark = pytest.mark.django_db

V3 = r"^/billing/v3/"
BACKEND = (
    r"^/backend/api/v1/(legalEntities|coupons|accountCredits|accountsReceivable|invoiceDeliveries|manualInvoices"
    r"|invoices|invoiceUsageReportCustomerProfiles|billingRunSchedules)"
)
CONFIG = {"seed": 7, "generation": {"deterministic": True, "max-examples": 3, "database": "none"}}

document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
# As it is sent: with plain numbers.
sent = json.loads(json.dumps(document, default=float))
schema = schemathesis.openapi.from_dict(sent, config=SchemathesisConfig.from_dict(CONFIG))
schema.app = WSGIHandler()


@pytest.fixture
def _connection_of_this_test() -> Iterator[None]:
    """The application goes on with the test's transaction from one request to the next."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def owner(db: None) -> Customer:
    """A customer with a posted invoice."""
    owner, call = customer_at("0.10")
    use(owner, call, 100, number="R1")
    post(bill())
    return owner


@pytest.fixture
def names(owner: Customer, settings: Any) -> dict[str, Any]:
    """What addresses and bodies can name, by the parameter or member that names it."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    billed = owner.invoices.get()
    return {
        "invoice_id": billed.pk,
        "account_id": billed.accounts_receivable_id,
        "delivery_id": InvoiceDeliveryFactory(refused=True, invoice=billed).pk,
        "entity_id": LegalEntityFactory().pk,
        "coupon_id": CouponFactory(code="C-1").pk,
        "credit_id": AccountCreditFactory(customer=owner).pk,
        "profile_id": InvoiceUsageReportProfileFactory().pk,
        "schedule_id": RunScheduleFactory().pk,
        "customerID": str(owner.pk),
        "customer_id": owner.account_number,
        "transactionIDs": [str(TransactionFactory(customer=owner).pk)],
        "currency": "USD",
    }


@pytest.fixture
def keys(staff_key: str, owner: Customer) -> dict[str, str]:
    """A key of staff and one of the customer, each with all scopes."""
    return {"staff": staff_key, "customer": create_api_key(scopes=ALL_SCOPES, customer_id=owner.pk)[1]}


def lead(case: schemathesis.Case[Any], names: dict[str, Any]) -> None:
    """Have most requests name what there is: ids and names cannot be guessed."""
    chance = zlib.crc32(f"{case.path_parameters}{case.query}{case.body!r}".encode(errors="replace"))
    if chance % 8 == 0:
        return
    for name in case.path_parameters or {}:
        case.path_parameters[name] = str(names.get(name, 1))
    if chance % 3 and case.query and "customer_id" in case.query:
        case.query["customer_id"] = names["customer_id"]
    if isinstance(case.body, dict) and chance % 3:
        case.body = {name: names.get(name, value) for name, value in case.body.items()}


def check(case: schemathesis.Case[Any], key: str, names: dict[str, Any]) -> None:
    """Send the request, hold the answer against the document, and leave no trace of it."""
    lead(case, names)
    # A name that nothing has is well formed and still a 400; a number is taken for a text, no body for an empty one.
    not_held: list[Any] = [positive_data_acceptance, negative_data_rejection]
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=not_held)
        transaction.set_rollback(True)


@schema.include(path_regex=V3).parametrize()
@pytest.mark.parametrize("who", ["staff", "customer"])
@pytest.mark.usefixtures("_connection_of_this_test")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_answer_about_invoices_is_as_the_document_says(
    case: schemathesis.Case[Any], who: str, keys: dict[str, str], names: dict[str, Any]
) -> None:
    check(case, keys[who], names)


@schema.include(path_regex=BACKEND).parametrize()
@pytest.mark.parametrize("who", ["staff"])
@pytest.mark.usefixtures("_connection_of_this_test")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_so_is_every_answer_to_what_is_done_with_them(
    case: schemathesis.Case[Any], who: str, keys: dict[str, str], names: dict[str, Any]
) -> None:
    check(case, keys[who], names)
