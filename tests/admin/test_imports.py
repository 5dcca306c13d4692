"""Uploading a file of usage: its preview, its import, and what its page says about it."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.gzipped import gzipped
from tests.usage.taking import AT, HEADER, ROW, counts, lines, make_company, take
from tests.usage.workbooks import workbook
from usage.adapters.progress import report_progress
from usage.choices import ImportState
from usage.engine.progress import ImportProgress
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.stored import queue_import, take_in_stored

# An import commits by itself, step by step.
pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "admin:usage_usageimport_upload"
BAD = ROW.replace("R1", "R2").replace("60", "many")


@pytest.fixture
def source() -> SourceSystem:
    return make_company()


def file_of(content: str | bytes, name: str = "calls.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def upload(client: Client, content: str | bytes, name: str = "calls.csv") -> UsageImport:
    """Upload a file for the one source system, and give back its import, the newest one."""
    source = SourceSystem.objects.get()
    client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file_of(content, name)})
    newest = UsageImport.objects.order_by("pk").last()
    assert newest is not None
    return newest


def page(name: str, usage_import: UsageImport) -> str:
    return reverse(f"admin:usage_usageimport_{name}", args=[usage_import.pk])


def said(response: object) -> list[str]:
    """The messages on a page."""
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def outcomes(response: object) -> list[tuple[int, str, str]]:
    return [(row.line_number, row.outcome, row.detail) for row in response.context["rows"]]  # type: ignore[attr-defined]


def press(client: Client, usage_import: UsageImport, button: str, **changes: str) -> object:
    """Press a button of the preview, with the mapping's form as it is but for `changes`."""
    form = client.get(page("preview", usage_import)).context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    return client.post(page("preview", usage_import), {**data, **changes, button: "1"}, follow=True)


def test_upload_leads_to_a_preview_and_takes_nothing_in(admin_client: Client, source: SourceSystem) -> None:
    take(lines(ROW.replace("R1", "R9")), name="before.csv")
    conflict = ROW.replace("R1", "R9").replace(",60", ",61")
    content = lines(ROW, BAD, ROW.replace("R1", "R9"), conflict)
    response = admin_client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file_of(content)}, follow=True)
    uploaded = UsageImport.objects.get(file_name="calls.csv")
    assert response.redirect_chain == [(page("preview", uploaded), 302)]
    assert (uploaded.state, uploaded.channel, uploaded.created_by) == ("UPLOADED", "ADMIN", response.context["user"])
    assert UsageDataRecord.objects.count() == 1
    shown = outcomes(response)
    assert [row[:2] for row in shown] == [(2, "Accepted"), (3, "Quarantined"), (4, "Duplicate"), (5, "Conflict")]
    assert shown[1][2] == (
        "usage_amount “many” is not a number with at most 20 digits before the point and 18 after it."
    )
    text = response.content.decode()
    assert "Nothing of it is taken in yet." in text
    assert all(f"<th>{column}</th>" in text for column in HEADER.split(","))


def test_import_queues_the_file_and_shows_its_progress_then_its_counts(
    admin_client: Client, source: SourceSystem
) -> None:
    uploaded = upload(admin_client, lines(ROW, BAD))
    response = press(admin_client, uploaded, "_import")
    assert response.redirect_chain == [(page("change", uploaded), 302)]  # type: ignore[attr-defined]
    assert f'hx-get="{page("progress", uploaded)}"' in response.content.decode()  # type: ignore[attr-defined]
    uploaded.refresh_from_db()
    assert uploaded.state == ImportState.QUEUED
    progress = admin_client.get(page("progress", uploaded))
    assert "The next worker that is free takes it in." in progress.content.decode()
    assert "HX-Refresh" not in progress

    take_in_stored(import_id=uploaded.pk, at=AT)
    assert admin_client.get(page("progress", uploaded))["HX-Refresh"] == "true"
    done = admin_client.get(page("change", uploaded))
    uploaded.refresh_from_db()
    assert (uploaded.received_count, uploaded.accepted_count, uploaded.quarantined_count) == (2, 1, 1)
    text = done.content.decode()
    assert page("progress", uploaded) not in text
    assert f"?state=all&amp;usage_import__id__exact={uploaded.pk}" in text
    line = uploaded.quarantined_lines.get()
    assert reverse("admin:usage_quarantinedline_change", args=[line.pk]) in text
    assert "Try the open lines again" in text


