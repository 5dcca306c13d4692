"""`invoiceDeliveries` of the backend API: how documents were sent, what came of it, and sending them again."""
# ruff: noqa: N815  the API's members are in camelCase

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.bodies import StrictSerializer, checked_body
from customers.api.exceptions import Conflict, Refused
from customers.api.fields import IdField
from customers.api.idempotency import idempotent
from customers.api.lists import BACKEND_LIST_HEADERS, BackendListQuery
from customers.api.price_lists import PriceListView, existing, page
from customers.api.views import checked_query
from invoicing.api.recurring_serializers import IdReferenceField
from invoicing.choices import DeliveryChannel, DeliveryState
from invoicing.models import Invoice, InvoiceDelivery
from invoicing.operations.delivery_decisions import (
    DeliveryConflict,
    DeliveryRefused,
    resolve_delivery,
    send_again,
)
from invoicing.tasks import wake_deliverer

TAGS = ["invoiceDeliveries"]
STATES = {
    "waiting": DeliveryState.WAITING,
    "sending": DeliveryState.SENDING,
    "sent": DeliveryState.SENT,
    "refused": DeliveryState.REFUSED,
    "bounced": DeliveryState.BOUNCED,
    "uncertain": DeliveryState.UNCERTAIN,
    "notSent": DeliveryState.NOT_SENT,
}
CHANNELS = {channel.value.lower(): channel for channel in DeliveryChannel}
STATE_NAMES = {state: name for name, state in STATES.items()}


class InvoiceDeliveryListQuery(BackendListQuery):
    """What the list can be asked."""

    invoiceID = IdReferenceField(queryset=Invoice.objects.all(), required=False, help_text="Of this invoice only.")
    state = serializers.ChoiceField(choices=list(STATES), required=False)
    channel = serializers.ChoiceField(choices=list(CHANNELS), required=False)
    undelivered = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Only what somebody has to look after: refused, bounced or uncertain, and not sent again since.",
    )


class InvoiceDeliverySerializer(serializers.Serializer[InvoiceDelivery]):
    """One time that a document was sent to one recipient, or is to be."""

    id = IdField(read_only=True)
    invoiceID = IdField(source="invoice_id", read_only=True)
    invoiceNumber = serializers.CharField(source="invoice.number", read_only=True)
    customerID = IdField(source="invoice.customer_id", read_only=True)
    channel = serializers.SerializerMethodField(help_text=f"One of {', '.join(CHANNELS)}.")
    recipient = serializers.CharField(read_only=True, help_text="An e-mail address; of a letter the customer's name.")
    state = serializers.SerializerMethodField(help_text=f"One of {', '.join(STATES)}.")
    error = serializers.CharField(read_only=True, help_text="What went wrong, in the mail server's words.")
    attempts = serializers.IntegerField(source="attempt_count", read_only=True)
    messageID = serializers.CharField(source="message_id", read_only=True, help_text="Of the e-mail.")
    replacesID = serializers.SerializerMethodField(help_text="The delivery in whose place this one is, or null.")
    note = serializers.CharField(read_only=True)
    sentDate = serializers.DateTimeField(source="sent_at", read_only=True, allow_null=True)
    nextAttemptDate = serializers.SerializerMethodField(help_text="Of what waits to be tried again, else null.")
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)

    def get_channel(self, delivery: InvoiceDelivery) -> str:
        return delivery.channel.lower()

    def get_state(self, delivery: InvoiceDelivery) -> str:
        return STATE_NAMES[DeliveryState(delivery.state)]

    def get_replacesID(self, delivery: InvoiceDelivery) -> str | None:  # noqa: N802  the member's name
        return None if delivery.replaces_id is None else str(delivery.replaces_id)

    def get_nextAttemptDate(self, delivery: InvoiceDelivery) -> str | None:  # noqa: N802  the member's name
        at = delivery.next_attempt_at if delivery.state == DeliveryState.WAITING else None
        return None if at is None else serializers.DateTimeField().to_representation(at)


class SendAgainSerializer(StrictSerializer):
    """How it is sent again."""

    recipient = serializers.EmailField(required=False, max_length=254, help_text="Not given: the same address.")
    mayArriveTwice = serializers.BooleanField(
        required=False, default=False, help_text="Has to be true where it is uncertain whether it was sent."
    )


class ResolveSerializer(StrictSerializer):
    """What somebody found out."""

    wasSent = serializers.BooleanField(help_text="Whether the mail server took the mail.")


