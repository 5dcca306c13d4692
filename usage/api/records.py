"""`usage_data_records` of the usage API: list and show."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.fields import cursor
from customers.api.lists import cut
from customers.api.views import ApiView, checked_id, checked_query
from usage.api.serializers import (
    RECORDS,
    UsageDataRecordPageSerializer,
    UsageDataRecordQuery,
    UsageDataRecordSerializer,
)
from usage.queries.records import RecordFilters, matching_records, usage_data_records

TAGS = ["usage_data_records"]


class UsageDataRecordList(ApiView):
    staff_model = "usage.usagedatarecord"

    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_list",
        summary="List usage data records, oldest first",
        description="A customer's key sees its own. There is no total: to count them all takes longer than a page.",
        parameters=[UsageDataRecordQuery],
        responses={200: UsageDataRecordPageSerializer},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(UsageDataRecordQuery, request)
        own_customer_id = self.own_customer_id(request)
        records = usage_data_records(customer_id=own_customer_id)
        records = matching_records(records, cast("RecordFilters", query))
        if query["cursor"]:
            records = records.filter(id__gt=query["cursor"][0])
        page, has_next = cut(records.order_by("id")[: query["limit"] + 1], query["limit"])
        meta = {"limit": len(page), "next_cursor": cursor(of=RECORDS, after=[page[-1].id]) if has_next else ""}
        context = {"is_posted_only": own_customer_id is not None}
        return Response(UsageDataRecordPageSerializer({"data": page, "meta": meta}, context=context).data)


class UsageDataRecordDetail(ApiView):
    staff_model = "usage.usagedatarecord"

    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_retrieve",
        summary="Show one usage data record",
        responses={200: UsageDataRecordSerializer},
    )
    def get(self, request: Request, record_id: str) -> Response:
        own_customer_id = self.own_customer_id(request)
        record = usage_data_records(customer_id=own_customer_id).filter(id=checked_id(record_id)).first()
        if record is None:
            raise NotFound(f"There is no usage data record with the id {record_id}.")
        context = {"is_posted_only": own_customer_id is not None}
        return Response(UsageDataRecordSerializer(record, context=context).data)