def test_import_that_runs_says_how_far_it_is(admin_client: Client, source: SourceSystem) -> None:
    running = factories.UsageImportFactory(state=ImportState.RUNNING, finished_at=None, byte_count=8_000)
    report_progress(running.pk, ImportProgress("reading", byte_count=2_000, received=1_234))
    text = admin_client.get(page("progress", running)).content.decode()
    assert 'value="25"' in text
    assert "2,000 of 8,000" in text
    assert "<dt>Rows received</dt><dd>1,234</dd>" in text
    report_progress(running.pk, ImportProgress("writing", byte_count=8_000, received=5_000, accepted=4_321))
    text = admin_client.get(page("progress", running)).content.decode()
    assert "Its rows are being turned into records." in text
    assert "<dt>Accepted so far</dt><dd>4,321</dd>" in text
    assert "value=" not in text
    UsageImport.objects.update(state=ImportState.QUEUED)
    assert "4,321" not in admin_client.get(page("progress", running)).content.decode()


def test_late_records_are_counted_on_the_page(admin_client: Client, source: SourceSystem) -> None:
    made = factories.UsageImportFactory(received_count=3, accepted_count=3, late_count=2, source_system=source)
    assert "2 of the accepted records are late" in admin_client.get(page("change", made)).content.decode()


def test_page_says_format_and_channel(admin_client: Client, source: SourceSystem) -> None:
    uploaded = upload(admin_client, gzipped(lines(ROW).encode()), "calls.csv.gz")
    text = admin_client.get(page("change", uploaded)).content.decode()
    assert "Uploaded, not yet started" in text
    assert "Upload" in text
    assert "CSV" in text
    assert page("preview", uploaded) in text


def test_workbook_is_previewed_imported_and_mended_by_its_columns(admin_client: Client, source: SourceSystem) -> None:
    content = workbook([HEADER.split(","), ROW.split(","), BAD.split(",")])
    uploaded = upload(admin_client, content, "calls.xlsx")
    response = admin_client.get(page("preview", uploaded))
    assert [row[:2] for row in outcomes(response)] == [(2, "Accepted"), (3, "Quarantined")]
    press(admin_client, uploaded, "_import")
    take_in_stored(import_id=uploaded.pk, at=AT)
    line = uploaded.quarantined_lines.get()
    address = reverse("admin:usage_quarantinedline_change", args=[line.pk])
    form = admin_client.get(address).context["form"]
    data = {name: form[name].value() for name in form.fields}
    assert data["column_5"] == "many"
    mended = admin_client.post(address, {**data, "column_5": "61", "_save": "1"}, follow=True)
    assert said(mended) == ["1 line was tried again: 1 accepted."]
    assert sorted(UsageDataRecord.objects.values_list("number", "usage_amount")) == [
        ("R1", Decimal(60)),
        ("R2", Decimal(61)),
    ]


def test_json_lines_are_previewed_by_the_names_that_they_have(admin_client: Client, source: SourceSystem) -> None:
    line = (
        '{"number": "R1", "from": "+49301", "product": "CALL", "from_date": "2026-01-15T12:00:00Z", "usage_amount": 60}'
    )
    uploaded = upload(admin_client, f"{line}\nnonsense\n", "calls.ndjson")
    response = admin_client.get(page("preview", uploaded))
    assert [row[:2] for row in outcomes(response)] == [(1, "Quarantined"), (2, "Quarantined")]
    assert ("column:from", "column from") in response.context["form"].fields["from_service"].choices
    tried = press(admin_client, uploaded, "_try", from_service="column:from")
    assert [row[:2] for row in outcomes(tried)] == [(1, "Accepted"), (2, "Quarantined")]


