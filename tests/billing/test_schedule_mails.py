"""What went wrong with scheduled runs reaches the billing group: at least once, and not each minute."""

import smtplib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from billing.models import ScheduleMail
from billing.operations.schedule_mails import send_schedule_mails
from billing.tasks import run_schedules
from tests.factories import BillingRunFactory, RunScheduleFactory, ScheduleMailFactory, UserFactory

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)


class Broken(EmailBackend):
    """A mail server that refuses everything."""

    def send_messages(self, messages: Any) -> int:
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")


@pytest.fixture
def group(settings: Any) -> Group:
    """The billing group with two members who can be told, and two who cannot."""
    settings.SITE_URL = "https://billing.example.com"
    group = Group.objects.create(name="Billing")
    UserFactory(email="zoe@example.com").groups.add(group)
    UserFactory(email="amy@example.com").groups.add(group)
    UserFactory(email="left@example.com", is_active=False).groups.add(group)
    UserFactory(email="").groups.add(group)
    UserFactory(email="other@example.com")
    return group


def test_members_with_an_address_get_one_mail_with_links(group: Group) -> None:
    schedule = RunScheduleFactory(name="Monthly")
    run = BillingRunFactory(schedule=schedule, scheduled_for=date(2026, 2, 1))
    ScheduleMailFactory(
        schedule=schedule, run=run, kind="refused", subject="Monthly could not\nbe commenced", text="It stays pending."
    )
    assert [send_schedule_mails(at=AT + timedelta(minutes=minute)) for minute in range(3)] == [1, 0, 0]
    (sent,) = mail.outbox
    assert sent.to == ["amy@example.com", "zoe@example.com"]
    assert sent.subject == "[Tollbook] Monthly could not be commenced"
    assert sent.body == (
        "It stays pending.\n\n"
        f"The run: https://billing.example.com/admin/billing/billingrun/{run.pk}/change/\n"
        f"The schedule: https://billing.example.com/admin/billing/runschedule/{schedule.pk}/change/\n"
    )
    assert ScheduleMail.objects.get().sent_at == AT


def test_all_that_wait_are_sent_in_order(group: Group) -> None:
    for number in range(3):
        ScheduleMailFactory(subject=f"Number {number}")
    assert send_schedule_mails(at=AT) == 3
    assert [sent.subject for sent in mail.outbox] == [f"[Tollbook] Number {number}" for number in range(3)]


def test_one_whose_sender_died_before_it_was_noted_is_sent_again_after_a_while(group: Group) -> None:
    ScheduleMailFactory(claimed_at=AT)
    assert send_schedule_mails(at=AT + timedelta(minutes=9)) == 0
    assert send_schedule_mails(at=AT + timedelta(minutes=10)) == 1
    assert send_schedule_mails(at=AT + timedelta(minutes=20)) == 0


def test_a_mail_server_that_is_away_is_tried_again_after_a_while(
    group: Group, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    for _ in range(2):
        ScheduleMailFactory()
    assert send_schedule_mails(at=AT) == 0
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    # The second one was not tried.
    assert send_schedule_mails(at=AT + timedelta(minutes=1)) == 1
    assert send_schedule_mails(at=AT + timedelta(minutes=10)) == 1


def test_without_a_member_with_an_address_mails_wait(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    ScheduleMailFactory()
    assert send_schedule_mails(at=AT) == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    group = Group.objects.create(name="Invoicing clerks")
    settings.BILLING_GROUP = "Invoicing clerks"
    UserFactory(email="amy@example.com").groups.add(group)
    assert send_schedule_mails(at=AT) == 1


def test_the_task_makes_what_is_due_and_tells_what_went_wrong(group: Group) -> None:
    # Without a customer it cannot be commenced.
    yesterday = timezone.now().date() - timedelta(days=1)
    RunScheduleFactory(name="Yearly", first_cutoff_date=yesterday, months=12, action="commence")
    for _ in range(3):
        run_schedules()
    assert [sent.subject for sent in mail.outbox] == [f"[Tollbook] Yearly {yesterday} could not be commenced"]


def test_beat_starts_the_task_each_minute_and_its_messages_live_no_longer(settings: Any) -> None:
    (entry,) = (each for each in settings.CELERY_BEAT_SCHEDULE.values() if each["task"] == run_schedules.name)
    assert (entry["schedule"], entry["options"]) == (60, {"expires": 60})
