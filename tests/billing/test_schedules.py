"""Schedules make the run of each period once, in order, and as far as they are told to."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.choices import PreflightWarning
from billing.models import BillingRun, RunSchedule, ScheduleMail
from billing.operations import schedules
from billing.operations.production import produce_next_chunk
from billing.operations.runs import cancel_run, commence_run
from billing.operations.schedules import run_due_schedules
from billing.operations.undo import undo_run
from billing.queries.preflight import preflight
from tests.factories import (
    BillingCycleFactory,
    BillingRunFactory,
    CustomerBillingFactory,
    CustomerFactory,
    InvoiceMessageFactory,
    ProductFactory,
    RunScheduleFactory,
    ScheduleMailFactory,
)
from tests.refusals import refused
from tests.runs import customer_at, new_run, outcome, use

pytestmark = pytest.mark.django_db

# Two in the morning of the first of February, and a quarter of a year later.
FEBRUARY = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)


def made(schedule: RunSchedule) -> list[tuple[str, str]]:
    """The cutoff date and the status of each of its runs, in order of making."""
    runs = schedule.runs.order_by("id").values_list("scheduled_for", "status")
    return [(str(cutoff), status) for cutoff, status in runs]


def mails() -> list[tuple[str, str]]:
    return [(mail.kind, mail.subject) for mail in ScheduleMail.objects.order_by("id")]


def produce_all(run_ids: list[int], at: datetime) -> None:
    for run_id in run_ids:
        while produce_next_chunk(run_id=run_id, at=at):
            pass


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        ("run_schedule_months_range", lambda: RunScheduleFactory(months=0)),
        ("run_schedule_months_range", lambda: RunScheduleFactory(months=13)),
        ("run_schedule_hour_of_the_day", lambda: RunScheduleFactory(hour=24)),
        ("run_schedule_action_known", lambda: RunScheduleFactory(action="post")),
        ("run_schedule_due_within_a_year", lambda: RunScheduleFactory(due_in_days=366)),
        ("run_schedule_first_cutoff_in_range", lambda: RunScheduleFactory(first_cutoff_date=date(1999, 12, 31))),
        ("run_schedule_first_cutoff_in_range", lambda: RunScheduleFactory(first_cutoff_date=date(9000, 1, 1))),
        ("billing_run_scheduled_for_its_schedule", lambda: BillingRunFactory(scheduled_for=date(2026, 2, 1))),
        ("billing_run_scheduled_for_its_schedule", lambda: BillingRunFactory(schedule=RunScheduleFactory())),
        ("schedule_mail_kind_known", lambda: ScheduleMailFactory(kind="gossip")),
        ("schedule_mail_sent_was_claimed", lambda: ScheduleMailFactory(sent_at=FEBRUARY)),
    ],
)
def test_the_database_refuses_what_cannot_be(constraint: str, make: Any) -> None:
    with refused(by=constraint):
        make()


def test_a_period_has_one_run_and_one_mail_of_a_kind() -> None:
    schedule = RunScheduleFactory()
    period = {"schedule": schedule, "scheduled_for": date(2026, 2, 1)}
    BillingRunFactory(**period)
    with refused(by="billing_run_once_per_period"):
        BillingRunFactory(**period)
    mail = ScheduleMailFactory(schedule=schedule)
    with refused(by="schedule_mail_once"):
        ScheduleMailFactory(schedule=schedule, day=mail.day)


def test_a_run_is_created_at_its_hour_and_not_before() -> None:
    message = InvoiceMessageFactory()
    schedule = RunScheduleFactory(
        name="Carriers",
        billing_cycle=BillingCycleFactory(subrun="C"),
        hour=3,
        timezone="Europe/Berlin",
        due_in_days=14,
        invoice_message=message,
    )
    # In winter three o'clock in Berlin is two o'clock in UTC.
    assert run_due_schedules(at=FEBRUARY - timedelta(seconds=1)) == []
    assert made(schedule) == []
    assert run_due_schedules(at=FEBRUARY) == []
    run = BillingRun.objects.get()
    assert (run.name, run.status, run.subrun) == ("Carriers 2026-02-01", "pending", "C")
    assert (run.invoice_date, run.cutoff_date, run.due_date) == (
        date(2026, 2, 1),
        date(2026, 2, 1),
        date(2026, 2, 15),
    )
    assert (run.invoice_message, run.schedule, run.scheduled_for) == (message, schedule, date(2026, 2, 1))


def test_a_period_has_one_run_however_often_it_fires() -> None:
    schedule = RunScheduleFactory()
    for minute in range(5):
        run_due_schedules(at=FEBRUARY + timedelta(minutes=minute))
    assert made(schedule) == [("2026-02-01", "pending")]


def test_missed_periods_are_made_up_for_one_by_one_in_order() -> None:
    schedule = RunScheduleFactory(first_cutoff_date=date(2026, 1, 31))
    for minute in range(5):
        run_due_schedules(at=APRIL + timedelta(minutes=minute))
        assert schedule.runs.count() == min(minute + 1, 3)
    assert made(schedule) == [("2026-01-31", "pending"), ("2026-02-28", "pending"), ("2026-03-31", "pending")]


def test_missed_runs_are_commenced_each_when_the_one_before_is_completed() -> None:
    acme, call = customer_at("1")
    for day in ("2026-01-15", "2026-02-15", "2026-03-15"):
        use(acme, call, 5, on=day)
    schedule = RunScheduleFactory(action="commence")
    (january,) = run_due_schedules(at=APRIL)
    # It is being produced: the next one waits, and nobody is bothered.
    assert run_due_schedules(at=APRIL + timedelta(minutes=1)) == []
    produce_all([january], APRIL)
    (february,) = run_due_schedules(at=APRIL + timedelta(minutes=2))
    produce_all([february], APRIL)
    (march,) = run_due_schedules(at=APRIL + timedelta(minutes=3))
    produce_all([march], APRIL)
    assert run_due_schedules(at=APRIL + timedelta(minutes=4)) == []
    periods = [
        (str(run.cutoff_date), outcome(run, acme), run.accounts.get().exact_amount)
        for run in schedule.runs.order_by("id")
    ]
    # Each has its own month's five units at 1.
    assert periods == [(day, ("invoiced", ""), Decimal(5)) for day in ("2026-02-01", "2026-03-01", "2026-04-01")]
    assert mails() == []


def test_a_run_of_customers_that_wait_in_another_run_is_made_when_that_is_completed() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    by_hand = commence_run(run_id=new_run().pk, at=FEBRUARY, without_preflight=True)
    schedule = RunScheduleFactory(action="commence")
    assert run_due_schedules(at=FEBRUARY) == []
    assert (made(schedule), mails()) == ([], [])
    # After an hour somebody should look at it.
    assert run_due_schedules(at=FEBRUARY + timedelta(minutes=61)) == []
    assert mails() == [("behind", f"{schedule.name} 2026-02-01 waits for run {by_hand.pk}")]
    produce_all([by_hand.pk], FEBRUARY)
    assert len(run_due_schedules(at=FEBRUARY + timedelta(minutes=62))) == 1
    assert made(schedule) == [("2026-02-01", "commenced")]


def test_a_run_that_is_not_to_be_commenced_stays_pending_and_is_told_of_once() -> None:
    # No customer is on a cycle of this subrun.
    schedule = RunScheduleFactory(name="Nobody", billing_cycle=BillingCycleFactory(subrun="N"), action="commence")
    for minute in range(3):
        assert run_due_schedules(at=FEBRUARY + timedelta(minutes=minute)) == []
    assert made(schedule) == [("2026-02-01", "pending")]
    (mail,) = ScheduleMail.objects.all()
    run = schedule.runs.get()
    assert (mail.kind, mail.run, mail.subject) == ("refused", run, "Nobody 2026-02-01 could not be commenced")
    assert f"Run {run.pk} has no customers" in mail.text


def test_a_warning_leaves_the_run_pending_unless_it_was_confirmed_beforehand() -> None:
    # Usage that no rate prices is a warning.
    acme, call = customer_at("1")
    use(acme, ProductFactory(), 5)
    use(acme, call, 5)
    careful = RunScheduleFactory(name="Careful", action="commence")
    assert run_due_schedules(at=FEBRUARY) == []
    assert made(careful) == [("2026-02-01", "pending")]
    assert mails() == [("refused", "Careful 2026-02-01 could not be commenced")]
    assert "confirm unpriced_usage" in ScheduleMail.objects.get().text
    cancel_run(run_id=careful.runs.get().pk)
    careful.is_active = False
    careful.save()
    bold = RunScheduleFactory(name="Bold", action="commence", confirmed_warnings=["unpriced_usage", "late_usage"])
    assert len(run_due_schedules(at=FEBRUARY)) == 1
    assert bold.runs.get().confirmed_warnings == ["unpriced_usage"]


def test_what_can_be_confirmed_is_what_can_warn() -> None:
    CustomerFactory()
    codes = {check.code for check in preflight(run=new_run(), at=FEBRUARY)}
    assert codes - set(PreflightWarning.values) == {"wrong_examples", "waiting_elsewhere"}
    assert set(PreflightWarning.values) < codes


def test_the_next_period_waits_for_a_run_that_was_left_pending_until_it_is_cancelled() -> None:
    cycle = BillingCycleFactory(subrun="N")
    schedule = RunScheduleFactory(name="New", billing_cycle=cycle, action="commence")
    run_due_schedules(at=FEBRUARY)
    left = schedule.runs.get()
    CustomerBillingFactory(customer=CustomerFactory(), billing_cycle=cycle)
    march = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    for minute in range(3):
        assert run_due_schedules(at=march + timedelta(minutes=minute)) == []
    assert mails()[1:] == [("behind", f"New 2026-03-01 waits for run {left.pk}")]
    cancel_run(run_id=left.pk)
    assert len(run_due_schedules(at=march + timedelta(minutes=3))) == 1
    assert made(schedule) == [("2026-02-01", "cancelled"), ("2026-03-01", "commenced")]


def test_a_preview_is_told_of_and_nothing_of_it_is_kept() -> None:
    acme, call = customer_at("1")
    use(acme, call, 1250)
    CustomerFactory()
    schedule = RunScheduleFactory(name="Looked at", action="preview")
    run_due_schedules(at=FEBRUARY)
    run = schedule.runs.get()
    assert (run.status, run.accounts.count()) == ("pending", 0)
    (mail,) = ScheduleMail.objects.all()
    assert (mail.kind, mail.subject) == ("preview", "Looked at 2026-02-01 is ready to be commenced")
    # 1,250 x 1 and 20 % tax.
    assert mail.text.startswith(
        f"Run {run.pk} was created by its schedule. It would come to 1,500.00 USD, customers: 1 invoiced, "
        "1 nothingToBill."
    )


def test_accounts_that_failed_are_told_of_when_the_run_is_completed_once() -> None:
    acme, call = customer_at("9" * 15)
    use(acme, call, "9" * 15)
    good = CustomerFactory(rate_cards=[acme.customer_rate_cards.get().rate_card])
    use(good, call, 1)
    schedule = RunScheduleFactory(name="Faulty", action="commence")
    run_ids = run_due_schedules(at=FEBRUARY)
    run_due_schedules(at=FEBRUARY)
    assert mails() == []
    produce_all(run_ids, FEBRUARY)
    for minute in range(3):
        run_due_schedules(at=FEBRUARY + timedelta(minutes=minute))
    assert outcome(schedule.runs.get(), acme)[0] == "failed"
    assert mails() == [("accountsFailed", "Faulty 2026-02-01: 1 account failed")]


def test_a_run_that_nobody_scheduled_is_not_told_of() -> None:
    acme, call = customer_at("9" * 15)
    use(acme, call, "9" * 15)
    run = commence_run(run_id=new_run().pk, at=FEBRUARY, without_preflight=True)
    produce_all([run.pk], FEBRUARY)
    run_due_schedules(at=FEBRUARY)
    assert (outcome(run, acme)[0], mails()) == ("failed", [])


def test_a_schedule_that_fails_leaves_nothing_behind_keeps_no_other_up_and_is_told_of_once_a_day(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faulty = RunScheduleFactory(name="Faulty", timezone="Nowhere/At_All")
    sound = RunScheduleFactory()
    for minute in range(3):
        run_due_schedules(at=FEBRUARY + timedelta(minutes=minute))
    assert (made(faulty), made(sound)) == ([], [("2026-02-01", "pending")])
    assert mails() == [("error", "Faulty failed")]
    assert "No time zone found with key Nowhere/At_All" in ScheduleMail.objects.get().text
    assert len(caplog.records) == 3
    run_due_schedules(at=FEBRUARY + timedelta(days=1))
    assert mails() == [("error", "Faulty failed")] * 2
    faulty.timezone = "UTC"
    faulty.save()
    run_due_schedules(at=FEBRUARY + timedelta(days=1))
    assert made(faulty) == [("2026-02-01", "pending")]


def test_one_that_is_switched_off_makes_none_and_makes_up_for_them_later() -> None:
    schedule = RunScheduleFactory(is_active=False)
    assert (run_due_schedules(at=APRIL), made(schedule)) == ([], [])
    schedule.is_active = True
    schedule.save()
    for minute in range(4):
        run_due_schedules(at=APRIL + timedelta(minutes=minute))
    assert [cutoff for cutoff, _ in made(schedule)] == ["2026-02-01", "2026-03-01", "2026-04-01"]


def test_a_later_first_cutoff_date_leaves_out_the_periods_before_it() -> None:
    schedule = RunScheduleFactory()
    run_due_schedules(at=FEBRUARY)
    schedule.first_cutoff_date = date(2026, 4, 1)
    schedule.save()
    for minute in range(3):
        run_due_schedules(at=APRIL + timedelta(minutes=minute))
    assert [cutoff for cutoff, _ in made(schedule)] == ["2026-02-01", "2026-04-01"]


def test_what_is_killed_in_the_middle_leaves_no_run_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    CustomerFactory()
    schedule = RunScheduleFactory(action="commence")

    def die(**_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(schedules, "commence_run", die)
        with pytest.raises(KeyboardInterrupt):
            run_due_schedules(at=FEBRUARY)
    assert made(schedule) == []
    run_due_schedules(at=FEBRUARY)
    assert made(schedule) == [("2026-02-01", "commenced")]


def test_the_next_period_waits_for_an_earlier_one_that_was_undone_or_left_pending_too() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    schedule = RunScheduleFactory(name="Calls", action="commence", confirmed_warnings=PreflightWarning.values)
    march = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    for at in (FEBRUARY, march):
        produce_all(run_due_schedules(at=at), at)
    first = schedule.runs.get(scheduled_for=date(2026, 2, 1))
    undo_run(run_id=first.pk)
    # January's usage waits again: the run of March is not to take it as late.
    assert run_due_schedules(at=APRIL) == []
    assert mails() == [("behind", f"Calls 2026-04-01 waits for run {first.pk}")]
    commence_run(run_id=first.pk, at=APRIL, without_preflight=True)
    produce_all([first.pk], APRIL)
    assert len(run_due_schedules(at=APRIL)) == 1


def test_told_to_commence_what_it_only_created_before_it_waits_for_all_of_that() -> None:
    CustomerFactory()
    schedule = RunScheduleFactory(action="create")
    for _ in range(2):
        run_due_schedules(at=datetime(2026, 3, 1, 2, 0, tzinfo=UTC))
    first, second = schedule.runs.order_by("scheduled_for")
    schedule.action = "commence"
    schedule.save()
    cancel_run(run_id=second.pk)
    assert run_due_schedules(at=APRIL) == []
    cancel_run(run_id=first.pk)
    assert len(run_due_schedules(at=APRIL)) == 1


def test_a_clock_that_goes_back_makes_nothing_twice() -> None:
    schedule = RunScheduleFactory()
    for at in (APRIL, FEBRUARY - timedelta(days=40), FEBRUARY, APRIL):
        run_due_schedules(at=at)
    assert [cutoff for cutoff, _ in made(schedule)] == ["2026-02-01", "2026-03-01"]
