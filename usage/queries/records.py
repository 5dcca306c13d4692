"""Reads on usage data records for the API."""

from django.db import connection
from django.db.models import Prefetch, QuerySet

from usage.models import UsageDataRecord, UsageDataRecordChange

SHOWN_WITH_A_RECORD = (
    "customer__accounts_receivable",
    "subscription_service__subscription",
    "subscription_service__product",
    "product",
    "subscription_action",
    "source_system",
    "usage_type",
    "created_by",
    "updated_by",
    "charge__rate",
    "charge__line__invoice",
    "original",
)


def usage_data_records(*, customer_id: int | None = None) -> QuerySet[UsageDataRecord]:
    """Records with all that is shown of them, in one query: of one customer, or of all."""
    records = UsageDataRecord.objects.select_related(*SHOWN_WITH_A_RECORD)
    return records if customer_id is None else records.filter(customer_id=customer_id)


def records_with_history(*, customer_id: int | None = None) -> QuerySet[UsageDataRecord]:
    """The same with what was done to each record, oldest first."""
    changes = UsageDataRecordChange.objects.select_related("user").order_by("id")
    return usage_data_records(customer_id=customer_id).prefetch_related(Prefetch("changes", queryset=changes))


def one_record(record_id: int, *, customer_id: int | None = None) -> UsageDataRecord | None:
    """One record with all that is shown of it and its history, inside a transaction.

    The order of the joins is given: by one id each takes a row, and to look for a better order among fourteen takes
    PostgreSQL longer than to read them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('join_collapse_limit', '1', true)")
    return records_with_history(customer_id=customer_id).filter(id=record_id).first()
