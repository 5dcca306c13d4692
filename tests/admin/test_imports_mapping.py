"""Saying which column of a file is what, while its first rows are looked at."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import ChoiceField
from django.test import Client
from django.urls import reverse

from catalog.choices import FileFormat
from tests import factories
from tests.usage.taking import AT, make_company
from usage.admin.mapping import MappingForm, columns_of_lines
from usage.choices import ImportState
from usage.models import SourceSystem, UsageDataRecord, UsageImport
from usage.operations.stored import take_in_stored

pytestmark = pytest.mark.django_db(transaction=True)

# A switch that names its columns in its own way, and writes numbers without their sign.
FILE = (
    "CallId,Caller,Product,Start,Seconds,region\n"
    "C1,49301,CALL,2026-01-15T12:00:00Z,60,DE\n"
    "C2,49301,CALL,2026-01-15T12:00:00Z,many,DE\n"
)
MAPPING = {
    "service": "+{Caller}",
    "from_date": "{Start}",
    "usage_amount": "{Seconds}",
    "number": "{CallId}",
    "product": "{Product}",
}
CHOICES = {
    "from_service": "text",
    "text_service": "+{Caller}",
    "from_from_date": "column:Start",
    "from_usage_amount": "column:Seconds",
    "from_number": "column:CallId",
    "from_product": "column:Product",
}


@pytest.fixture
def source() -> SourceSystem:
    return make_company()


@pytest.fixture
def uploaded(admin_client: Client, source: SourceSystem) -> UsageImport:
    file = SimpleUploadedFile("switch.csv", FILE.encode())
    admin_client.post(reverse("admin:usage_usageimport_upload"), {"source_system": source.pk, "file": file})
    return UsageImport.objects.get()


def preview(usage_import: UsageImport) -> str:
    return reverse("admin:usage_usageimport_preview", args=[usage_import.pk])


def press(client: Client, usage_import: UsageImport, button: str, **changes: str) -> object:
    """Press a button of the preview, with the mapping's form as it is but for `changes`."""
    form = client.get(preview(usage_import)).context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    return client.post(preview(usage_import), {**data, **changes, button: "1"}, follow=True)


def choices(form: MappingForm, name: str) -> list[str]:
    """The values that a select of the form offers."""
    field = form.fields[name]
    assert isinstance(field, ChoiceField)
    return [str(value) for value, _ in field.choices]  # type: ignore[misc, union-attr]  # no groups, no callable


