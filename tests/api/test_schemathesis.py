"""What the document says of the usage API holds: schemathesis sends what it allows, and what it does not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection

from customers.api.upload import CSV_TYPES, GZIP_TYPES, MULTIPART, NDJSON_TYPES, XLSX_TYPES
from customers.models import Customer
from customers.operations.api_keys import create_api_key
from tests.api.conftest import ALL_SCOPES
from tests.api.sample import lead, make_sample
from tests.gzipped import gzipped
from tests.usage.taking import lines
from tests.usage.workbooks import workbook

pytestmark = pytest.mark.django_db

CALL = ("+49301", "2026-01-15T12:00:00Z", "60")
HEADER = ("service", "from_date", "usage_amount")
# No body at all has no type either: that answer, a 415, is tested by itself.
JUNK = st.binary(min_size=1, max_size=60)
CSV = JUNK | st.just(lines(",".join(CALL), header=",".join(HEADER)).encode())
NDJSON = JUNK | st.just(json.dumps(dict(zip(HEADER, CALL, strict=True))).encode())
XLSX = JUNK | st.just(workbook([HEADER, CALL]))
for types, content in (
    (CSV_TYPES, CSV),
    (NDJSON_TYPES, NDJSON),
    (XLSX_TYPES, XLSX),
    (GZIP_TYPES, (CSV | NDJSON | XLSX).map(gzipped)),
):
    schemathesis.openapi.media_type(types[0], content, aliases=types[1:])

CONFIG = {
    "seed": 7,
    "generation": {"deterministic": True, "max-examples": 10, "database": "none"},
    "checks": {
        # What is well formed and still cannot be (a service that there is not, the 31st of February) is a 422.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422"]},
    },
}

document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))
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
def ids(customer: Customer, settings: Any) -> dict[str, list[int]]:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    return make_sample(customer)


@pytest.fixture
def keys(staff_key: str, customer: Customer) -> dict[str, str]:
    """A key of staff and one of a customer, each with all scopes."""
    return {"staff": staff_key, "customer": create_api_key(scopes=ALL_SCOPES, customer_id=customer.id)[1]}


def check(case: schemathesis.Case[Any], key: str, ids: dict[str, list[int]]) -> None:
    """Send the request, hold the answer against the document, and leave no trace of it."""
    lead(case, ids)
    # Whatever is put in the place of a form's file is sent as one: on the wire it is a file again, and rightly taken.
    not_held: list[Any] = [negative_data_rejection] if case.media_type == MULTIPART else []
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=not_held)
        transaction.set_rollback(True)


@schema.include(path_regex="^/usage/v1/").parametrize()
@pytest.mark.parametrize("who", ["staff"])
@pytest.mark.usefixtures("_connection_of_this_test")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_answer_is_as_the_document_says(
    case: schemathesis.Case[Any], who: str, keys: dict[str, str], ids: dict[str, list[int]]
) -> None:
    check(case, keys[who], ids)


# The rest is the staff's: to a customer's key it is a 403, whatever is sent.
@schema.include(path_regex=r"^/usage/v1/usage_data_records(/\{record_id\}(/explanation)?)?$").parametrize()
@pytest.mark.parametrize("who", ["customer"])
@pytest.mark.usefixtures("_connection_of_this_test")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_so_is_every_answer_to_a_customer(
    case: schemathesis.Case[Any], who: str, keys: dict[str, str], ids: dict[str, list[int]]
) -> None:
    check(case, keys[who], ids)