def test_the_same_file_again_leads_to_the_first_import(admin_client: Client, source: SourceSystem) -> None:
    first = take(lines(ROW))
    response = admin_client.post(
        reverse(UPLOAD), {"source_system": source.pk, "file": file_of(lines(ROW), "again.csv")}, follow=True
    )
    assert response.redirect_chain == [(page("change", first), 302)]
    assert said(response) == ["This file was sent before. Nothing changed; this is that import."]
    assert UsageImport.objects.count() == 1


def test_file_that_is_refused_says_why_on_the_form(admin_client: Client, source: SourceSystem) -> None:
    broken = gzipped(lines(ROW).encode())[:-20]
    response = admin_client.post(reverse(UPLOAD), {"source_system": source.pk, "file": file_of(broken, "calls.csv.gz")})
    assert response.status_code == 200
    (sentence,) = response.context["form"].errors["file"]
    assert sentence.startswith("calls.csv.gz: its gzip data is broken")


def test_file_that_does_not_fit_is_shown_with_what_is_wrong_and_not_imported(
    admin_client: Client, source: SourceSystem
) -> None:
    uploaded = upload(admin_client, "this,is,not\nwhat,was,agreed\n")
    response = admin_client.get(page("preview", uploaded))
    assert "there is no column “service”" in response.context["fault"]
    # Who is to say what the columns are sees what is in them.
    assert [row.raw for row in response.context["rows"]] == [("what", "was", "agreed")]
    assert "tb-primary" not in response.content.decode()
    pressed = press(admin_client, uploaded, "_import")
    assert said(pressed) == ["It is not imported, for it cannot be read like this. Choose the columns anew."]
    uploaded.refresh_from_db()
    assert uploaded.state == ImportState.UPLOADED


def test_failed_import_says_why_and_what_to_do(admin_client: Client, source: SourceSystem) -> None:
    uploaded = upload(admin_client, "this,is,not\nwhat,was,agreed\n")
    queue_import(import_id=uploaded.pk)
    take_in_stored(import_id=uploaded.pk, at=AT)
    text = admin_client.get(page("change", uploaded)).content.decode()
    assert "there is no column “service”" in text
    assert "upload it again" in text
    assert f"{reverse(UPLOAD)}?source_system={source.pk}" in text


def test_failed_file_is_opened_again_and_imported_when_the_mapping_is_mended(
    admin_client: Client, source: SourceSystem
) -> None:
    uploaded = upload(admin_client, lines(ROW, header="id,telephone,product,from_date,to_date,usage_amount"))
    queue_import(import_id=uploaded.pk)
    take_in_stored(import_id=uploaded.pk, at=AT)
    assert "Open it again" in admin_client.get(page("change", uploaded)).content.decode()
    SourceSystem.objects.update(column_mapping={"number": "{id}", "service": "{telephone}"})
    opened = admin_client.post(page("reopen", uploaded), follow=True)
    assert opened.redirect_chain == [(page("preview", uploaded), 302)]
    assert outcomes(opened) == [(2, "Accepted", "")]
    press(admin_client, uploaded, "_import")
    take_in_stored(import_id=uploaded.pk, at=AT)
    assert counts(uploaded) == {"accepted": 1}
    again = admin_client.post(page("reopen", uploaded), follow=True)
    assert said(again) == [f"Import {uploaded.pk} is completed: it cannot be opened again any more."]


def test_discarded_file_is_not_taken_in(admin_client: Client, source: SourceSystem) -> None:
    uploaded = upload(admin_client, lines(ROW))
    response = admin_client.post(page("discard", uploaded), follow=True)
    assert said(response) == ["calls.csv is discarded. Nothing of it was taken."]
    uploaded.refresh_from_db()
    assert uploaded.state == ImportState.FAILED
    assert not uploaded.blocks.exists()


def test_what_is_imported_is_neither_previewed_nor_discarded_nor_imported_again(
    admin_client: Client, source: SourceSystem
) -> None:
    done = take(lines(ROW))
    for name in ("preview", "discard"):
        response = admin_client.post(page(name, done), {"_import": "1"}, follow=True)
        assert response.redirect_chain == [(page("change", done), 302)]
        assert "completed" in said(response)[0]
    assert UsageDataRecord.objects.count() == 1


