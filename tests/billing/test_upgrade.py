"""What was there before an upgrade goes on as if it had come after it."""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from billing.queries.explain import explain_charge
from catalog.models import RateCard
from tests.billing.taken import cancel
from tests.factories import PublicHolidayFactory, RateFactory, TimeBandFactory, TimeBandHoursFactory
from tests.runs import bill, customer_at, invoice, lines, rate_of, use

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


def test_public_holidays_of_the_version_before_were_there_in_its_runs() -> None:
    acme, call = customer_at("0.01")
    RateCard.objects.update(holiday_country="DE")
    band = TimeBandFactory()
    TimeBandHoursFactory(time_band=band, days=[8], start_time=time(0), end_time=None)
    RateFactory(rate_card=rate_of(call).rate_card, product=call, time_band=band, unit_price=Decimal("0.005"))
    PublicHolidayFactory(country="DE", day=date(2026, 1, 15))
    record = use(acme, call, 100, on="2026-01-15")
    bill()
    # Holidays did not say yet which transaction had written them.
    migrate(("catalog", "0006_rate_versions_by_key"))
    migrate()
    found = explain_charge(record_id=record.pk)
    assert found is not None
    # 100 x 0.005 = 0.5.
    assert (found.amount, found.fault) == (Decimal("0.5"), "")
