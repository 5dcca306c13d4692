"""One usage data record with its history, as the usage API shows it."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound

from customers.api.views import checked_id
from usage.api.serializers import MEMBERS, ActorField, UsageDataRecordSerializer
from usage.choices import RecordChangeKind
from usage.models import UsageDataRecord, UsageDataRecordChange
from usage.queries.records import one_record


class OldAndNewSerializer(serializers.Serializer[Any]):
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class RecordChangeSerializer(serializers.Serializer[UsageDataRecordChange]):
    """What was done to a record after it came in."""

    date = serializers.DateTimeField(source="at")
    user = ActorField(source="user.username", allow_null=True, default=None, read_only=True)
    action = serializers.ChoiceField(source="kind", choices=RecordChangeKind.choices)
    reason = serializers.CharField()
    changes = serializers.SerializerMethodField(help_text="By field: the value before and after, as texts.")

    @extend_schema_field(serializers.DictField(child=OldAndNewSerializer()))
    def get_changes(self, change: UsageDataRecordChange) -> dict[str, dict[str, str | None]]:
        return {MEMBERS.get(field, field): {"old": old, "new": new} for field, (old, new) in change.changes.items()}


class UsageDataRecordDetailSerializer(UsageDataRecordSerializer):
    history = RecordChangeSerializer(source="changes.all", many=True, help_text="Oldest first.")


def shown_in_full(record_id: int, *, customer_id: int | None) -> dict[str, Any]:
    """The record as it is stored now, for that customer's key or, None, for staff. Raises `NotFound`."""
    with transaction.atomic():
        record = one_record(record_id, customer_id=customer_id)
        if record is None:
            raise NotFound(f"There is no usage data record with the id {record_id}.")
        return shown(record, is_for_customer=customer_id is not None)


def shown(record: UsageDataRecord, *, is_for_customer: bool) -> dict[str, Any]:
    """A record that was read with its history, for a customer's key or for staff."""
    return dict(UsageDataRecordDetailSerializer(record, context={"is_for_customer": is_for_customer}).data)


def existing_record_id(text: str) -> int:
    """The id of an address, if there is a record with it. Raises `NotFound`."""
    record_id = checked_id(text)
    if not UsageDataRecord.objects.filter(id=record_id).exists():
        raise NotFound(f"There is no usage data record with the id {record_id}.")
    return record_id
