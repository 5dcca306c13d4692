"""`usage_data_records` of the usage API: listed, and sent one at a time. Billing, which knows its price, shows one."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.bodies import checked_body
from customers.api.exceptions import Conflict
from customers.api.idempotency import idempotent
from customers.api.views import ApiView, checked_query, refuse_unknown_members
from customers.choices import Scope
from usage.api.bodies import NewRecordBody
from usage.api.import_serializers import NumberConflictSerializer, differences_shown
from usage.api.new_record import Sender, known_conflict, take_in
from usage.api.record_detail import UsageDataRecordDetailSerializer
from usage.api.record_pages import page_of_records
from usage.api.serializers import UsageDataRecordPageSerializer, UsageDataRecordQuery
from usage.operations.errors import NumberConflict

TAGS = ["usage_data_records"]


class UsageDataRecordList(ApiView):
    scope = Scope.USAGE_WRITE
    staff_model = "usage.usagedatarecord"

    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_list",
        summary="List usage data records, oldest first",
        description=(
            "In the order in which they came; filtered by a range of dates, in the order of that date; filtered by a "
            "source system, in the order of `from_date`. A customer's key sees its own. There is no total: to count "
            "them all takes longer than a page."
        ),
        parameters=[UsageDataRecordQuery],
        responses={200: UsageDataRecordPageSerializer},
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_members(request.query_params, set(UsageDataRecordQuery().fields))
        query = checked_query(UsageDataRecordQuery, request)
        own_customer_id = self.own_customer_id(request)
        page = page_of_records(query, customer_id=own_customer_id)
        context = {"is_for_customer": own_customer_id is not None}
        return Response(UsageDataRecordPageSerializer(page, context=context).data)

    @extend_schema(
        tags=TAGS,
        operation_id="usage_data_records_create",
        summary="Send one usage data record",
        description=(
            "201 with the record. The same number with the same content: 200 with the record that is there; with other "
            "content: 409 with the differences, and nothing is changed. What comes after the invoice that it belonged "
            "on is marked as late. A customer's key sends usage of its own services."
        ),
        request=NewRecordBody,
        responses={
            200: UsageDataRecordDetailSerializer,
            201: UsageDataRecordDetailSerializer,
            409: NumberConflictSerializer,
        },
    )
    @idempotent
    def post(self, request: Request) -> Response:
        body = checked_body(NewRecordBody, request)
        sender = Sender(user_id=self.user_id(request), customer_id=self.own_customer_id(request))
        try:
            shown, is_new = take_in(body, sender=sender, at=timezone.now())
        except NumberConflict as error:
            known = known_conflict(error, number=body["number"], customer_id=sender.customer_id)
            answer = self.handle_exception(Conflict(known.sentence, code="number_conflict"))
            found = {"id": known.record_id, "differences": differences_shown(known.differences)}
            return Response({**answer.data, **found}, status=answer.status_code)
        return Response(shown, status=201 if is_new else 200)
