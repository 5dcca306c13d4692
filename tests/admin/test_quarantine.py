"""Lines that became no record: found by reason, corrected in place, tried again, dismissed."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from catalog.choices import FileFormat
from tests import factories
from tests.usage.taking import AT, HEADER, ROW, lines, make_company, take
from usage.choices import ImportState, QuarantineReason, QuarantineState
from usage.models import QuarantinedLine, SourceSystem, UsageDataRecord, UsageImport

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:usage_quarantinedline_changelist"
BAD = ROW.replace("60", "many")
SENTENCE = "usage_amount “many” is not a number with at most 20 digits before the point and 18 after it."


@pytest.fixture
def source() -> SourceSystem:
    return make_company()


def page(line: QuarantinedLine) -> str:
    return reverse("admin:usage_quarantinedline_change", args=[line.pk])


def press(client: Client, line: QuarantinedLine, button: str, **changes: str) -> object:
    """Press a button of the line's page, with the form as it is but for `changes`."""
    form = client.get(page(line)).context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    return client.post(page(line), {**data, **changes, button: "1"}, follow=True)


def said(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def counts(usage_import: UsageImport) -> tuple[int, ...]:
    """Received, accepted, duplicates, conflicts, quarantined."""
    usage_import.refresh_from_db()
    return (
        usage_import.received_count,
        usage_import.accepted_count,
        usage_import.duplicate_count,
        usage_import.conflict_count,
        usage_import.quarantined_count,
    )


def state(line: QuarantinedLine) -> str:
    line.refresh_from_db()
    return line.state


def test_page_shows_the_sentence_the_row_and_what_each_column_feeds(admin_client: Client, source: SourceSystem) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    response = admin_client.get(page(line))
    text = response.content.decode()
    assert SENTENCE in text
    assert f'id="raw-text">{BAD}<' in text
    cells = response.context["cells"]
    assert [(cell.column, cell.feeds, cell.input.value()) for cell in cells] == [
        ("number", "number", "R1"),
        ("service", "service", "+49301"),
        ("product", "product", "CALL"),
        ("from_date", "from_date", "2026-01-15T12:00:00Z"),
        ("to_date", "to_date", "2026-01-15T12:01:00Z"),
        ("usage_amount", "usage_amount", "many"),
    ]
    assert [cell.column for cell in cells if cell.is_at_fault] == ["usage_amount"]


def test_corrected_line_goes_in_and_the_counts_move(
    admin_client: Client, admin_user: User, source: SourceSystem
) -> None:
    done = take(lines(BAD, ROW.replace("R1", "R2")))
    line = done.quarantined_lines.get()
    assert counts(done) == (2, 1, 0, 0, 1)
    response = press(admin_client, line, "_save", column_5="60")
    assert said(response) == ["1 line was tried again: 1 accepted."]
    assert counts(done) == (2, 2, 0, 0, 0)
    assert state(line) == QuarantineState.RESOLVED
    assert (line.raw_text, line.corrected_text, line.decided_by) == (BAD, ROW, admin_user)
    assert sorted(UsageDataRecord.objects.values_list("number", "usage_amount")) == [
        ("R1", Decimal(60)),
        ("R2", Decimal(60)),
    ]
    text = response.content.decode()  # type: ignore[attr-defined]
    assert f'id="raw-text">{BAD}<' in text
    assert f'id="corrected-text">{ROW}<' in text
    assert "tb-primary" not in text


def test_line_that_is_still_wrong_says_its_new_fault_and_keeps_what_was_typed(
    admin_client: Client, source: SourceSystem
) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    response = press(admin_client, line, "_save", column_5="60", column_1="+49302")
    assert said(response) == ["1 line was tried again: 1 still quarantined."]
    assert state(line) == QuarantineState.OPEN
    assert line.detail == "No service has the identifier “+49302” at that time."
    assert [cell.input.value() for cell in response.context["cells"]][1] == "+49302"  # type: ignore[attr-defined]


def test_line_is_tried_again_as_it_came_once_what_it_lacked_is_there(
    admin_client: Client, source: SourceSystem
) -> None:
    done = take(lines(ROW.replace("+49301", "+49302")))
    line = done.quarantined_lines.get()
    factories.SubscriptionServiceFactory(identifier="+49302")
    response = admin_client.post(page(line), {"_try": "1"}, follow=True)
    assert said(response) == ["1 line was tried again: 1 accepted."]
    assert counts(done) == (1, 1, 0, 0, 0)
    assert (state(line), line.corrected_text) == (QuarantineState.RESOLVED, "")


def test_corrected_line_may_be_a_duplicate_or_a_conflict(admin_client: Client, source: SourceSystem) -> None:
    take(lines(ROW), name="before.csv")
    done = take(lines(BAD, BAD.replace("many", "much")))
    first, second = done.quarantined_lines.all()
    assert said(press(admin_client, first, "_save", column_5="60")) == [
        "1 line was tried again: 1 found to be duplicates."
    ]
    assert said(press(admin_client, second, "_save", column_5="61")) == [
        "1 line was tried again: 1 found to be conflicts."
    ]
    assert counts(done) == (2, 0, 1, 1, 0)


def test_correction_that_holds_line_breaks_and_delimiters_stays_one_row(
    admin_client: Client, source: SourceSystem
) -> None:
    header = f"{HEADER},udf_string_1"
    done = take(lines(f'{BAD},"two\nlines"', header=header))
    line = done.quarantined_lines.get()
    press(admin_client, line, "_save", column_5="60", column_6='two\r\nlines, "quoted"')
    assert counts(done) == (1, 1, 0, 0, 0)
    assert UsageDataRecord.objects.get().udf_string_1 == 'two\nlines, "quoted"'


def test_line_of_json_is_corrected_as_a_whole(admin_client: Client, source: SourceSystem) -> None:
    good = (
        '{"number": "R1", "service": "+49301", "product": "CALL", "from_date": "2026-01-15T12:00Z", "usage_amount": 60}'
    )
    done = take(good.replace("60}", "60"), name="calls.ndjson")
    line = done.quarantined_lines.get()
    response = admin_client.get(page(line))
    assert list(response.context["form"].fields) == ["row"]
    refused = press(admin_client, line, "_save", row="[1]")
    assert said(refused) == ["The line is not a JSON object: { ... }."]
    assert refused.context["form"]["row"].value() == "[1]"  # type: ignore[attr-defined]
    assert state(line) == QuarantineState.OPEN
    assert said(press(admin_client, line, "_save", row=good)) == ["1 line was tried again: 1 accepted."]
    assert counts(done) == (1, 1, 0, 0, 0)


def test_nothing_in_place_of_a_row_is_asked_for(admin_client: Client, source: SourceSystem) -> None:
    line = take("{nonsense", name="calls.ndjson").quarantined_lines.get()
    response = press(admin_client, line, "_save", row="")
    assert "row" in response.context["form"].errors  # type: ignore[attr-defined]
    assert state(line) == QuarantineState.OPEN


def test_row_that_cannot_be_shown_by_columns_is_shown_as_one_text(admin_client: Client, source: SourceSystem) -> None:
    done = take(lines(f"{BAD},{'x' * 140_000}", header=f"{HEADER},notes"))
    line = done.quarantined_lines.get()
    response = admin_client.get(page(line))
    assert list(response.context["form"].fields) == ["row"]
    (sentence,) = said(press(admin_client, line, "_save"))
    assert sentence.startswith("The line is not CSV (field larger than field limit")


def test_column_without_a_name_is_shown_and_not_corrected(admin_client: Client, source: SourceSystem) -> None:
    done = take(lines(f"{BAD},left", header=f"{HEADER},"))
    line = done.quarantined_lines.get()
    cell = admin_client.get(page(line)).context["cells"][6]
    assert (cell.column, cell.feeds, cell.input.field.disabled) == ("", "", True)
    press(admin_client, line, "_save", column_5="60", column_6="other")
    assert state(line) == QuarantineState.RESOLVED
    assert line.corrected_text == f"{ROW},left"


def test_mapping_that_no_longer_fits_leaves_the_line_to_be_looked_at(
    admin_client: Client, source: SourceSystem
) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    SourceSystem.objects.update(column_mapping={"service": "{Nobody}"})
    response = admin_client.get(page(line))
    assert {cell.feeds for cell in response.context["cells"]} == {""}
    tried = admin_client.post(page(line), {"_try": "1"}, follow=True)
    (sentence,) = said(tried)
    assert sentence.startswith("The lines cannot be read: line 1: there is no column “Nobody”")


def test_dismissed_line_keeps_who_when_and_why(admin_client: Client, admin_user: User, source: SourceSystem) -> None:
    done = take(lines(BAD))
    line = done.quarantined_lines.get()
    without = admin_client.post(page(line), {"_dismiss": "1", "note": " "}, follow=True)
    assert said(without) == ["Say in the note why the line is dismissed: it is never billed."]
    response = admin_client.post(page(line), {"_dismiss": "1", "note": "A test call."}, follow=True)
    assert said(response) == ["Line 2 is dismissed: it is never tried again."]
    assert state(line) == QuarantineState.DISMISSED
    assert (line.note, line.decided_by) == ("A test call.", admin_user)
    assert counts(done) == (1, 0, 0, 0, 1)
    text = response.content.decode()
    assert "A test call." in text
    assert f"by {admin_user}" in text
    again = admin_client.post(reverse("admin:usage_usageimport_reprocess", args=[done.pk]), follow=True)
    assert said(again) == ["No line is open: there is nothing to try again."]


@pytest.mark.parametrize("button", ["_save", "_try", "_dismiss"])
@pytest.mark.parametrize("decided", [QuarantineState.RESOLVED, QuarantineState.DISMISSED])
def test_line_that_is_decided_is_not_touched_again(
    admin_client: Client, source: SourceSystem, button: str, decided: QuarantineState
) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    QuarantinedLine.objects.update(state=decided, decided_at=AT)
    response = press(admin_client, line, button, note="Again.")
    (sentence,) = said(response)
    assert decided.label.lower() in sentence or "no open quarantined line" in sentence
    assert state(line) == decided
    assert not UsageDataRecord.objects.exists()


@pytest.mark.parametrize("import_state", [ImportState.RUNNING, ImportState.FAILED])
def test_line_of_an_import_that_is_not_completed_is_not_tried(
    admin_client: Client, source: SourceSystem, import_state: ImportState
) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    UsageImport.objects.update(state=import_state)
    assert "tb-primary" not in admin_client.get(page(line)).content.decode()
    (sentence,) = said(admin_client.post(page(line), {"_try": "1"}, follow=True))
    assert import_state.label.lower() in sentence


def test_who_may_only_look_changes_nothing(viewer: User, viewer_client: Client, source: SourceSystem) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    shown = viewer_client.get(page(line)).content.decode()
    assert not any(f'name="{button}"' in shown for button in ("_save", "_try", "_dismiss"))
    for button in ("_save", "_try", "_dismiss"):
        assert viewer_client.post(page(line), {button: "1", "note": "x"}).status_code == 403
    assert state(line) == QuarantineState.OPEN
    viewer.user_permissions.add(Permission.objects.get(codename="change_quarantinedline"))
    press(viewer_client, line, "_save", column_5="60")
    assert state(line) == QuarantineState.RESOLVED


def test_who_may_not_see_quarantine_does_not(client: Client, source: SourceSystem) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    client.force_login(factories.UserFactory())
    assert client.get(page(line)).status_code == 403


@pytest.mark.parametrize("name", ["999999", "none", "1/../2"])
def test_line_that_is_not_there_is_not_found(admin_client: Client, name: str) -> None:
    assert admin_client.get(f"{reverse(LIST)}{name}/change/").status_code == 404


def test_list_shows_what_is_open_and_the_rest_when_asked(admin_client: Client) -> None:
    opened = factories.QuarantinedLineFactory()
    unknown = factories.QuarantinedLineFactory(reason=QuarantineReason.UNKNOWN_SERVICE)
    dismissed = factories.QuarantinedLineFactory(state=QuarantineState.DISMISSED, decided_at=AT)

    def shown(**query: str | int) -> set[QuarantinedLine]:
        return set(admin_client.get(reverse(LIST), query).context["cl"].result_list)

    assert shown() == {opened, unknown}
    assert shown(state="DISMISSED") == {dismissed}
    assert shown(state="all") == {opened, unknown, dismissed}
    assert shown(reason__exact="UNKNOWN_SERVICE") == {unknown}
    assert shown(usage_import__id__exact=opened.usage_import_id) == {opened}
    assert shown(usage_import__source_system__id__exact=opened.usage_import.source_system_id) == {opened, unknown}


def test_page_leads_to_the_next_open_line_of_the_import(admin_client: Client, source: SourceSystem) -> None:
    first, second = take(lines(BAD, BAD.replace("R1", "R2"))).quarantined_lines.all()
    assert admin_client.get(page(first)).context["next_line"] == second
    assert admin_client.get(page(second)).context["next_line"] == first
    press(admin_client, first, "_save", column_5="60")
    assert admin_client.get(page(second)).context["next_line"] is None


def test_line_of_a_workbook_is_corrected_by_its_columns(admin_client: Client, source: SourceSystem) -> None:
    done = take(lines(BAD))
    UsageImport.objects.update(file_format=FileFormat.XLSX)
    line = done.quarantined_lines.get()
    press(admin_client, line, "_save", column_5="60")
    assert counts(done) == (1, 1, 0, 0, 0)


def test_a_note_that_no_text_of_the_database_holds_is_none(admin_client: Client, source: SourceSystem) -> None:
    line = take(lines(BAD)).quarantined_lines.get()
    response = press(admin_client, line, "_dismiss", note="\0")
    assert said(response) == ["Say in the note why the line is dismissed: it is never billed."]
    assert state(line) == "OPEN"
