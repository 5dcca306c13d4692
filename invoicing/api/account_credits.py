"""`accountCredits` of the backend API."""

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS
from customers.api.price_lists import PriceListView, checked, existing, page, translated
from customers.api.views import checked_query
from invoicing.api.credit_serializers import AccountCreditListQuery, AccountCreditSerializer
from invoicing.models import AccountCredit
from invoicing.operations.credits import CreditValues, delete_credit, grant_credit, redeem_coupon, update_credit
from invoicing.queries import account_credits

TAGS = ["accountCredits"]
UPDATE = (
    "Members that are not given stay as they are. Once a document has used it, only endDate, position and description "
    "change: another change is a 409."
)


class AccountCreditView(PriceListView):
    staff_model = "invoicing.accountcredit"


class AccountCreditList(AccountCreditView):
    @extend_schema(
        tags=TAGS,
        operation_id="accountCredits_list",
        summary="List account credits by id",
        parameters=[AccountCreditListQuery, *BACKEND_LIST_HEADERS],
        responses={200: AccountCreditSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(AccountCreditListQuery, request)
        rows = account_credits()
        if "customerID" in query:
            rows = rows.filter(customer=query["customerID"])
        return page(request, rows, AccountCreditSerializer, query)

    @extend_schema(
        tags=TAGS,
        operation_id="accountCredits_create",
        summary="Grant a customer a credit, or redeem a coupon for it",
        request=AccountCreditSerializer,
        responses={201: AccountCreditSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        made = translated(lambda: given(checked(AccountCreditSerializer, request)))
        return Response(shown(made.pk), status=201)


class AccountCreditDetail(AccountCreditView):
    @extend_schema(
        tags=TAGS,
        operation_id="accountCredits_retrieve",
        summary="Show one account credit",
        responses={200: AccountCreditSerializer},
    )
    def get(self, request: Request, credit_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(AccountCredit.objects.all(), credit_id).pk))

    @extend_schema(
        tags=TAGS,
        operation_id="accountCredits_update",
        summary="Change an account credit",
        description=UPDATE,
        request=AccountCreditSerializer,
        responses={200: AccountCreditSerializer},
    )
    @idempotent
    def put(self, request: Request, credit_id: str) -> Response:
        return self._change(request, credit_id)

    @extend_schema(
        tags=TAGS,
        operation_id="accountCredits_partial_update",
        summary="Change an account credit",
        description=UPDATE,
        request=AccountCreditSerializer,
        responses={200: AccountCreditSerializer},
    )
    @idempotent
    def patch(self, request: Request, credit_id: str) -> Response:
        return self._change(request, credit_id)

    @extend_schema(
        tags=TAGS,
        operation_id="accountCredits_destroy",
        summary="Delete an account credit that no document has used",
        request=None,
        responses={204: None},
    )
    @idempotent
    def delete(self, request: Request, credit_id: str) -> Response:  # noqa: ARG002
        row = existing(AccountCredit.objects.all(), credit_id)
        translated(lambda: delete_credit(credit_id=row.pk))
        return Response(status=204)

    def _change(self, request: Request, credit_id: str) -> Response:
        row = existing(AccountCredit.objects.all(), credit_id)
        changes = credit_values(checked(AccountCreditSerializer, request, row))
        translated(lambda: update_credit(credit_id=row.pk, changes=changes))
        return Response(shown(row.pk))


def given(validated: dict[str, Any]) -> AccountCredit:
    """The credit that a body asks for."""
    customer, coupon = validated.pop("customer"), validated.pop("coupon", None)
    if coupon is not None:
        return redeem_coupon(customer_id=customer.pk, code=coupon.code, on=timezone.now().date())
    return grant_credit(customer_id=customer.pk, values=credit_values(validated))


def credit_values(validated: dict[str, Any]) -> CreditValues:
    """The validated members as the operations take them: the currency by its code."""
    values = dict(validated)
    if "currency" in values:
        currency = values.pop("currency")
        values["currency_id"] = None if currency is None else currency.pk
    return cast("CreditValues", values)


def shown(credit_id: int) -> dict[str, Any]:
    """The credit as it is stored now, with what is left of it."""
    rows: QuerySet[AccountCredit] = account_credits()
    return dict(AccountCreditSerializer(rows.get(pk=credit_id)).data)
