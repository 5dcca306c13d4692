"""`billingRunSchedules` of the backend API: made, changed, deleted while they have made no run."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import RunSchedule
from billing.operations.schedules import run_due_schedules
from customers.models import Customer
from customers.operations.api_keys import create_api_key
from tests.api.caller import Caller, assert_error, parsed
from tests.factories import (
    BillingCycleFactory,
    BillingRunFactory,
    InvoiceMessageFactory,
    RunScheduleFactory,
    UserFactory,
)
from tests.runs import AT

pytestmark = pytest.mark.django_db

PATH = "/backend/api/v1/billingRunSchedules"
MONTHLY = {"name": "Monthly", "firstCutoffDate": "2026-02-01"}


def made(staff: Caller, members: dict[str, Any]) -> Any:
    response = staff.send("POST", PATH, members)
    assert response.status_code == 201, response.content
    return parsed(response)


def caller_with(*scopes: str, permissions: tuple[str, ...] = ()) -> Caller:
    user = UserFactory(username="keeper")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return Caller(create_api_key(scopes=list(scopes), user_id=user.pk)[1])


def test_it_is_made_and_shown_with_every_member(staff: Caller) -> None:
    BillingCycleFactory(name="Odd months", subrun="odd")
    InvoiceMessageFactory(name="Thanks")
    members = {
        "name": "Odd",
        "billingCycle": "Odd months",
        "months": 3,
        "firstCutoffDate": "2026-01-31",
        "hour": 5,
        "timezone": "Europe/Berlin",
        "dueInDays": 14,
        "invoiceMessage": "Thanks",
        "action": "commence",
        "confirmedWarnings": ["late_usage", "no_tax_rate"],
        "isActive": True,
    }
    shown = made(staff, members)
    schedule = RunSchedule.objects.get()
    assert shown == members | {
        "id": str(schedule.pk),
        # 05:00 in Berlin in winter.
        "nextCutoffDate": "2026-01-31",
        "nextRunDate": "2026-01-31T04:00:00Z",
        "createdDate": schedule.created_at.isoformat().replace("+00:00", "Z"),
        "updatedDate": schedule.updated_at.isoformat().replace("+00:00", "Z"),
    }
    assert staff.ask(f"{PATH}/{schedule.pk}/") == shown
    assert staff.ask(PATH) == [shown]


def test_what_is_left_out_is_as_the_page_has_it(staff: Caller) -> None:
    shown = made(staff, MONTHLY)
    assert {name: shown[name] for name in ("billingCycle", "months", "hour", "timezone", "dueInDays", "action")} == {
        "billingCycle": None,
        "months": 1,
        "hour": 2,
        "timezone": "UTC",
        "dueInDays": None,
        "action": "create",
    }
    assert (shown["confirmedWarnings"], shown["isActive"], shown["invoiceMessage"]) == ([], True, None)


def test_its_runs_go_on_where_they_are(staff: Caller) -> None:
    shown = made(staff, MONTHLY)
    run_due_schedules(at=AT)
    after = staff.ask(f"{PATH}/{shown['id']}")
    assert (after["nextCutoffDate"], after["nextRunDate"]) == ("2026-03-01", "2026-03-01T02:00:00Z")
    off = parsed(staff.send("PATCH", f"{PATH}/{shown['id']}", {"isActive": False}))
    assert (off["nextCutoffDate"], off["nextRunDate"]) == (None, None)


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("months", 0, "Ensure this value is greater than or equal to 1."),
        ("months", 13, "Ensure this value is less than or equal to 12."),
        ("hour", 24, "Ensure this value is less than or equal to 23."),
        ("timezone", "Mars/Olympus", "“Mars/Olympus” is not a time zone. Name one such as Europe/Berlin or UTC."),
        ("dueInDays", 366, "Ensure this value is less than or equal to 365."),
        ("firstCutoffDate", "1999-12-31", "It lies between 2000-01-01 and 9000-01-01."),
        ("billingCycle", "None", "There is none named None."),
        ("action", "post", '"post" is not a valid choice.'),
        ("nextCutoffDates", "2026-01-01", "There is no such member."),
    ],
)
def test_bad_members_are_named(staff: Caller, member: str, value: object, said: str) -> None:
    assert_error(staff.send("POST", PATH, MONTHLY | {member: value}), 400, "invalid", **{member: [said]})
    assert not RunSchedule.objects.exists()


def test_a_warning_that_there_is_not_cannot_be_confirmed(staff: Caller) -> None:
    # A block is never confirmed.
    response = staff.send("POST", PATH, MONTHLY | {"confirmedWarnings": ["late_usage", "waiting_elsewhere"]})
    assert_error(response, 400, "invalid")
    assert "waiting_elsewhere" in str(parsed(response)["errors"])


def test_a_name_is_taken_once(staff: Caller) -> None:
    made(staff, MONTHLY)
    assert_error(staff.send("POST", PATH, MONTHLY), 409, "conflict")
    other = made(staff, MONTHLY | {"name": "Other"})
    assert_error(staff.send("PATCH", f"{PATH}/{other['id']}", {"name": "Monthly"}), 409, "conflict")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_members_that_are_not_given_stay(staff: Caller, method: str) -> None:
    BillingCycleFactory(name="Odd months")
    shown = made(staff, MONTHLY | {"billingCycle": "Odd months", "confirmedWarnings": ["late_usage"]})
    changed = parsed(staff.send(method, f"{PATH}/{shown['id']}", {"hour": 7, "billingCycle": None}))
    assert changed == shown | {
        "hour": 7,
        "billingCycle": None,
        "nextRunDate": "2026-02-01T07:00:00Z",
        "updatedDate": changed["updatedDate"],
    }


def test_it_is_deleted_where_it_has_made_no_run(staff: Caller) -> None:
    unused, used = RunScheduleFactory(), RunScheduleFactory(name="Used")
    BillingRunFactory(schedule=used, scheduled_for=date(2026, 2, 1))
    assert staff.send("DELETE", f"{PATH}/{unused.pk}").status_code == 204
    assert_error(staff.get(f"{PATH}/{unused.pk}"), 404, "not_found")
    refused = staff.send("DELETE", f"{PATH}/{used.pk}")
    assert_error(refused, 409, "conflict")
    assert parsed(refused)["detail"] == ("The schedule Used has made 1 run: it stays. Switch it off instead.")
    assert list(RunSchedule.objects.all()) == [used]


def test_the_list_costs_the_same_however_long_it_is(staff: Caller) -> None:
    for schedule in RunScheduleFactory.create_batch(6, billing_cycle=BillingCycleFactory()):
        BillingRunFactory(schedule=schedule, scheduled_for=date(2026, 2, 1))
    counts = []
    for limit in (1, 6):
        with CaptureQueriesContext(connection) as asked:
            assert len(staff.ask(f"{PATH}?limit={limit}")) == limit
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_one_that_commences_runs_is_for_those_who_may(customer: Customer, caller_of: Any) -> None:
    assert_error(caller_of(customer).get(PATH), 403, "staff_only")
    own = ("view_runschedule", "add_runschedule", "change_runschedule")
    writer = caller_with("read", "write", permissions=(*own, "change_billingrun"))
    commencing = MONTHLY | {"action": "commence"}
    assert_error(writer.send("POST", PATH, commencing), 403, "scope_missing")
    shown = made(writer, MONTHLY)
    assert_error(writer.send("PATCH", f"{PATH}/{shown['id']}", {"action": "commence"}), 403, "scope_missing")
    RunSchedule.objects.update(action="commence")
    # Neither is one made to commence earlier runs than it was to.
    assert_error(writer.send("PATCH", f"{PATH}/{shown['id']}", {"hour": 3}), 403, "scope_missing")
    RunSchedule.objects.all().delete()
    writer_user_only = UserFactory(username="other")
    writer_user_only.user_permissions.set(Permission.objects.filter(codename__in=own))
    keyed = Caller(create_api_key(scopes=["read", "write", "billing:run"], user_id=writer_user_only.pk)[1])
    assert_error(keyed.send("POST", PATH, commencing), 403, "permission_denied")
    writer_user_only.user_permissions.add(Permission.objects.get(codename="change_billingrun"))
    assert made(keyed, commencing)["action"] == "commence"
