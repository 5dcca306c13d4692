"""Imports of usage as the usage API spells them."""

from typing import Any

from rest_framework import serializers

from customers.api.fields import CursorField, IdField
from usage.api.serializers import PageQuery, UsageMetaSerializer
from usage.api.short_forms import NamedShortForm
from usage.choices import ImportState, QuarantineReason
from usage.models import QuarantinedLine, UsageConflict, UsageImport

IMPORTS = "usage_imports"
QUARANTINE = "quarantine"
CONFLICTS = "conflicts"


class SendQuery(serializers.Serializer[Any]):
    """What goes with a file."""

    source_system = serializers.CharField(
        help_text="Name or alternative code of the source system that the file is from."
    )
    file_name = serializers.CharField(
        required=False,
        max_length=300,
        default="",
        help_text="How faults name the file. Default: the form's name of it.",
    )
    wait = serializers.BooleanField(
        required=False, default=False, help_text="Accepted for either value: the answer is given when it is done."
    )


class ImportListQuery(PageQuery):
    cursor = CursorField(of=IMPORTS, help_text="`meta.next_cursor` of the page before; empty: the first page.")


class QuarantineQuery(PageQuery):
    cursor = CursorField(of=QUARANTINE, help_text="`meta.next_cursor` of the page before; empty: the first page.")


class ConflictQuery(PageQuery):
    cursor = CursorField(of=CONFLICTS, help_text="`meta.next_cursor` of the page before; empty: the first page.")


class UsageImportSerializer(serializers.Serializer[UsageImport]):
    """One file: received = accepted + duplicates + conflicts + quarantined."""

    id = IdField()
    source_system = NamedShortForm()
    file_name = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the CSV, without gzip; empty for a file that was refused.")
    byte_count = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ImportState.choices)
    received = serializers.IntegerField(source="received_count", help_text="Rows after the header.")
    accepted = serializers.IntegerField(source="accepted_count", help_text="Became usage data records.")
    duplicates = serializers.IntegerField(source="duplicate_count", help_text="The same number and the same content.")
    conflicts = serializers.IntegerField(source="conflict_count", help_text="The same number with other content.")
    quarantined = serializers.IntegerField(source="quarantined_count", help_text="Could not become a record.")
    error = serializers.CharField(help_text="Why the file was refused; else empty.")
    started_date = serializers.DateTimeField(source="started_at")
    finished_date = serializers.DateTimeField(source="finished_at", allow_null=True)
    created_by_user = serializers.CharField(source="created_by.username", allow_null=True, default=None)


class QuarantinedLineSerializer(serializers.Serializer[QuarantinedLine]):
    id = IdField()
    line_number = serializers.IntegerField(help_text="1 is the header.")
    reason = serializers.ChoiceField(choices=QuarantineReason.choices)
    field = serializers.CharField(help_text="The field that is wrong; empty where it is the row.")
    detail = serializers.CharField()
    raw_text = serializers.CharField()


class ConflictSerializer(serializers.Serializer[UsageConflict]):
    id = IdField()
    line_number = serializers.IntegerField(help_text="1 is the header.")
    record_id = IdField(help_text="The record that stands.")
    record_number = serializers.CharField(source="record.number")
    differing_fields = serializers.ListField(child=serializers.CharField())
    raw_text = serializers.CharField()


class UsageImportPageSerializer(serializers.Serializer[Any]):
    data = UsageImportSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = UsageMetaSerializer()


class QuarantinePageSerializer(serializers.Serializer[Any]):
    data = QuarantinedLineSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = UsageMetaSerializer()


class ConflictPageSerializer(serializers.Serializer[Any]):
    data = ConflictSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = UsageMetaSerializer()


class RefusedImportSerializer(serializers.Serializer[Any]):
    """A file that was refused: an error as all are, with the failed import's id."""

    title = serializers.CharField()
    detail = serializers.CharField(help_text="File, line and reason.")
    status = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]  # a member of that name
        child=serializers.ListField(child=serializers.CharField())
    )
    id = IdField()
