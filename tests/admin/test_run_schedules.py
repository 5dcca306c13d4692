"""Schedules of billing runs in the admin: made by a form, and what comes next in a sentence."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from billing.admin.run_schedules import what_comes_next
from billing.models import RunSchedule
from billing.queries.schedules import schedules_with_latest
from tests.factories import BillingRunFactory, RunScheduleFactory, ScheduleMailFactory, UserFactory

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FORM = {
    "name": "Monthly",
    "is_active": "on",
    "first_cutoff_date": "2090-01-31",
    "months": "1",
    "hour": "2",
    "timezone": "Europe/Berlin",
    "billing_cycle": "",
    "due_in_days": "30",
    "invoice_message": "",
    "action": "commence",
    "confirmed_warnings": ["late_usage", "open_conflicts"],
}


def change_page(schedule: RunSchedule) -> str:
    return reverse("admin:billing_runschedule_change", args=[schedule.pk])


def shown(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def next_of(**fields: Any) -> str:
    made = RunScheduleFactory(**fields)
    return what_comes_next(schedules_with_latest().get(pk=made.pk), at=NOVEMBER)


def test_a_schedule_is_made_by_its_form_and_says_what_comes_next(admin_client: Client) -> None:
    response = admin_client.post(reverse("admin:billing_runschedule_add"), FORM)
    assert response.status_code == 302, response.context["errors"]
    schedule = RunSchedule.objects.get()
    assert (schedule.first_cutoff_date, schedule.action) == (date(2090, 1, 31), "commence")
    assert schedule.confirmed_warnings == ["late_usage", "open_conflicts"]
    page = shown(admin_client, change_page(schedule))
    assert "next: cutoff 2090-01-31, on 2090-01-31 at 02:00 Europe/Berlin" in page
    assert page.count('checked="checked"') + page.count(" checked") >= 2


@pytest.mark.parametrize(
    "wrong", [{"hour": "24"}, {"months": "0"}, {"timezone": "Mars/Olympus"}, {"confirmed_warnings": ["wrong_examples"]}]
)
def test_what_cannot_be_is_refused_by_the_form(admin_client: Client, wrong: dict[str, Any]) -> None:
    response = admin_client.post(reverse("admin:billing_runschedule_add"), FORM | wrong)
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == list(wrong)
    assert not RunSchedule.objects.exists()


def test_the_sentence_names_what_is_due_and_what_comes_then() -> None:
    assert next_of(first_cutoff_date=date(2026, 12, 1)) == "next: cutoff 2026-12-01, on 2026-12-01 at 02:00 UTC"
    assert next_of(first_cutoff_date=date(2026, 11, 1)) == (
        "1 period is due: cutoff 2026-11-01; next: cutoff 2026-12-01, on 2026-12-01 at 02:00 UTC"
    )
    assert next_of(first_cutoff_date=date(2026, 7, 1)) == (
        "5 periods are due, one by one: cutoff 2026-07-01, 2026-08-01, 2026-09-01 and 2 more; "
        "next: cutoff 2026-12-01, on 2026-12-01 at 02:00 UTC"
    )
    assert next_of(is_active=False) == "switched off"
    # At 09:00 UTC on the 22nd it is 22:00 there; that of the 22nd at 23:00 is still to come.
    assert next_of(first_cutoff_date=date(2026, 11, 22), hour=23, timezone="Pacific/Auckland") == (
        "next: cutoff 2026-11-22, on 2026-11-22 at 23:00 Pacific/Auckland"
    )


def test_a_period_that_has_its_run_is_not_due(admin_client: Client) -> None:
    schedule = RunScheduleFactory(first_cutoff_date=date(2026, 11, 1))
    run = BillingRunFactory(name="November", schedule=schedule, scheduled_for=date(2026, 11, 1))
    found = schedules_with_latest().get(pk=schedule.pk)
    assert what_comes_next(found, at=NOVEMBER) == "next: cutoff 2026-12-01, on 2026-12-01 at 02:00 UTC"
    page = shown(admin_client, change_page(schedule))
    assert "1, the last one" in page
    assert reverse("admin:billing_billingrun_change", args=[run.pk]) in page


def test_the_page_says_who_is_told(admin_client: Client) -> None:
    schedule = RunScheduleFactory()
    assert "Nobody yet. Add people with an e-mail address to the" in shown(admin_client, change_page(schedule))
    UserFactory(email="amy@example.com").groups.add(Group.objects.create(name="Billing"))
    assert "amy@example.com" in shown(admin_client, change_page(schedule))


def test_a_schedule_with_runs_is_not_deleted(admin_client: Client) -> None:
    schedule = RunScheduleFactory()
    BillingRunFactory(schedule=schedule, scheduled_for=date(2026, 2, 1))
    admin_client.post(reverse("admin:billing_runschedule_delete", args=[schedule.pk]), {"post": "yes"})
    assert RunSchedule.objects.exists()


def test_mails_are_looked_at_and_not_written(admin_client: Client) -> None:
    mail = ScheduleMailFactory(subject="Monthly failed", text="No such time zone.")
    page = shown(admin_client, reverse("admin:billing_schedulemail_change", args=[mail.pk]))
    assert "No such time zone." in page
    assert admin_client.get(reverse("admin:billing_schedulemail_add")).status_code == 403


def test_who_may_not_commence_runs_makes_no_schedule_that_does(client: Client) -> None:
    keeper = UserFactory()
    own = ("view_runschedule", "add_runschedule", "change_runschedule")
    keeper.user_permissions.set(Permission.objects.filter(codename__in=own))
    client.force_login(keeper)
    add = reverse("admin:billing_runschedule_add")
    values = {
        "name": "Mine",
        "is_active": "on",
        "first_cutoff_date": "2026-02-01",
        "months": "1",
        "hour": "2",
        "timezone": "UTC",
        "due_in_days": "30",
        "action": "commence",
    }
    assert "Select a valid choice. commence is not one" in client.post(add, values).content.decode()
    assert not RunSchedule.objects.exists()
    client.post(add, values | {"action": "create"})
    schedule = RunSchedule.objects.get()
    RunSchedule.objects.update(action="commence")
    change = reverse("admin:billing_runschedule_change", args=[schedule.pk])
    assert client.post(change, values | {"action": "create", "hour": "3"}).status_code == 403
    keeper.user_permissions.add(Permission.objects.get(codename="change_billingrun"))
    assert client.post(change, values | {"hour": "3"}).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.action, schedule.hour) == ("commence", 3)