def test_leaving_a_page_by_its_address_does_nothing(admin_client: Client, source: SourceSystem) -> None:
    uploaded = upload(admin_client, lines(ROW))
    for name in ("discard", "reopen", "reprocess"):
        assert admin_client.get(page(name, uploaded))["Location"] == page("change", uploaded)
    uploaded.refresh_from_db()
    assert uploaded.state == ImportState.UPLOADED


def test_open_lines_are_tried_again_once_what_they_lacked_is_there(admin_client: Client, source: SourceSystem) -> None:
    done = take(lines(ROW, ROW.replace("R1", "R2").replace("+49301", "+49302"), BAD.replace("R2", "R3")))
    assert (done.accepted_count, done.quarantined_count) == (1, 2)
    factories.SubscriptionServiceFactory(identifier="+49302")
    response = admin_client.post(page("reprocess", done), follow=True)
    assert said(response) == ["2 lines were tried again: 1 accepted, 1 still quarantined."]
    done.refresh_from_db()
    assert (done.received_count, done.accepted_count, done.quarantined_count) == (3, 2, 1)


def test_lines_of_an_import_that_is_not_completed_are_not_tried_again(
    admin_client: Client, source: SourceSystem
) -> None:
    uploaded = upload(admin_client, lines(ROW))
    response = admin_client.post(page("reprocess", uploaded), follow=True)
    (sentence,) = said(response)
    assert "uploaded" in sentence.lower()


def test_where_no_line_is_open_there_is_nothing_to_try_again(admin_client: Client, source: SourceSystem) -> None:
    done = take(lines(ROW))
    assert "Try the open lines again" not in admin_client.get(page("change", done)).content.decode()
    response = admin_client.post(page("reprocess", done), follow=True)
    assert said(response) == ["No line is open: there is nothing to try again."]


def test_upload_without_a_file_says_so(admin_client: Client, source: SourceSystem) -> None:
    response = admin_client.post(reverse(UPLOAD), {"source_system": source.pk})
    assert response.status_code == 200
    assert "file" in response.context["form"].errors


def test_upload_starts_with_the_source_system_that_it_was_called_from(
    admin_client: Client, source: SourceSystem
) -> None:
    text = admin_client.get(reverse(UPLOAD), {"source_system": source.pk}).content.decode()
    assert f'<option value="{source.pk}" selected>' in text


def test_without_a_source_system_the_page_says_to_add_one(admin_client: Client) -> None:
    assert "Add a source system" in admin_client.get(reverse(UPLOAD)).content.decode()


def test_who_may_only_look_does_not_upload(viewer_client: Client, source: SourceSystem) -> None:
    uploaded = factories.UsageImportFactory(state=ImportState.UPLOADED, finished_at=None)
    assert viewer_client.get(reverse(UPLOAD)).status_code == 403
    assert viewer_client.get(page("preview", uploaded)).status_code == 403
    assert viewer_client.post(page("preview", uploaded), {"_import": "1"}).status_code == 403
    assert viewer_client.post(page("discard", uploaded)).status_code == 403
    assert viewer_client.post(page("reopen", uploaded)).status_code == 403
    assert viewer_client.post(page("reprocess", uploaded)).status_code == 403
    assert viewer_client.get(page("progress", uploaded)).status_code == 200
    assert reverse(UPLOAD) not in viewer_client.get(reverse("admin:usage_usageimport_changelist")).content.decode()
    uploaded.refresh_from_db()
    assert uploaded.state == ImportState.UPLOADED


def test_progress_is_for_those_who_may_see_imports(client: Client, source: SourceSystem) -> None:
    done = take(lines(ROW))
    client.force_login(factories.UserFactory())
    assert client.get(page("progress", done)).status_code == 403


def test_who_is_not_staff_is_sent_to_the_login(client: Client) -> None:
    assert client.get(reverse(UPLOAD))["Location"].startswith(reverse("admin:login"))


def test_page_of_a_record_says_which_line_it_came_with(admin_client: Client, source: SourceSystem) -> None:
    take(lines(ROW))
    pending = UsageDataRecord.objects.get()
    text = admin_client.get(reverse("admin:usage_usagedatarecord_change", args=[pending.pk])).content.decode()
    assert "calls.csv, line 2" in text
