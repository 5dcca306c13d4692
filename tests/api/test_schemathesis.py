"""What the document says of the usage API holds: schemathesis sends what it allows, and what it does not."""

from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

pytestmark = pytest.mark.django_db

CONFIG = {
    "seed": 7,
    "generation": {"deterministic": True, "max-examples": 20, "database": "none"},
    "checks": {
        # What is well formed and still cannot be (a service that there is not, the 31st of February) is a 422.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422"]},
    },
}


def document() -> Any:
    """The OpenAPI document."""
    return SchemaGenerator().get_schema(request=None, public=True)


schema = schemathesis.openapi.from_dict(document(), config=SchemathesisConfig.from_dict(CONFIG))
schema.app = WSGIHandler()


@schema.include(path_regex="^/usage/v1/").parametrize()
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_answer_is_as_the_document_says(case: schemathesis.Case, staff_key: str) -> None:
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {staff_key}"})
        transaction.set_rollback(True)