class InvoiceDeliveryView(PriceListView):
    staff_model = "invoicing.invoicedelivery"

    def person(self, request: Request) -> int:
        """The user who asks. Raises `PermissionDenied` where there is none."""
        user_id = self.user_id(request)
        if user_id is None:
            raise PermissionDenied("Deliveries are decided on by a person: log in, or use a key of staff.")
        return user_id


class InvoiceDeliveryList(InvoiceDeliveryView):
    @extend_schema(
        tags=TAGS,
        operation_id="invoiceDeliveries_list",
        summary="List deliveries of invoices by id",
        parameters=[InvoiceDeliveryListQuery, *BACKEND_LIST_HEADERS],
        responses={200: InvoiceDeliverySerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        query = checked_query(InvoiceDeliveryListQuery, request)
        rows = shown_deliveries()
        if query["undelivered"]:
            rows = rows.filter(pk__in=InvoiceDelivery.objects.undelivered().values("pk"))
        if "invoiceID" in query:
            rows = rows.filter(invoice=query["invoiceID"])
        if "state" in query:
            rows = rows.filter(state=STATES[query["state"]])
        if "channel" in query:
            rows = rows.filter(channel=CHANNELS[query["channel"]])
        return page(request, rows, InvoiceDeliverySerializer, query)


class InvoiceDeliveryDetail(InvoiceDeliveryView):
    @extend_schema(
        tags=TAGS,
        operation_id="invoiceDeliveries_retrieve",
        summary="Show one delivery of an invoice",
        responses={200: InvoiceDeliverySerializer},
    )
    def get(self, request: Request, delivery_id: str) -> Response:  # noqa: ARG002
        return Response(shown(existing(InvoiceDelivery.objects.all(), delivery_id).pk))


class InvoiceDeliveryAction(InvoiceDeliveryView):
    staff_verbs = {"POST": "change"}


class SendAgain(InvoiceDeliveryAction):
    @extend_schema(
        tags=TAGS,
        operation_id="invoiceDeliveries_sendAgain",
        summary="Send a document again by e-mail",
        description="Answers with the new delivery, which waits. 409 while the old one is under way, where it was "
        "dealt with before, and where it is uncertain whether it was sent and `mayArriveTwice` is not true.",
        request=SendAgainSerializer,
        responses={201: InvoiceDeliverySerializer},
    )
    @idempotent
    def post(self, request: Request, delivery_id: str) -> Response:
        delivery = existing(InvoiceDelivery.objects.all(), delivery_id)
        body = checked_body(SendAgainSerializer, request)
        again = decided(
            lambda: send_again(
                delivery_id=delivery.pk,
                asked_by=self.person(request),
                recipient=body.get("recipient"),
                is_confirmed=body["mayArriveTwice"],
            )
        )
        transaction.on_commit(wake_deliverer)
        return Response(shown(again.pk), status=201)


class ResolveDelivery(InvoiceDeliveryAction):
    @extend_schema(
        tags=TAGS,
        operation_id="invoiceDeliveries_resolve",
        summary="Say whether an uncertain delivery was sent",
        description="409 where it is not uncertain.",
        request=ResolveSerializer,
        responses={200: InvoiceDeliverySerializer},
    )
    @idempotent
    def post(self, request: Request, delivery_id: str) -> Response:
        delivery = existing(InvoiceDelivery.objects.all(), delivery_id)
        was_sent = checked_body(ResolveSerializer, request)["wasSent"]
        self.person(request)
        said_by = str(request.user)
        decided(lambda: resolve_delivery(delivery_id=delivery.pk, was_sent=was_sent, said_by=said_by))
        return Response(shown(delivery.pk))


def decided(operation: Callable[[], InvoiceDelivery]) -> InvoiceDelivery:
    """What the operation gives; its refusals as the API answers them. Raises `Conflict`, `Refused`."""
    try:
        return operation()
    except DeliveryConflict as error:
        raise Conflict(str(error)) from error
    except DeliveryRefused as error:
        raise Refused(str(error)) from error


def shown_deliveries() -> QuerySet[InvoiceDelivery]:
    """Deliveries with what is shown of their invoices."""
    rows: QuerySet[InvoiceDelivery] = InvoiceDelivery.objects.select_related("invoice")
    return rows


def shown(delivery_id: int) -> dict[str, Any]:
    """The delivery as it is stored now."""
    return dict(InvoiceDeliverySerializer(shown_deliveries().get(pk=delivery_id)).data)
