"""What was there before an upgrade goes on as if it had come after it."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.billing.taken import cancel
from tests.runs import bill, customer_at, invoice, lines, use

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(*targets: tuple[str, str]) -> None:
    """Take the tables to these migrations and what hangs on them, forwards or back; without any, to the newest."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


@pytest.fixture(autouse=True)
def at_last() -> Iterator[None]:
    """The tables are as they were again afterwards, whatever happens."""
    yield
    migrate()


def test_a_draft_of_the_version_before_keeps_its_other_usage_when_it_is_made_anew() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 40)
    run = bill()
    # Charges did not say yet what their place in the inbox was.
    migrate(("invoicing", "0001_initial"))
    migrate()
    cancel(wrong)
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]
