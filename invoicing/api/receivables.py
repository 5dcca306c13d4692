"""`accountsReceivable/ID/entries`, `balance` and `statement` of the backend API."""
# ruff: noqa: N815  the API's members are in camelCase

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery, backend_list, backend_rows
from customers.api.price_lists import PriceListView, existing
from customers.api.views import checked_query
from customers.models import AccountsReceivable
from invoicing.api.document_serializers import BalanceSerializer, EntrySerializer, StatementSerializer
from invoicing.queries.receivables import account_balance, account_entries, account_statement

TAGS = ["accountsReceivable"]


class EntryListQuery(BackendListQuery):
    """Which entries."""

    fromDate = serializers.DateField(required=False, help_text="Invoice dates from this day on.")
    toDate = serializers.DateField(required=False, help_text="Invoice dates up to this day, included.")


class StatementQuery(serializers.Serializer[Any]):
    """The days of a statement, both included."""

    fromDate = serializers.DateField()
    toDate = serializers.DateField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["toDate"] < attrs["fromDate"]:
            raise serializers.ValidationError({"toDate": ["It is before fromDate."]})
        return attrs


class AccountsReceivableView(PriceListView):
    staff_model = "customers.accountsreceivable"
    more_permissions = ("invoicing.view_invoice",)


class AccountEntries(AccountsReceivableView):
    @extend_schema(
        tags=TAGS,
        operation_id="accountsReceivable_entries",
        summary="List the posted documents of an account by id",
        description="`createdSince` and `updatedSince` ask for when they were posted: they never change after that.",
        parameters=[EntryListQuery, *BACKEND_LIST_HEADERS],
        responses={200: EntrySerializer(many=True)},
    )
    def get(self, request: Request, account_id: str) -> Response:
        account = existing(AccountsReceivable.objects.all(), account_id)
        query = checked_query(EntryListQuery, request)
        rows = account_entries(account.pk)
        if "fromDate" in query:
            rows = rows.filter(invoice_date__gte=query["fromDate"])
        if "toDate" in query:
            rows = rows.filter(invoice_date__lte=query["toDate"])
        found, has_next, total = backend_rows(rows, query, created="posted_at", updated="posted_at")
        data = list(EntrySerializer(cast("Any", found), many=True).data)
        return backend_list(request, data, has_next=has_next, total=total, last_id=found[-1].pk if found else None)


class AccountBalance(AccountsReceivableView):
    @extend_schema(
        tags=TAGS,
        operation_id="accountsReceivable_balance",
        summary="Show what an account owes by its documents",
        description="Posted less credited, by currency. Payments are not booked here.",
        responses={200: BalanceSerializer(many=True)},
    )
    def get(self, request: Request, account_id: str) -> Response:  # noqa: ARG002
        account = existing(AccountsReceivable.objects.all(), account_id)
        return Response(BalanceSerializer(cast("Any", account_balance(account.pk)), many=True).data)


class AccountStatement(AccountsReceivableView):
    @extend_schema(
        tags=TAGS,
        operation_id="accountsReceivable_statement",
        summary="Show an account between two days",
        description="For each currency the balance before, the entries with the balance after each, and the last.",
        parameters=[StatementQuery],
        responses={200: StatementSerializer(many=True)},
    )
    def get(self, request: Request, account_id: str) -> Response:
        account = existing(AccountsReceivable.objects.all(), account_id)
        query = checked_query(StatementQuery, request)
        found = account_statement(account.pk, from_day=query["fromDate"], to_day=query["toDate"])
        return Response(StatementSerializer(cast("Any", found), many=True).data)
