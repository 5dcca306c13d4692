"""Rate decks and billing runs: a run that is commenced keeps the prices that it froze."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.operations.runs import commence_run
from catalog.operations.rate_decks.increasing import prepare_increase
from tests.catalog.decks import AT, activate, prepare
from tests.runs import customer_at, invoice, lines, new_run, produce, rate_of, use

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_keeps_the_prices_that_it_froze_when_decks_are_activated() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    use(acme, call, 50, destination="447")
    card = rate_of(call).rate_card
    run = new_run()
    commence_run(run_id=run.pk, at=timezone.now(), without_preflight=True)
    # A new price in its place, a longer prefix, then both raised by a half: all from before the usage on.
    activate(
        prepare(
            card, f"product,prefix,unit_price\n{call.code},,0.20\n{call.code},447,0.30\n", starts_on=date(2025, 6, 1)
        )
    )
    raised = prepare_increase(
        rate_card_id=card.pk, percent=Decimal(50), starts_on=date(2025, 7, 1), user_id=None, at=AT
    )
    activate(raised)
    produce(run)
    assert lines(invoice(run, acme)) == ["150 x 0.1 = 15 -> 15.00"]
