"""The page that says whether all usage is accounted for."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from billing.operations.completeness import check_completeness
from billing.queries import shown_completeness as shown
from billing.tasks import check_completeness as check_task
from tests.billing.received import DAY, file_of, noted, recorded, switch
from tests.factories import BillingRunFactory, UsageGapFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:billing_completenessday_changelist")
CHECK = reverse("admin:billing_completenessday_check")
FEBRUARY = {"from_day": "2026-02-01", "to_day": "2026-02-03"}


def shown_on(client: Client, **query: Any) -> tuple[Any, str]:
    response = client.get(PAGE, FEBRUARY | query)
    assert response.status_code == 200
    return response.context, " ".join(response.content.decode().split())


def test_a_day_that_adds_up_says_so(admin_client: Client) -> None:
    file_of(5, duplicates=3, conflicts=2, quarantined=1)
    context, page = shown_on(admin_client)
    (row,) = context["rows"]
    assert (row.source, row.figures.received_count, row.figures.balances) == ("Switch", 11, True)
    assert "Every row that was received is accounted for" in page
    assert "Counted now." in page


def test_days_that_were_not_checked_are_not_said_to_balance(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "LIVE_RECORDS", 0)
    file_of(1)
    _, page = shown_on(admin_client)
    assert "Nothing was received" not in page
    assert "What was received on one day was not checked yet." in page
    check_completeness(from_day=DAY, to_day=DAY, at=timezone.now())
    file_of(1, started_at=datetime.fromisoformat("2026-02-02T00:00:00Z"))
    _, page = shown_on(admin_client)
    assert "Every row that was received is accounted for" not in page
    assert "What was checked adds up. What was received on one day was not checked yet." in page


def test_a_day_that_does_not_says_what_is_missing(admin_client: Client) -> None:
    record = recorded(noted(2), number="R-LOST", pending=False)
    _, page = shown_on(admin_client)
    assert "1 of 1 line does not add up." in page
    assert "1 record is missing: 2 accepted, 1 there." in page
    assert f'href="{reverse("admin:usage_usagedatarecord_change", args=[record.pk])}">R-LOST</a>' in page
    assert "It is to be billed, but it is neither pending nor charged: no run would bill it." in page


def test_figures_lead_to_their_files_and_lines(admin_client: Client) -> None:
    made = file_of(1, conflicts=2, quarantined=3)
    file_of(2, quarantined=1, source_system=switch("Other"))
    file_of(4, quarantined=1, started_at=datetime.fromisoformat("2026-02-02T00:00:00Z"))
    context, _ = shown_on(admin_client)
    row = next(row for row in context["rows"] if (row.source, row.figures.day) == ("Switch", DAY))
    for url, found in ((row.imports_url, 1), (row.quarantine_url, 3), (row.conflicts_url, 2)):
        response = admin_client.get(url)
        assert (response.status_code, response.context["cl"].result_count) == (200, found), url
    assert str(made.pk) in row.quarantine_url


def test_more_imports_than_an_address_can_name_are_listed_themselves(admin_client: Client) -> None:
    for _ in range(51):
        file_of(quarantined=1)
    context, _ = shown_on(admin_client)
    assert context["rows"][0].quarantine_url == context["rows"][0].imports_url


def test_days_and_source_are_chosen(admin_client: Client) -> None:
    other = switch("Other")
    file_of(1)
    file_of(2, source_system=other)
    file_of(4, source_system=other, started_at=datetime.fromisoformat("2026-02-03T03:00:00Z"))
    context, _ = shown_on(admin_client, source_system=other.pk, to_day="2026-02-02")
    assert [(row.source, row.figures.received_count) for row in context["rows"]] == [("Other", 2)]


def test_without_a_choice_the_last_14_days_are_shown(admin_client: Client) -> None:
    completeness = admin_client.get(PAGE).context["completeness"]
    assert completeness.to_day - completeness.from_day == timedelta(days=13)
    assert abs((timezone.now().date() - completeness.to_day).days) <= 1


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"to_day": "2026-01-31"}, "The last day is before the first."),
        ({"from_day": "2025-01-01"}, "That is 399 days; at most 366 are shown."),
        ({"from_day": "soon"}, "Enter a valid date."),
        ({"source_system": "none"}, "Select a valid choice."),
    ],
)
def test_a_choice_that_is_none_is_said_to_be_so(admin_client: Client, query: dict[str, str], sentence: str) -> None:
    _, page = shown_on(admin_client, **query)
    assert sentence in page


@pytest.mark.parametrize("days", [("0001-01-01", "0001-12-31"), ("9999-01-01", "9999-12-31")])
def test_the_first_and_the_last_days_of_all_are_shown(admin_client: Client, days: tuple[str, str]) -> None:
    context, _ = shown_on(admin_client, from_day=days[0], to_day=days[1])
    assert (context["errors"], context["rows"]) == ([], [])


def test_what_is_too_much_to_count_is_shown_with_its_time(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    file_of(1)
    check_completeness(from_day=DAY, to_day=DAY, at=now)
    file_of(1, started_at=datetime.fromisoformat("2026-02-02T03:00:00Z"))
    monkeypatch.setattr(shown, "LIVE_RECORDS", 0)
    _, page = shown_on(admin_client)
    assert "as of 2026-02-01 09:00 UTC" in page
    assert "Not checked yet, and therefore not below: usage received on 2026-02-02." in page


def test_gaps_are_shown_in_words(admin_client: Client) -> None:
    source = switch(has_consecutive_numbers=True)
    made = file_of(source_system=source, started_at=timezone.now())
    for number in ("R1", "R5", "R7"):
        recorded(made, number=number)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    for week in (1, 2, 3, 4):
        recorded(made, number=f"week-{week}x", from_date=hour - timedelta(weeks=week))
    span = f"{hour:%Y-%m-%d %H:%M} to {hour + timedelta(hours=1):%Y-%m-%d %H:%M}"
    context, page = shown_on(admin_client)
    assert [(row.what, row.detail) for row in context["gap_rows"]] == [
        ("3 numbers are missing", "R2 to R4"),
        ("1 number is missing", "R6"),
        ("1 silent hour", f"{span} UTC, with usage in each of the four weeks before"),
    ]
    assert "R2 to R4" in page


def test_without_gaps_it_says_what_was_looked_for(admin_client: Client) -> None:
    assert "No hole in the numbers of source systems that count up" in shown_on(admin_client)[1]


def test_the_button_has_a_worker_check_the_days(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(check_task, "apply_async", lambda **given: sent.append(given["kwargs"]))
    response = admin_client.post(CHECK, FEBRUARY, follow=True)
    assert sent == [FEBRUARY]
    assert [str(each) for each in response.context["messages"]] == [
        "A worker checks these days. Load the page again to see what it found."
    ]
    assert response.context["completeness"].from_day == date(2026, 2, 1)


def test_a_broker_that_is_away_is_said_to_be_so(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(check_task, "apply_async", away)
    response = admin_client.post(CHECK, FEBRUARY, follow=True)
    assert [str(each) for each in response.context["messages"]] == [
        "The broker is away. The check runs by itself every hour."
    ]


def test_who_may_only_look_has_no_button(viewer_client: Client) -> None:
    assert CHECK not in shown_on(viewer_client)[1]
    assert viewer_client.post(CHECK, FEBRUARY).status_code == 403


def test_who_may_not_look_is_refused_and_not_led_there() -> None:
    client = Client()
    client.force_login(UserFactory())
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get(reverse("admin:index")).content.decode()


def test_the_page_takes_as_many_queries_for_many_days_as_for_one(admin_client: Client) -> None:
    recorded(noted(1), pending=False)
    shown_on(admin_client)
    with CaptureQueriesContext(connection) as for_one:
        shown_on(admin_client)
    for number in range(3):
        file_of(2, conflicts=1, quarantined=1, source_system=switch(f"Source {number}"))
        recorded(noted(2), pending=False)
    with CaptureQueriesContext(connection) as for_many:
        shown_on(admin_client)
    assert len(for_many) == len(for_one)


def test_the_landing_page_has_a_card_for_what_is_missing(admin_client: Client, now: datetime) -> None:
    title = "Usage that is missing"
    index = reverse("admin:index")
    assert title not in [card.title for card in admin_client.get(index).context["cards"]]
    recorded(noted(2), pending=False)
    check_completeness(from_day=DAY, to_day=DAY, at=now)
    UsageGapFactory(quarantined_count=1)
    card = next(card for card in admin_client.get(index).context["cards"] if card.title == title)
    assert (card.count, card.is_urgent) == ("2", True)
    assert [(item.title, item.detail) for item in card.items] == [
        ("2026-02-01 does not add up", "Switch"),
        ("Switch: 2 numbers are missing", "R2 to R3 · 1 of them in open quarantined lines"),
    ]
    assert admin_client.get(card.items[0].url).context["rows"][0].figures.day == DAY


def test_a_pending_run_has_its_checklist(admin_client: Client) -> None:
    file_of(1, quarantined=2)
    run = BillingRunFactory(cutoff_date=date(2026, 2, 4))
    response = admin_client.get(reverse("admin:billing_billingrun_change", args=[run.pk]))
    first, *others = response.context["checklist"]
    assert (first.check.code, first.badge, first.check.count) == ("open_quarantine", "warning", 2)
    assert admin_client.get(first.url).context["cl"].result_count == 2
    assert {admin_client.get(row.url).status_code for row in others} == {200}
    assert "2 lines could not become records: no run bills them." in response.content.decode()


def test_a_run_that_is_no_longer_pending_has_none(admin_client: Client) -> None:
    run = BillingRunFactory(completed=True)
    response = admin_client.get(reverse("admin:billing_billingrun_change", args=[run.pk]))
    assert response.context["checklist"] == []


def test_the_checklist_links_only_what_may_be_seen() -> None:
    user: User = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename="view_billingrun"))
    client = Client()
    client.force_login(user)
    response = client.get(reverse("admin:billing_billingrun_change", args=[BillingRunFactory().pk]))
    assert {row.url for row in response.context["checklist"]} == {"", reverse("admin:billing_billingrun_changelist")}
