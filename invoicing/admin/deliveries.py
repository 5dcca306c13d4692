"""Deliveries of documents: a list with states, what can be decided on them, and the notes of what was sent by hand."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from catalog.adapters.mail import has_mail_server
from catalog.admin.base import LargeListAdmin, change_url, column, link, list_url
from catalog.admin.keyset import KeyChangeList, SelectableKeyChangeList
from invoicing.admin.delivery_panel import (
    DECIDE,
    LETTER,
    SEND,
    SEND_AGAIN,
    VERBS,
    WAS_NOT_SENT,
    WAS_SENT,
    decide_url,
    decisions_on,
    waits_for,
)
from invoicing.choices import DeliveryChannel, DeliveryState
from invoicing.models import Invoice, InvoiceDelivery, RenderedInvoice
from invoicing.operations.delivery_decisions import (
    DeliveryRefused,
    note_letter,
    resolve_delivery,
    send_again,
    send_invoice,
)
from invoicing.tasks import wake_deliverer

MOST_SELECTED = 200
SHOWN_REFUSALS = 5
ID = re.compile(r"[0-9]{1,18}")
STATE_LABELS = {
    "Sent": "success",
    "Waiting": "info",
    "Being sent": "info",
    "Refused": "danger",
    "Came back": "danger",
    "Uncertain": "warning",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as its page asks for it, and what the page says when it is done."""

    title: str
    question: str
    done: str


DECISIONS = {
    SEND_AGAIN: Decision(
        title="Send these documents again by e-mail?",
        question="Each is sent once more, to the same address or to the one given here.",
        done="sent again",
    ),
    LETTER: Decision(
        title="Were these documents sent by letter?",
        question="That is noted with the time of now. What failed by e-mail counts as dealt with.",
        done="noted as sent by letter",
    ),
    WAS_SENT: Decision(
        title="Were these documents sent?",
        question="The mail server's log has their message ids, and says that it took them.",
        done="noted as sent",
    ),
    WAS_NOT_SENT: Decision(
        title="Were these documents not sent?",
        question="The mail server's log does not have their message ids. They can be sent again after that.",
        done="noted as not sent",
    ),
}


class UndeliveredFilter(admin.SimpleListFilter):
    """What somebody has to look after."""

    title = "needs somebody"
    parameter_name = "undelivered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("yes", "Refused, came back or uncertain, and not sent again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        if not self.value():
            return queryset
        return queryset.filter(pk__in=InvoiceDelivery.objects.undelivered().values("pk"))


