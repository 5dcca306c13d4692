"""A run is checked when it is commenced: what blocks stops it, what warns is confirmed by name."""

from decimal import Decimal

import pytest

from billing.models import BillingRun
from billing.operations.errors import CustomersWait, PreflightRefused, RunRefused
from billing.operations.preview import preview_run
from billing.operations.runs import commence_run
from tests.factories import CustomerFactory, ProductFactory, RateExampleFactory
from tests.runs import AT, FEBRUARY, customer_at, new_run, rate_of, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> BillingRun:
    """A run that is warned of a record without a rate and of a customer without a tax rate."""
    acme, call = customer_at("1", tax_rate=None)
    use(acme, call, 5)
    use(acme, ProductFactory(), 5)
    return new_run()


def refusal(run: BillingRun, *confirmed: str) -> PreflightRefused:
    with pytest.raises(PreflightRefused) as refused:
        commence_run(run_id=run.pk, at=AT, confirmed=confirmed)
    run.refresh_from_db()
    assert (run.status, run.accounts.count(), run.confirmed_warnings) == ("pending", 0, [])
    return refused.value


def test_a_run_of_which_nothing_is_warned_is_commenced() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = commence_run(run_id=new_run().pk, at=AT)
    run.refresh_from_db()
    assert (run.status, run.confirmed_warnings) == ("commenced", [])


def test_warnings_that_are_not_confirmed_stop_it_and_are_named(run: BillingRun) -> None:
    refused = refusal(run)
    assert str(refused).startswith(
        f"Run {run.pk} was not commenced. Mend this, or confirm unpriced_usage, no_tax_rate and commence it again. "
        "Usage without a rate (unpriced_usage): 1 record of "
    )
    assert "Customers without a tax rate (no_tax_rate): 1 customer (" in str(refused)
    assert [check.code for check in refused.checks if check.verdict == "warn"] == ["unpriced_usage", "no_tax_rate"]


def test_each_warning_is_confirmed_by_itself(run: BillingRun) -> None:
    assert "confirm no_tax_rate and commence" in str(refusal(run, "unpriced_usage"))
    assert "confirm unpriced_usage and commence" in str(refusal(run, "no_tax_rate"))


def test_confirmed_warnings_are_kept_with_the_run(run: BillingRun) -> None:
    # What does not warn is not kept, confirmed or not.
    commence_run(run_id=run.pk, at=AT, confirmed=["no_tax_rate", "late_usage", "unpriced_usage"])
    run.refresh_from_db()
    assert (run.status, run.confirmed_warnings) == ("commenced", ["unpriced_usage", "no_tax_rate"])


def test_a_block_stops_it_whatever_is_confirmed() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    RateExampleFactory(rate_card=rate_of(call).rate_card, product=call, amount=Decimal(2))
    refused = refusal(new_run(), "wrong_examples")
    assert "What blocks it has to be mended first. Examples of prices (wrong_examples): 1 example is wrong" in str(
        refused
    )


def test_customers_that_wait_elsewhere_and_none_at_all_are_refused_as_before() -> None:
    with pytest.raises(RunRefused, match="has no customers"):
        commence_run(run_id=new_run(subrun="odd").pk, at=AT)
    CustomerFactory()
    first, second = new_run(name="First"), new_run(**FEBRUARY)
    commence_run(run_id=first.pk, at=AT)
    with pytest.raises(CustomersWait) as refused:
        commence_run(run_id=second.pk, at=AT)
    assert refused.value.in_run_id == first.pk


def test_a_preview_asks_for_no_confirmation(run: BillingRun) -> None:
    (account,) = preview_run(run_id=run.pk, at=AT).accounts
    assert account.outcome == "held"
