"""Imports of usage as the usage API spells them."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.choices import FileFormat
from customers.api.fields import CursorField, IdField
from usage.adapters.progress import progress_of
from usage.api.serializers import MEMBERS, ErrorSerializer, PageQuery, UsageMetaSerializer
from usage.api.short_forms import NamedShortForm
from usage.api.values import TextField
from usage.choices import Channel, ConflictDecision, ImportState, QuarantineReason, QuarantineState
from usage.engine.progress import ImportProgress
from usage.models import QuarantinedLine, UsageConflict, UsageImport

IMPORTS = "usage_imports"
QUARANTINE = "quarantine"
CONFLICTS = "conflicts"


class SendQuery(serializers.Serializer[Any]):
    """What goes with a file."""

    source_system = serializers.CharField(
        help_text="Name or alternative code of the source system that the file is from."
    )
    file_name = TextField(
        required=False,
        longest=300,
        default="",
        help_text="How faults name the file. Default: the form's name of it.",
    )
    wait = serializers.BooleanField(
        required=False,
        default=False,
        help_text="True: the answer is given when all of the file is taken in. False: when it is kept safe; a worker "
        "takes it in.",
    )


class ImportListQuery(PageQuery):
    cursor = CursorField(of=IMPORTS, help_text="`meta.next_cursor` of the page before; empty: the first page.")


class QuarantineQuery(PageQuery):
    state = serializers.ChoiceField(choices=QuarantineState.choices, required=False)
    reason = serializers.ChoiceField(choices=QuarantineReason.choices, required=False)
    cursor = CursorField(of=QUARANTINE, help_text="`meta.next_cursor` of the page before; empty: the first page.")


class ConflictQuery(PageQuery):
    decision = serializers.ChoiceField(choices=ConflictDecision.choices, required=False)
    cursor = CursorField(of=CONFLICTS, help_text="`meta.next_cursor` of the page before; empty: the first page.")


class ProgressSerializer(serializers.Serializer[ImportProgress]):
    """How far an import is that runs."""

    phase = serializers.ChoiceField(
        choices=["reading", "writing"], help_text="The file is read first, then its rows become records."
    )
    byte_count = serializers.IntegerField()
    received = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    conflicts = serializers.IntegerField()
    quarantined = serializers.IntegerField()


class UsageImportSerializer(serializers.Serializer[UsageImport]):
    """One file: received = accepted + duplicates + conflicts + quarantined."""

    id = IdField()
    source_system = NamedShortForm()
    file_name = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the content, without gzip; empty for a file that was refused.")
    byte_count = serializers.IntegerField(help_text="Of the content, without gzip.")
    channel = serializers.ChoiceField(choices=Channel.choices, help_text="The way that it came in.")
    file_format = serializers.ChoiceField(choices=FileFormat.choices)
    state = serializers.ChoiceField(choices=ImportState.choices)
    received = serializers.IntegerField(source="received_count", help_text="Rows after the header.")
    accepted = serializers.IntegerField(source="accepted_count", help_text="Became usage data records.")
    duplicates = serializers.IntegerField(source="duplicate_count", help_text="The same number and the same content.")
    conflicts = serializers.IntegerField(source="conflict_count", help_text="The same number with other content.")
    quarantined = serializers.IntegerField(source="quarantined_count", help_text="Could not become a record.")
    late = serializers.IntegerField(
        source="late_count", help_text="Of the accepted: came after the invoice that they belonged on."
    )
    progress = serializers.SerializerMethodField(help_text="While it runs; else null.")
    error = serializers.CharField(help_text="Why the file was refused; else empty.")
    started_date = serializers.DateTimeField(source="started_at")
    finished_date = serializers.DateTimeField(source="finished_at", allow_null=True)
    created_by_user = serializers.CharField(source="created_by.username", allow_null=True, default=None, read_only=True)

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, usage_import: UsageImport) -> dict[str, Any] | None:
        progress = progress_of(usage_import.id) if usage_import.state == ImportState.RUNNING else None
        return None if progress is None else dict(ProgressSerializer(progress).data)


class QuarantinedLineSerializer(serializers.Serializer[QuarantinedLine]):
    id = IdField()
    line_number = serializers.IntegerField(help_text="1 is the header.")
    reason = serializers.ChoiceField(choices=QuarantineReason.choices)
    field = serializers.CharField(help_text="The field that is wrong; empty where it is the row.")
    detail = serializers.CharField()
    raw_text = serializers.CharField(help_text="As it came.")
    corrected_text = serializers.CharField(help_text="What a person made of it; empty: nothing yet.")
    state = serializers.ChoiceField(choices=QuarantineState.choices)
    note = serializers.CharField(help_text="Why it was dismissed.")
    decided_date = serializers.DateTimeField(source="decided_at", allow_null=True)
    decided_by_user = serializers.CharField(source="decided_by.username", allow_null=True, default=None, read_only=True)


class DifferenceSerializer(serializers.Serializer[Any]):
    record = serializers.CharField(allow_null=True, help_text="What the record says.")
    sent = serializers.CharField(allow_null=True, help_text="What was sent.")


def differences_shown(differences: Mapping[str, Sequence[str | None]]) -> dict[str, dict[str, str | None]]:
    """By field of the API: what the record says and what was sent, as texts."""
    return {
        MEMBERS.get(field, field): {"record": record, "sent": sent} for field, (record, sent) in differences.items()
    }


class ConflictSerializer(serializers.Serializer[UsageConflict]):
    id = IdField()
    line_number = serializers.IntegerField(help_text="1 is the header.")
    record_id = IdField(help_text="The record that stands.")
    record_number = serializers.CharField(source="record.number")
    differences = serializers.SerializerMethodField(help_text="By field that differs, as texts.")
    raw_text = serializers.CharField()
    decision = serializers.ChoiceField(choices=ConflictDecision.choices)
    note = serializers.CharField()
    decided_date = serializers.DateTimeField(source="decided_at", allow_null=True)
    decided_by_user = serializers.CharField(source="decided_by.username", allow_null=True, default=None, read_only=True)
    replacement_id = IdField(allow_null=True, help_text="The record that took the place of the one that stood.")

    @extend_schema_field(serializers.DictField(child=DifferenceSerializer()))
    def get_differences(self, conflict: UsageConflict) -> dict[str, dict[str, str | None]]:
        return differences_shown(conflict.differences)


class ReprocessedSerializer(serializers.Serializer[Any]):
    """What became of the lines that were tried again: tried = accepted + duplicates + conflicts + quarantined."""

    tried = serializers.IntegerField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    conflicts = serializers.IntegerField()
    quarantined = serializers.IntegerField(help_text="Still wrong.")


class ReprocessedLineSerializer(ReprocessedSerializer):
    line = QuarantinedLineSerializer(help_text="As it is now.")


class UsageImportPageSerializer(serializers.Serializer[Any]):
    data = UsageImportSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = UsageMetaSerializer()


class QuarantinePageSerializer(serializers.Serializer[Any]):
    data = QuarantinedLineSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = UsageMetaSerializer()


class ConflictPageSerializer(serializers.Serializer[Any]):
    data = ConflictSerializer(many=True)  # type: ignore[assignment]  # a member of that name
    meta = UsageMetaSerializer()


class NumberConflictSerializer(ErrorSerializer):
    """A record whose number came before with other content: an error as all are, and what differs.

    Another refusal with the same status has neither of the further members.
    """

    id = IdField(required=False, allow_null=True, help_text="The record that stands; null if it is not the sender's.")
    differences = serializers.DictField(child=DifferenceSerializer(), required=False)


class RefusedImportSerializer(ErrorSerializer):
    """A file that was refused: an error as all are, with the failed import's id."""

    id = IdField(required=False, help_text="Of the failed import; not there where none was begun.")
