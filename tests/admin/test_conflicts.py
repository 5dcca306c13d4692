"""Rows that say something else than a record: both sides, and what a person decides."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.usage.taking import AT, ROW, lines, make_company, take
from usage.admin.conflict_page import hindrance_to_replacing
from usage.choices import BillingDirective, ConflictDecision, LifeCycleState
from usage.models import PendingUsage, UsageConflict, UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:usage_usageconflict_changelist"
OTHER = ROW.replace(",60", ",90")


@pytest.fixture
def conflict() -> UsageConflict:
    """R1 of 60 seconds stands, and is pending; a row says that it was 90."""
    make_company()
    take(lines(ROW))
    take(lines(OTHER), name="other.csv")
    return UsageConflict.objects.get()


def page(conflict: UsageConflict) -> str:
    return reverse("admin:usage_usageconflict_change", args=[conflict.pk])


def said(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def decide(client: Client, conflict: UsageConflict, button: str, note: str = "") -> list[str]:
    """Press a button, and give back what the page says to it."""
    response = client.post(page(conflict), {button: "1", "note": note}, follow=True)
    conflict.refresh_from_db()
    return said(response)


def test_page_shows_both_sides_and_marks_what_differs(admin_client: Client, conflict: UsageConflict) -> None:
    response = admin_client.get(page(conflict))
    assert [(side.field, side.record, side.row, side.differs) for side in response.context["sides"]] == [
        ("service", "+49301", "+49301", False),
        ("from_date", "2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z", False),
        ("usage_amount", "60", "90", True),
        ("number", "R1", "R1", False),
        ("type", "Call", "Call", False),
        ("product", "CALL", "CALL", False),
        ("to_date", "2026-01-15T12:01:00Z", "2026-01-15T12:01:00Z", False),
        ("billing_directive", "TO_BE_BILLED", "TO_BE_BILLED", False),
        ("billing_effective_date", "2026-01-15", "2026-01-15", False),
    ]
    text = response.content.decode()
    assert f'id="raw-text">{OTHER}<' in text
    assert reverse("admin:usage_usagedatarecord_change", args=[conflict.record_id]) in text
    assert text.count("tb-at-fault") == 1


def test_side_that_says_nothing_is_a_dash(admin_client: Client) -> None:
    conflict = factories.UsageConflictFactory(differences={"region": ["", "DE"], "udf_date_1": ["2026-01-01", None]})
    shown = {side.field: (side.record, side.row) for side in admin_client.get(page(conflict)).context["sides"]}
    assert (shown["region"], shown["udf_date_1"]) == (("-", "DE"), ("2026-01-01", "-"))


def test_record_that_is_kept_stays(admin_client: Client, admin_user: User, conflict: UsageConflict) -> None:
    assert decide(admin_client, conflict, "_keep", "The switch corrected itself.") == ["The record is kept as it is."]
    assert (conflict.decision, conflict.note, conflict.decided_by) == (
        *(ConflictDecision.KEPT, "The switch corrected itself."),
        admin_user,
    )
    assert list(UsageDataRecord.objects.values_list("number", "usage_amount")) == [("R1", Decimal(60))]
    text = admin_client.get(page(conflict)).content.decode()
    assert "The switch corrected itself." in text
    assert f"by {admin_user}" in text
    assert 'name="_keep"' not in text


def test_row_that_replaces_the_record_takes_its_place_in_the_inbox(
    admin_client: Client, conflict: UsageConflict
) -> None:
    assert decide(admin_client, conflict, "_replace") == [
        "The record is cancelled, and what the row says is a record of its own in its place."
    ]
    assert conflict.decision == ConflictDecision.REPLACED
    replacement = conflict.replacement
    assert replacement is not None
    assert (replacement.usage_amount, replacement.life_cycle_state) == (Decimal(90), LifeCycleState.POSTED)
    assert [pending.record for pending in PendingUsage.objects.all()] == [replacement]
    conflict.record.refresh_from_db()
    assert conflict.record.life_cycle_state == LifeCycleState.CANCELLED
    text = admin_client.get(page(conflict)).content.decode()
    assert reverse("admin:usage_usagedatarecord_change", args=[replacement.pk]) in text


def test_row_that_is_dismissed_changes_nothing(admin_client: Client, conflict: UsageConflict) -> None:
    assert decide(admin_client, conflict, "_dismiss", "Sent by mistake.") == ["The row is dismissed."]
    assert conflict.decision == ConflictDecision.DISMISSED
    assert list(UsageDataRecord.objects.values_list("number", "usage_amount")) == [("R1", Decimal(60))]


@pytest.mark.parametrize("button", ["_keep", "_replace", "_dismiss"])
def test_what_is_decided_is_not_decided_again(admin_client: Client, conflict: UsageConflict, button: str) -> None:
    decide(admin_client, conflict, "_keep", "First.")
    (sentence,) = decide(admin_client, conflict, button, "Second.")
    assert "kept" in sentence.lower()
    assert (conflict.decision, conflict.note) == (ConflictDecision.KEPT, "First.")
    assert UsageDataRecord.objects.count() == 1


def test_record_that_is_not_pending_is_not_replaced(admin_client: Client, conflict: UsageConflict) -> None:
    PendingUsage.objects.all().delete()
    text = admin_client.get(page(conflict)).content.decode()
    assert 'name="_replace"' not in text
    assert "The record is on an invoice, so it is not replaced" in text
    assert 'name="_keep"' in text
    (sentence,) = decide(admin_client, conflict, "_replace")
    assert "pending" in sentence or "invoice" in sentence
    assert conflict.decision == ConflictDecision.OPEN


def test_reason_why_a_record_is_not_replaced_names_its_state() -> None:
    cancelled = factories.UsageDataRecordFactory(life_cycle_state=LifeCycleState.CANCELLED)
    excluded = factories.UsageDataRecordFactory(billing_directive=BillingDirective.NOT_TO_BE_BILLED)
    assert hindrance_to_replacing(cancelled) == (
        "The record is cancelled, not pending: it cannot be replaced. Keep it or dismiss the row."
    )
    assert hindrance_to_replacing(excluded) == (
        "The record is not to be billed, so it is not pending: adjust it on its page, then dismiss the row."
    )
    assert hindrance_to_replacing(factories.UsageDataRecordFactory()) is None


def test_page_that_is_sent_without_a_button_decides_nothing(admin_client: Client, conflict: UsageConflict) -> None:
    assert decide(admin_client, conflict, "_other") == []
    assert conflict.decision == ConflictDecision.OPEN


def test_who_may_only_look_decides_nothing(viewer: User, viewer_client: Client, conflict: UsageConflict) -> None:
    assert 'name="_keep"' not in viewer_client.get(page(conflict)).content.decode()
    for button in ("_keep", "_replace", "_dismiss"):
        assert viewer_client.post(page(conflict), {button: "1"}).status_code == 403
    conflict.refresh_from_db()
    assert conflict.decision == ConflictDecision.OPEN
    viewer.user_permissions.add(Permission.objects.get(codename="change_usageconflict"))
    decide(viewer_client, conflict, "_keep")
    assert conflict.decision == ConflictDecision.KEPT


def test_who_may_not_see_conflicts_does_not(client: Client, conflict: UsageConflict) -> None:
    client.force_login(factories.UserFactory())
    assert client.get(page(conflict)).status_code == 403


def test_conflict_that_is_not_there_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(f"{reverse(LIST)}999999/change/").status_code == 404


def test_list_shows_what_is_open_and_the_rest_when_asked(admin_client: Client) -> None:
    opened = factories.UsageConflictFactory()
    kept = factories.UsageConflictFactory(decision=ConflictDecision.KEPT, decided_at=AT)

    def shown(**query: str | int) -> set[UsageConflict]:
        return set(admin_client.get(reverse(LIST), query).context["cl"].result_list)

    assert shown() == {opened}
    assert shown(decision="KEPT") == {kept}
    assert shown(decision="all") == {opened, kept}
    assert shown(usage_import__id__exact=opened.usage_import_id) == {opened}


def test_a_note_is_kept_without_what_no_text_of_the_database_holds(
    admin_client: Client, conflict: UsageConflict
) -> None:
    assert decide(admin_client, conflict, "_keep", note=" a\0b ") == ["The record is kept as it is."]
    assert conflict.note == "ab"
