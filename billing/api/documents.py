"""Invoices credited, made by hand, posted and discarded, by the backend API."""
# ruff: noqa: N815  the API's members are in camelCase

from collections.abc import Callable
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from billing.operations.credit_and_rebill import credit_invoice, post_credit_note
from billing.operations.manual_invoices import (
    MOST_TRANSACTIONS,
    ManualInvoiceConflict,
    ManualInvoiceRefused,
    create_manual_invoice,
    discard_manual_invoice,
    post_manual_invoice,
)
from customers.api.bodies import StrictSerializer, checked_body
from customers.api.exceptions import Conflict, Refused
from customers.api.idempotency import idempotent
from customers.api.price_lists import existing
from customers.api.views import ApiView
from customers.choices import Scope
from customers.models import Customer
from invoicing.api.document_serializers import DocumentSerializer
from invoicing.api.recurring_serializers import IdReferenceField
from invoicing.models import Invoice
from invoicing.operations.credit_choices import CreditChoice, CreditConflict, CreditRefused
from invoicing.operations.credit_notes import REASON_LENGTH, discard_credit_note
from invoicing.operations.posting import PostingRefused

Result = TypeVar("Result")

TAGS = ["invoices"]
MOST_LINES = 100_000
MOST_RECORDS = 10_000
ERROR = {"$ref": "#/components/schemas/Error"}
WRONG_STATE = OpenApiResponse(ERROR, "The state, named, does not allow it")
REFUSED = OpenApiResponse(ERROR, "Understood and refused; nothing was changed")
MAY_REBILL = "usage.change_usagedatarecord"


