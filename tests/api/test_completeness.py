"""`completeness` of the usage API, and the pre-flight of runs."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.engine.completeness import FAULTS
from billing.operations.completeness import check_completeness
from billing.queries import shown_completeness as shown
from customers.models import Customer
from customers.operations.api_keys import create_api_key
from tests.api.caller import Caller, assert_error
from tests.billing.received import DAY, file_of, noted, recorded, single, switch
from tests.factories import BillingRunFactory, UserFactory

pytestmark = pytest.mark.django_db

PATH = "/usage/v1/completeness"
QUANTITY_MISSING = (
    "A quantity of 60 is missing: the records have 120.0000001453, pending, charged and excluded are 60.0000001453."
)
FEBRUARY = f"{PATH}?from=2026-02-01&to=2026-02-03"


def short_form(source: Any) -> dict[str, str]:
    return {"id": str(source.pk), "name": source.name, "alternative_code": "", "description": ""}


def test_a_day_is_shown_with_every_member(staff: Caller) -> None:
    made = file_of(1, duplicates=3, conflicts=2, quarantined=1)
    single(usage_amount=Decimal("0.0000001453"), billing_directive="NOT_TO_BE_BILLED")
    lost = recorded(made, number="R-LOST", pending=False)
    answer = staff.ask(FEBRUARY)
    (day,) = answer["data"]
    del day["checked_date"]
    assert day == {
        "source_system": short_form(made.source_system),
        "day": "2026-02-01",
        "received": 8,
        "accepted": 2,
        "duplicates": 3,
        "conflicts": 2,
        "quarantined": 1,
        "records": 3,
        "quantity": Decimal("120.0000001453"),
        "pending": 1,
        "pending_quantity": 60,
        "charged": 0,
        "charged_quantity": 0,
        "excluded": 1,
        "excluded_quantity": Decimal("0.0000001453"),
        "not_to_be_billed": 1,
        "draft": 0,
        "rejected": 0,
        "cancelled": 0,
        "misplaced": 1,
        "balances": False,
        "differences": [
            "1 record is too many: 2 accepted, 3 there.",
            "1 record is missing: 3 there, 2 pending, charged or excluded.",
            QUANTITY_MISSING,
            "1 record is not where it belongs.",
        ],
        "misplaced_records": [
            {"id": str(lost.pk), "number": "R-LOST", "fault": "NOWHERE", "detail": FAULTS["NOWHERE"]}
        ],
    }


def test_days_and_times_of_an_answer_are_named(staff: Caller) -> None:
    recorded(noted(1), pending=False)
    answer = staff.ask(FEBRUARY)
    assert answer["meta"] == {
        "from": "2026-02-01",
        "to": "2026-02-03",
        "balances": False,
        "is_live": True,
        "as_of": answer["data"][0]["checked_date"],
        "unchecked_days": [],
    }
    assert (answer["number_holes"], answer["silent_hours"]) == ([], [])
    assert staff.ask(f"{PATH}/?from=2026-02-01&to=2026-02-03")["data"][0]["day"] == "2026-02-01"


def test_gaps_are_shown(staff: Caller) -> None:
    source = switch(has_consecutive_numbers=True)
    made = file_of(source_system=source, started_at=timezone.now())
    for number in ("R1", "R4"):
        recorded(made, number=number)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    for week in (1, 2, 3, 4):
        recorded(made, number=f"week-{week}x", from_date=hour - timedelta(weeks=week))
    answer = staff.ask(PATH)
    assert answer["number_holes"] == [
        {"source_system": short_form(source), "first": "R2", "last": "R3", "missing": 2, "quarantined": 0}
    ]
    assert answer["silent_hours"] == [
        {
            "source_system": short_form(source),
            "from_date": f"{hour:%Y-%m-%dT%H:%M:%SZ}",
            "to_date": f"{hour + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "hours": 1,
        }
    ]
    assert staff.ask(f"{PATH}?source_system={switch('Other').name}")["number_holes"] == []


def test_what_is_too_much_to_count_is_as_last_checked(
    staff: Caller, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    monkeypatch.setattr(shown, "LIVE_RECORDS", 0)
    file_of(1)
    file_of(1, started_at=datetime.fromisoformat("2026-02-02T03:00:00Z"))
    assert staff.ask(FEBRUARY)["meta"]["as_of"] is None
    check_completeness(from_day=DAY, to_day=DAY, at=now)
    meta = staff.ask(FEBRUARY)["meta"]
    assert (meta["is_live"], meta["as_of"], meta["unchecked_days"]) == (False, "2026-02-01T09:00:00Z", ["2026-02-02"])


def test_one_source_system_is_asked_for_by_name_or_code(staff: Caller) -> None:
    file_of(1)
    file_of(2, source_system=switch("Other", alternative_code="OT"))
    for name in ("Other", "OT"):
        answer = staff.ask(f"{FEBRUARY}&source_system={name}")
        assert [day["received"] for day in answer["data"]] == [2]


def test_the_last_14_days_are_shown_where_none_are_named(staff: Caller) -> None:
    meta = staff.ask(PATH)["meta"]
    assert date.fromisoformat(meta["to"]) - date.fromisoformat(meta["from"]) == timedelta(days=13)
    assert staff.ask(f"{PATH}?to=2026-02-20")["meta"]["from"] == "2026-02-07"
    assert staff.ask(f"{PATH}?to=0001-01-02")["meta"]["from"] == "0001-01-01"
    assert staff.ask(f"{PATH}?from=9999-12-01&to=9999-12-31")["data"] == []


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        (
            "from=soon",
            {"from": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]},
        ),
        ("from=2026-02-02&to=2026-02-01", {"to": ["The last day is before the first."]}),
        ("from=2025-02-01&to=2026-02-02", {"from": ["At most 366 days are shown at once."]}),
        ("source_system=None", {"source_system": ["There is no source system “None”."]}),
        ("source_system=%00", {"source_system": ["Null characters are not allowed."]}),
    ],
)
def test_a_bad_query_is_refused_by_parameter(staff: Caller, query: str, errors: dict[str, list[str]]) -> None:
    assert_error(staff.get(f"{PATH}?{query}"), 400, "invalid", **errors)


def test_it_is_for_staff_who_may_see_it(customer: Customer, caller_of: Callable[..., Caller]) -> None:
    assert_error(Caller(None).get(PATH), 401, "not_authenticated")
    assert_error(caller_of(customer).get(PATH), 403, "staff_only")
    user = UserFactory()
    caller = Caller(create_api_key(scopes=["read"], user_id=user.pk)[1])
    assert_error(caller.get(PATH), 403, "permission_denied")
    user.user_permissions.set(Permission.objects.filter(codename="view_completenessday"))
    assert caller.ask(PATH)["data"] == []


def test_it_takes_as_many_queries_for_much_as_for_little(staff: Caller) -> None:
    recorded(noted(1), pending=False)
    staff.ask(FEBRUARY)
    with CaptureQueriesContext(connection) as for_little:
        staff.ask(FEBRUARY)
    for number in range(3):
        file_of(2, conflicts=1, quarantined=1, source_system=switch(f"Source {number}"))
        recorded(noted(1), pending=False)
    with CaptureQueriesContext(connection) as for_much:
        staff.ask(FEBRUARY)
    assert len(for_much) == len(for_little)


def test_the_checks_before_a_run_are_shown(staff: Caller) -> None:
    file_of(1, quarantined=2)
    run = BillingRunFactory()
    answer = staff.ask(f"/backend/api/v1/billingRuns/{run.pk}/preflight")
    assert answer["verdict"] == "warn"
    assert answer["checks"][0] == {
        "code": "open_quarantine",
        "title": "Quarantined lines",
        "verdict": "warn",
        "count": 2,
        "detail": "2 lines could not become records: no run bills them. Correct them and try again.",
        "link": "/admin/usage/quarantinedline/",
    }
    assert [check["code"] for check in answer["checks"]] == [
        *("open_quarantine", "open_conflicts", "number_holes"),
        *("silent_sources", "completeness", "imports_under_way"),
        *("wrong_examples", "expired_rates", "rate_card_findings"),
        *("unpriced_usage", "no_price_list", "no_default_card", "no_tax_rate", "closed_customers", "ended_services"),
        *("late_usage", "waiting_elsewhere", "same_dates", "expected_accounts", "expected_usage"),
    ]


def test_only_a_pending_run_is_checked_beforehand(staff: Caller) -> None:
    run = BillingRunFactory(completed=True)
    response = staff.get(f"/backend/api/v1/billingRuns/{run.pk}/preflight")
    assert_error(response, 409, "wrong_state")
    assert_error(staff.get("/backend/api/v1/billingRuns/999/preflight"), 404, "not_found")


def test_the_checks_are_for_staff(customer: Customer, caller_of: Callable[..., Caller]) -> None:
    run = BillingRunFactory()
    response = caller_of(customer).get(f"/backend/api/v1/billingRuns/{run.pk}/preflight")
    assert_error(response, 403, "staff_only")
