"""What was there before an upgrade goes on as if it had come after it."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.billing.taken import cancel
from tests.runs import bill, customer_at, invoice, lines, use

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str) -> None:
    """Take the tables of `invoicing` to this migration, forwards or back."""
    MigrationExecutor(connection).migrate([("invoicing", name)])


@pytest.fixture
def last_migration() -> Iterator[str]:
    """The newest migration of `invoicing`, which its tables are at again afterwards, whatever happens."""
    ((_, name),) = MigrationExecutor(connection).loader.graph.leaf_nodes("invoicing")
    yield name
    migrate(name)


def test_a_draft_of_the_version_before_keeps_its_other_usage_when_it_is_made_anew(last_migration: str) -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 40)
    run = bill()
    # Charges did not say yet what their place in the inbox was.
    migrate("0001_initial")
    migrate(last_migration)
    cancel(wrong)
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]