@admin.register(InvoiceDelivery)
class InvoiceDeliveryAdmin(LargeListAdmin):
    """How documents were sent, and what became of it. What happened stays; what was sent by hand is added."""

    list_display = ("shown_invoice", "customer", "shown_recipient", "shown_state", "shown_error", "sent_at")
    list_filter = (UndeliveredFilter, "state", "channel")
    list_select_related = ("invoice__customer",)
    autocomplete_fields = ("invoice",)
    search_fields = ("invoice__number__startswith", "recipient__istartswith")
    search_help_text = "Start of the invoice's number, or of the recipient"
    deletable = False
    empty_hint = "With INVOICE_DELIVERY switched on, posted invoices are sent by themselves. Else send one on its page."
    change_form_template = "admin/invoicing/invoicedelivery/change_form.html"
    shown_fieldsets = (
        (None, {"fields": (("shown_invoice", "customer"), ("channel", "recipient"), "shown_state")}),
        ("What happened", {"fields": ("shown_error", ("sent_at", "attempt_count"), "message_id", "note")}),
        ("Asked for", {"fields": (("asked_by", "shown_replaced"), "created_at")}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyChangeList]:  # noqa: ARG002
        return SelectableKeyChangeList

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:  # noqa: ARG002
        added = ((None, {"fields": ("invoice", ("channel", "recipient"), "sent_at", "note")}),)
        return self.shown_fieldsets if obj else added

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        shown = ("shown_invoice", "customer", "shown_state", "shown_error", "shown_replaced")
        return (*shown, "attempt_count", "message_id", "asked_by", "created_at") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and obj is None

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The decisions, for those who may change deliveries."""
        if not may_decide(request):
            return {}
        return {name: (selected(name), name, VERBS[name]) for name in DECISIONS}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("decide/<slug:name>/", wrap(self.decide_view), name=DECIDE),
            path("send/<int:invoice_id>/", wrap(self.send_view), name=SEND),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and not has_mail_server():
            messages.warning(request, "There is no mail server (EMAIL_HOST is not set): nothing is sent by e-mail.")
        return super().changelist_view(request, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        delivery = kwargs.get("obj")
        if delivery:
            context["hint"] = waits_for(delivery, RenderedInvoice.objects.filter(invoice=delivery.invoice_id).first())
        if delivery and may_decide(request):
            context["decisions"] = decisions_on(delivery, is_replaced=delivery.replacements.exists())
        return super().render_change_form(request, context, *args, **kwargs)

    def decide_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask before a decision on the deliveries `?deliveries=1,2,3`; posted, do it."""
        if not may_decide(request) or name not in DECISIONS:
            raise PermissionDenied
        ids = [int(part) for part in request.GET.get("deliveries", "").split(",") if ID.fullmatch(part)]
        rows = InvoiceDelivery.objects.filter(pk__in=ids[:MOST_SELECTED]).select_related("invoice__customer")
        deliveries = list(rows.order_by("id"))
        if not deliveries:
            messages.error(request, "No delivery was selected.")
            return HttpResponseRedirect(list_url("invoicing_invoicedelivery"))
        back = change_url(deliveries[0].invoice) if len(deliveries) == 1 else list_url("invoicing_invoicedelivery")
        if request.method == "POST":
            decide(request, name, deliveries)
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": DECISIONS[name].title,
            "decision": DECISIONS[name],
            "verb": VERBS[name],
            "deliveries": deliveries,
            "asks_recipient": name == SEND_AGAIN and len(deliveries) == 1,
            "is_uncertain": name == SEND_AGAIN and any(d.state == DeliveryState.UNCERTAIN for d in deliveries),
            "back": back,
        }
        return render(request, "admin/invoicing/invoicedelivery/decide.html", context)

    def send_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """Send a document as its customer has it sent, after asking."""
        invoice = get_object_or_404(Invoice.objects.select_related("customer"), pk=invoice_id)
        if not may_decide(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                count = send_invoice(invoice_id=invoice_id, asked_by=user_id(request))
            except DeliveryRefused as refused:
                messages.error(request, str(refused))
            else:
                transaction.on_commit(wake_deliverer)
                are = "delivery is" if count == 1 else "deliveries are"
                messages.success(request, f"{count} {are} noted for {invoice}; below is what becomes of each.")
            return HttpResponseRedirect(change_url(invoice))
        sent = invoice.deliveries.filter(state=DeliveryState.SENT).count()
        context = {
            **self.admin_site.each_context(request),
            "title": f"Send {invoice} to the customer?",
            "question": "It is sent as the customer has its documents sent: by e-mail to each of its addresses, by "
            "letter, or to its portal.",
            "verb": "Send",
            "verb_class": "tb-primary",
            "facts": [
                ("Customer", invoice.customer),
                ("E-mail addresses", ", ".join(invoice.customer.emails) or "none"),
                ("Sent before", "once" if sent == 1 else f"{sent} times"),
            ],
            "back": change_url(invoice),
        }
        return render(request, "admin/confirmation.html", context)

    @column("Document")
    def shown_invoice(self, delivery: InvoiceDelivery) -> SafeString:
        return link(change_url(delivery.invoice), delivery.invoice)

    @column("Customer")
    def customer(self, delivery: InvoiceDelivery) -> str:
        return f"{delivery.invoice.customer.account_number} {delivery.invoice.customer_name}"

    @column("To")
    def shown_recipient(self, delivery: InvoiceDelivery) -> str:
        if delivery.channel == DeliveryChannel.EMAIL and delivery.recipient:
            return delivery.recipient
        return ": ".join(filter(None, (delivery.get_channel_display(), delivery.recipient)))

    @column("State", label=STATE_LABELS)
    def shown_state(self, delivery: InvoiceDelivery) -> str:
        # The whole sentence is wider than a list has room for.
        return "Uncertain" if delivery.state == DeliveryState.UNCERTAIN else delivery.get_state_display()

    @column("What went wrong")
    def shown_error(self, delivery: InvoiceDelivery) -> str:
        return delivery.error

    @column("In place of")
    def shown_replaced(self, delivery: InvoiceDelivery) -> SafeString | str:
        replaced = delivery.replaces
        return "-" if replaced is None else link(change_url(replaced), f"delivery {replaced.pk}: {replaced}")


def decide(request: HttpRequest, name: str, deliveries: Sequence[InvoiceDelivery]) -> None:
    """Do what was decided, one by one; what is refused becomes a message."""
    steps: dict[str, Callable[[InvoiceDelivery], object]] = {
        SEND_AGAIN: lambda delivery: send_again(
            delivery_id=delivery.pk,
            asked_by=user_id(request),
            recipient=request.POST.get("recipient") if len(deliveries) == 1 else None,
            is_confirmed=request.POST.get("may_arrive_twice") == "on",
        ),
        LETTER: lambda delivery: note_letter(delivery_id=delivery.pk, asked_by=user_id(request), at=timezone.now()),
        WAS_SENT: lambda delivery: resolve_delivery(delivery_id=delivery.pk, was_sent=True, said_by=str(request.user)),
        WAS_NOT_SENT: lambda delivery: resolve_delivery(
            delivery_id=delivery.pk, was_sent=False, said_by=str(request.user)
        ),
    }
    done, refusals = 0, []
    for delivery in deliveries:
        try:
            steps[name](delivery)
            done += 1
        except DeliveryRefused as refused:
            refusals.append(str(refused))
    for refusal in refusals[:SHOWN_REFUSALS]:
        messages.error(request, refusal)
    if len(refusals) > SHOWN_REFUSALS:
        messages.error(request, f"And {len(refusals) - SHOWN_REFUSALS} more were refused.")
    if done:
        transaction.on_commit(wake_deliverer)
        are = "delivery is" if done == 1 else "deliveries are"
        messages.success(request, f"{done} {are} {DECISIONS[name].done}.")


def selected(name: str) -> Callable[[Any, HttpRequest, QuerySet[InvoiceDelivery]], HttpResponse | None]:
    """The action of a list: on to the page that asks."""

    def action(_: Any, request: HttpRequest, deliveries: QuerySet[InvoiceDelivery]) -> HttpResponse | None:
        ids = list(deliveries.order_by("-id").values_list("id", flat=True)[: MOST_SELECTED + 1])
        if len(ids) > MOST_SELECTED:
            messages.error(request, f"Select at most {MOST_SELECTED} deliveries at a time.")
            return None
        return HttpResponseRedirect(decide_url(name, ids))

    return action


def may_decide(request: HttpRequest) -> bool:
    """Whether the user may decide on deliveries."""
    return bool(request.user.has_perm("invoicing.change_invoicedelivery"))


def user_id(request: HttpRequest) -> int:
    """Who asks: the admin's pages are for users only. Raises PermissionDenied."""
    if request.user.pk is None:
        raise PermissionDenied
    return int(request.user.pk)