def said(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def outcomes(response: object) -> list[tuple[int, str]]:
    return [(row.line_number, row.outcome) for row in response.context["rows"]]  # type: ignore[attr-defined]


def test_required_fields_are_marked_and_the_files_columns_are_offered(
    admin_client: Client, uploaded: UsageImport
) -> None:
    response = admin_client.get(preview(uploaded))
    required = [row.name for row in response.context["standard_rows"] if row.is_required]
    assert required == ["service", "from_date", "usage_amount"]
    form = response.context["form"]
    assert choices(form, "from_number") == [
        *("nothing", "column:CallId", "column:Caller", "column:Product", "column:Start", "column:Seconds"),
        *("column:region", "text"),
    ]
    # A column that has a field's name is that field.
    assert (form["from_region"].value(), form["from_number"].value()) == ("column:region", "nothing")
    assert "there is no column “service”" in response.context["fault"]


def test_trying_a_mapping_shows_the_rows_anew_and_saves_nothing(
    admin_client: Client, source: SourceSystem, uploaded: UsageImport
) -> None:
    response = press(admin_client, uploaded, "_try", **CHOICES)
    assert outcomes(response) == [(2, "Accepted"), (3, "Quarantined")]
    assert "+49301" in response.content.decode()  # type: ignore[attr-defined]
    assert "It is not saved." in response.content.decode()  # type: ignore[attr-defined]
    assert (response.context["is_changed"], response.context["may_import"]) == (True, False)  # type: ignore[attr-defined]
    source.refresh_from_db()
    uploaded.refresh_from_db()
    assert (source.column_mapping, uploaded.state) == ({}, ImportState.UPLOADED)


def test_saving_a_mapping_changes_the_source_system_and_imports(
    admin_client: Client, source: SourceSystem, uploaded: UsageImport
) -> None:
    response = press(admin_client, uploaded, "_save", **CHOICES)
    assert said(response) == ["The mapping of Switch is saved."]
    source.refresh_from_db()
    assert source.column_mapping == MAPPING
    take_in_stored(import_id=uploaded.pk, at=AT)
    uploaded.refresh_from_db()
    assert (uploaded.received_count, uploaded.accepted_count, uploaded.quarantined_count) == (2, 1, 1)
    assert UsageDataRecord.objects.get().region == "DE"


def test_import_does_not_go_by_a_mapping_that_is_not_saved(
    admin_client: Client, source: SourceSystem, uploaded: UsageImport
) -> None:
    response = press(admin_client, uploaded, "_import", **CHOICES)
    assert said(response) == ["You have changed the mapping. Save it and import, or go back to the saved mapping."]
    assert outcomes(response) == [(2, "Accepted"), (3, "Quarantined")]
    uploaded.refresh_from_db()
    assert uploaded.state == ImportState.UPLOADED


def test_mapping_that_does_not_fit_the_file_is_not_saved(
    admin_client: Client, source: SourceSystem, uploaded: UsageImport
) -> None:
    response = press(admin_client, uploaded, "_save", **{**CHOICES, "text_service": "{Nobody}"})
    assert "there is no column “Nobody”" in response.context["fault"]  # type: ignore[attr-defined]
    assert said(response) == ["It is not imported, for it cannot be read like this. Choose the columns anew."]
    source.refresh_from_db()
    assert source.column_mapping == {}


def test_a_text_that_is_chosen_and_not_written_is_asked_for(admin_client: Client, uploaded: UsageImport) -> None:
    response = press(admin_client, uploaded, "_save", **{**CHOICES, "text_service": ""})
    assert response.context["form"].errors == {  # type: ignore[attr-defined]
        "text_service": ["Write the text, such as +{Prefix}{Number}, or choose nothing."]
    }


def test_choice_that_is_not_offered_is_refused(admin_client: Client, uploaded: UsageImport) -> None:
    response = press(admin_client, uploaded, "_try", from_service="column:Elsewhere")
    assert "from_service" in response.context["form"].errors  # type: ignore[attr-defined]


def test_who_may_not_change_source_systems_tries_but_does_not_save(
    viewer: User, viewer_client: Client, source: SourceSystem, uploaded: UsageImport
) -> None:
    viewer.user_permissions.add(Permission.objects.get(codename="add_usageimport"))
    response = press(viewer_client, uploaded, "_try", **CHOICES)
    assert outcomes(response) == [(2, "Accepted"), (3, "Quarantined")]
    assert 'name="_save"' not in response.content.decode()  # type: ignore[attr-defined]
    refused = press(viewer_client, uploaded, "_save", **CHOICES)
    assert said(refused) == [
        "Your user may not change source systems, so the mapping is not saved and nothing is imported."
    ]
    source.refresh_from_db()
    uploaded.refresh_from_db()
    assert (source.column_mapping, uploaded.state) == ({}, ImportState.UPLOADED)


def test_who_may_not_change_source_systems_imports_by_the_saved_mapping(
    viewer: User, viewer_client: Client, source: SourceSystem, uploaded: UsageImport
) -> None:
    viewer.user_permissions.add(Permission.objects.get(codename="add_usageimport"))
    SourceSystem.objects.filter(pk=source.pk).update(column_mapping=MAPPING)
    press(viewer_client, uploaded, "_import")
    uploaded.refresh_from_db()
    assert uploaded.state == ImportState.QUEUED


@pytest.mark.parametrize("name", ["switch.csv", "switch.ndjson"])
@pytest.mark.parametrize(
    ("changed", "said_of_it"),
    [
        ({"column_mapping": ["not", "a", "mapping"]}, "the column mapping of the source system is not a JSON object"),
        ({"date_format": "DD.MM"}, "the date format “DD.MM” lacks YYYY"),
    ],
)
def test_source_system_that_cannot_be_read_by_is_said_on_the_preview(
    admin_client: Client, uploaded: UsageImport, changed: dict[str, Any], said_of_it: str, name: str
) -> None:
    SourceSystem.objects.update(**{"column_mapping": MAPPING, **changed})
    if name.endswith("ndjson"):
        UsageImport.objects.update(file_format=FileFormat.NDJSON)
    response = admin_client.get(preview(uploaded))
    assert response.status_code == 200
    assert said_of_it in response.context["fault"]


@pytest.mark.parametrize(
    "mapping", [{}, MAPPING, {"region": "", "destination": "{Caller|region}", "service": "{Caller}"}]
)
def test_form_that_is_not_touched_says_the_mapping_that_there_is(mapping: dict[str, str]) -> None:
    columns = ("CallId", "Caller", "Product", "Start", "Seconds", "region")
    shown = MappingForm(columns=columns, mapping=mapping)
    form = MappingForm(columns=columns, mapping=mapping, data=shown.initial)
    assert form.is_valid()
    assert (form.is_changed(), form.mapping()) == (False, mapping)


def test_choosing_nothing_leaves_a_column_of_the_fields_own_name_out() -> None:
    shown = MappingForm(columns=("region", "service"), mapping={"number": "{region}"})
    form = MappingForm(
        columns=("region", "service"),
        mapping={"number": "{region}"},
        data={**shown.initial, "from_region": "nothing", "from_number": "nothing"},
    )
    assert form.is_valid()
    assert form.mapping() == {"region": ""}


def test_columns_that_a_mapping_cannot_name_are_not_offered() -> None:
    form = MappingForm(columns=("a|b", "{c}", "", "d", "d"), mapping={})
    assert choices(form, "from_number") == ["nothing", "column:d", "text"]


def test_of_very_many_columns_the_first_are_offered_and_others_are_texts() -> None:
    columns = [f"c{number}" for number in range(1, 1_001)]
    form = MappingForm(columns=columns, mapping={"number": "{c999}", "service": "{c1}"})
    assert len(choices(form, "from_number")) == 202
    assert (form["from_number"].value(), form["text_number"].value()) == ("text", "{c999}")
    assert form["from_service"].value() == "column:c1"


def test_mapping_that_is_none_starts_an_empty_form() -> None:
    form = MappingForm(columns=("number",), mapping=["not", "a", "mapping"])
    assert form["from_number"].value() == "column:number"


def test_names_of_json_lines_come_in_their_order_once() -> None:
    assert columns_of_lines(['{"b": 1, "a": 2}', "nonsense", "[1]", '{"a": 3, "c": {"d": 4}}']) == ("b", "a", "c")


def test_source_system_that_is_mapped_by_json_says_in_words_what_is_wrong(
    admin_client: Client, source: SourceSystem
) -> None:
    address = reverse("admin:usage_sourcesystem_change", args=[source.pk])
    good = {
        "name": "Switch",
        "timezone": "UTC",
        "delimiter": ";",
        "decimal_sign": ",",
        "column_mapping": "{}",
        "date_format": "DD.MM.YYYY hh:mm",
        "drop_folder": "switch",
        "has_consecutive_numbers": "on",
    }
    assert admin_client.post(address, good).status_code == 302
    source.refresh_from_db()
    assert (source.delimiter, source.decimal_sign, source.date_format, source.drop_folder) == (
        *(";", ",", "DD.MM.YYYY hh:mm"),
        "switch",
    )
    factories.SourceSystemFactory(name="Other", drop_folder="taken", alternative_code="O")
    for field, value, sentence in (
        ("column_mapping", "[1]", "The column mapping of the source system is not a JSON object."),
        ("column_mapping", "{", "Enter a valid JSON."),
        ("column_mapping", '{"nunber": "{A}"}', "The column mapping of the source system names no field of a record: "),
        ("date_format", "DD.MM", "The date format “DD.MM” lacks YYYY."),
        ("drop_folder", "taken", "Files in this drop folder are Other&#x27;s already. Name another folder."),
        ("drop_folder", "a/b", "A folder&#x27;s name: letters, digits, point, dash, underscore and space; no slash."),
        ("alternative_code", "O", "This is the code of Other already. Give another one, or none."),
    ):
        response = admin_client.post(address, {**good, field: value})
        assert response.status_code == 200, (field, value)
        assert sentence in response.content.decode(), (field, value)


def test_source_system_of_a_tab_keeps_its_delimiter(admin_client: Client, source: SourceSystem) -> None:
    """A tab is white space, which forms take away elsewhere."""
    address = reverse("admin:usage_sourcesystem_change", args=[source.pk])
    data = {"name": "Switch", "timezone": "UTC", "delimiter": "\t", "decimal_sign": ".", "column_mapping": ""}
    assert admin_client.post(address, data).status_code == 302
    source.refresh_from_db()
    assert (source.delimiter, source.column_mapping) == ("\t", {})
