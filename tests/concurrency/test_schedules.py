"""Schedules that fire at the same time: one run for a period."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from billing.models import BillingRun, RunSchedule, ScheduleMail
from billing.operations.schedule_mails import send_schedule_mails
from billing.operations.schedules import run_due_schedules
from tests.concurrency.sessions import at_once, meanwhile, transaction_open
from tests.factories import RunScheduleFactory, ScheduleMailFactory, UserFactory
from tests.runs import customer_at, use

pytestmark = pytest.mark.django_db(transaction=True)

FEBRUARY = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("action", ["create", "preview", "commence"])
def test_of_those_that_fire_at_once_one_makes_the_run(action: str) -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    RunScheduleFactory(action=action)
    got = at_once([lambda: run_due_schedules(at=FEBRUARY)] * 4)
    run = BillingRun.objects.get()
    commenced = [run.pk] if action == "commence" else []
    assert sorted(got, key=str) == sorted([[], [], [], commenced], key=str)
    assert run.accounts.count() == len(commenced)
    # The others left it alone, and nobody is told that they failed.
    assert not ScheduleMail.objects.filter(kind="error").exists()


def test_one_that_somebody_else_is_at_is_left_to_them_and_keeps_no_other_up() -> None:
    taken, free = RunScheduleFactory(), RunScheduleFactory()
    with transaction_open() as other:
        other.execute("SELECT FROM run_schedule WHERE id = %s FOR NO KEY UPDATE", [taken.pk])
        with meanwhile(lambda: run_due_schedules(at=FEBRUARY)) as fired:
            assert fired.done()
        other.execute("ROLLBACK")
    assert [run.schedule for run in BillingRun.objects.all()] == [free]


def test_a_schedule_that_is_switched_off_meanwhile_makes_none() -> None:
    schedule: RunSchedule = RunScheduleFactory(first_cutoff_date=FEBRUARY.date())
    RunSchedule.objects.filter(pk=schedule.pk).update(is_active=False)
    assert at_once([lambda: run_due_schedules(at=FEBRUARY)] * 2) == [[], []]
    assert not BillingRun.objects.exists()


def test_of_those_that_send_at_once_each_mail_is_sent_by_one(mailoutbox: list[object]) -> None:
    UserFactory(email="amy@example.com").groups.add(Group.objects.create(name="Billing"))
    for _ in range(6):
        ScheduleMailFactory()
    got = at_once([lambda: send_schedule_mails(at=FEBRUARY + timedelta(minutes=1))] * 3)
    assert sum(got) == 6  # type: ignore[arg-type]
    assert len(mailoutbox) == 6