class CreditSerializer(StrictSerializer):
    """What of a posted invoice is credited: all of it, where neither lines nor records are named."""

    lineNumbers = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31 - 1),
        required=False,
        allow_empty=False,
        max_length=MOST_LINES,
        help_text="These lines, each with all that is left of it.",
    )
    recordNumbers = serializers.ListField(
        child=serializers.CharField(max_length=220),
        required=False,
        allow_empty=False,
        max_length=MOST_RECORDS,
        help_text="The charges of the records with these numbers.",
    )
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Stands on the credit note.")
    giveUsageBack = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Its records and transactions wait to be billed anew. Only with `post`.",
    )
    post = serializers.BooleanField(required=False, default=True, help_text="False: it stays a draft.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "lineNumbers" in attrs and "recordNumbers" in attrs:
            raise serializers.ValidationError({"recordNumbers": ["Name lines or records, not both."]})
        return attrs


class PostSerializer(StrictSerializer):
    """What else happens when a draft is posted."""

    giveUsageBack = serializers.BooleanField(
        required=False, default=False, help_text="Of a credit note: as when the invoice is credited."
    )


class ManualInvoiceSerializer(StrictSerializer):
    """What an invoice by hand is made of."""

    customerID = IdReferenceField(source="customer", queryset=Customer.objects.all())
    transactionIDs = serializers.ListField(
        child=serializers.RegexField(r"^[1-9][0-9]{0,17}$"),
        allow_empty=False,
        max_length=MOST_TRANSACTIONS,
        help_text="Ids of transactions of the customer that wait.",
    )
    invoiceDate = serializers.DateField(
        source="invoice_date", required=False, help_text="Also its tax point. Default: today, where the customer is."
    )
    dueDate = serializers.DateField(source="due_date", required=False, help_text="Default: by the customer's terms.")
    message = serializers.CharField(
        required=False, allow_blank=True, max_length=5_000, help_text="Default: the customer's own."
    )
    post = serializers.BooleanField(required=False, default=False, help_text="False: it stays a draft.")


class DocumentAction(ApiView):
    """What is done to documents is the staff's."""

    staff_model = "invoicing.invoice"
    staff_verbs = {"POST": "add"}
    scope = Scope.BILLING_RUN
    is_staff_only = True

    def may_rebill(self, request: Request) -> None:
        """Raises PermissionDenied for who may not change usage: it is cancelled and made anew."""
        if not request.user.has_perm(MAY_REBILL):
            raise PermissionDenied("To give usage back you need the right to change usage data records.")


class CreditInvoice(DocumentAction):
    @extend_schema(
        tags=TAGS,
        operation_id="invoices_credit",
        summary="Credit a posted invoice, or part of it",
        description=(
            "Makes a credit note at the invoice's tax rates, and posts it. What was taken back before is left out; of "
            "records that are named, none may have been (409). All credit notes of an invoice together never come to "
            "more than it, for each line and tax rate; when all is credited, exactly to it. With `giveUsageBack` each "
            "record is cancelled and has a successor that waits to be billed, and transactions wait again."
        ),
        request=CreditSerializer,
        responses={201: DocumentSerializer, 409: WRONG_STATE, 422: REFUSED},
    )
    @idempotent
    def post(self, request: Request, invoice_id: str) -> Response:
        invoice = existing(Invoice.objects.all(), invoice_id)
        asked = checked_body(CreditSerializer, request)
        if asked["giveUsageBack"]:
            self.may_rebill(request)
        lines, records = asked.get("lineNumbers"), asked.get("recordNumbers")
        choice = CreditChoice(
            line_numbers=None if lines is None else tuple(lines),
            record_numbers=None if records is None else tuple(records),
        )
        note = translated(
            lambda: credit_invoice(
                invoice_id=invoice.pk,
                choice=choice,
                reason=asked["reason"],
                gives_usage_back=asked["giveUsageBack"],
                posts=asked["post"],
                at=timezone.now(),
                user_id=self.user_id(request),
            )
        )
        return Response(shown(note.pk), status=201)


class PostDocument(DocumentAction):
    @extend_schema(
        tags=TAGS,
        operation_id="invoices_post",
        summary="Post a draft that no run has made",
        description="A credit note for an invoice, or an invoice by hand. Drafts of runs are approved: 409.",
        request=PostSerializer,
        responses={200: DocumentSerializer, 409: WRONG_STATE, 422: REFUSED},
    )
    @idempotent
    def post(self, request: Request, invoice_id: str) -> Response:
        draft = existing(Invoice.objects.all(), invoice_id)
        gives_back = checked_body(PostSerializer, request)["giveUsageBack"]
        if gives_back:
            self.may_rebill(request)
        at = timezone.now()
        if draft.credited_invoice_id is None:
            translated(lambda: post_manual_invoice(invoice_id=draft.pk, at=at))
        else:
            user_id = self.user_id(request)
            translated(lambda: post_credit_note(note_id=draft.pk, gives_usage_back=gives_back, at=at, user_id=user_id))
        return Response(shown(draft.pk))


class DiscardDocument(DocumentAction):
    @extend_schema(
        tags=TAGS,
        operation_id="invoices_discard",
        summary="Discard a draft that no run has made",
        description="What a credit note was to take back stands; the transactions of an invoice by hand wait again.",
        request=None,
        responses={204: None, 409: WRONG_STATE},
    )
    @idempotent
    def post(self, request: Request, invoice_id: str) -> Response:  # noqa: ARG002
        draft = existing(Invoice.objects.all(), invoice_id)
        if draft.credited_invoice_id is None:
            translated(lambda: discard_manual_invoice(invoice_id=draft.pk))
        else:
            translated(lambda: discard_credit_note(note_id=draft.pk))
        return Response(status=204)


class ManualInvoices(DocumentAction):
    @extend_schema(
        tags=TAGS,
        operation_id="manualInvoices_create",
        summary="Make an invoice of chosen transactions",
        description=(
            "A document outside of billing runs: lines, taxes, coupons and credits as on a run, without a minimum. "
            "Runs go on as if it were not there. A negative total makes it a credit note."
        ),
        request=ManualInvoiceSerializer,
        responses={201: DocumentSerializer, 409: WRONG_STATE, 422: REFUSED},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        asked = checked_body(ManualInvoiceSerializer, request)
        customer, at = asked["customer"], timezone.now()
        made = translated(
            lambda: create_manual_invoice(
                customer_id=customer.pk,
                transaction_ids=[int(text) for text in asked["transactionIDs"]],
                invoice_date=asked.get("invoice_date") or at.astimezone(ZoneInfo(customer.timezone)).date(),
                due_date=asked.get("due_date"),
                message=asked.get("message"),
                posts=asked["post"],
                at=at,
            )
        )
        return Response(shown(made.pk), status=201)


def shown_documents() -> QuerySet[Invoice]:
    """Documents with what they name."""
    return Invoice.objects.select_related("customer", "currency", "credited_invoice")


def shown(invoice_id: int) -> dict[str, Any]:
    """The document as it is stored now."""
    return dict(DocumentSerializer(shown_documents().get(pk=invoice_id)).data)


def translated(operation: Callable[[], Result]) -> Result:
    """What the operation gives; its refusals as the API answers them. Raises `Conflict`, `Refused`."""
    try:
        return operation()
    except (CreditConflict, ManualInvoiceConflict) as error:
        raise Conflict(str(error)) from error
    except (CreditRefused, ManualInvoiceRefused, PostingRefused) as error:
        raise Refused(str(error)) from error
