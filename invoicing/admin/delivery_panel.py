"""How a document was sent, on its page."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from catalog.adapters.mail import has_mail_server
from catalog.admin.base import change_url
from invoicing.choices import DeliveryChannel, DeliveryState, InvoiceState, RenderingState
from invoicing.models import Invoice, InvoiceDelivery, RenderedInvoice

SEND = "invoicing_invoicedelivery_send"
DECIDE = "invoicing_invoicedelivery_decide"
SEND_AGAIN, LETTER, WAS_SENT, WAS_NOT_SENT = "send-again", "letter", "was-sent", "was-not-sent"
VERBS = {
    SEND_AGAIN: "Send again",
    LETTER: "Sent by letter",
    WAS_SENT: "It was sent",
    WAS_NOT_SENT: "It was not sent",
}
STATE_STYLES = {
    DeliveryState.WAITING: "tb-info",
    DeliveryState.SENDING: "tb-info",
    DeliveryState.SENT: "tb-success",
    DeliveryState.REFUSED: "tb-danger",
    DeliveryState.BOUNCED: "tb-danger",
    DeliveryState.UNCERTAIN: "tb-warning",
    DeliveryState.NOT_SENT: "",
}
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A delivery as the panel shows it; `links` are what can be decided on it: verb and page."""

    delivery: InvoiceDelivery
    url: str
    style: str
    hint: str
    links: list[tuple[str, str]]


def delivery_panel(invoice: Invoice) -> dict[str, Any]:
    """What the page of a document says of its deliveries, the latest first, and why there are none."""
    deliveries = list(invoice.deliveries.order_by("-id").select_related("asked_by")[:MOST_SHOWN])
    replaced = {delivery.replaces_id for delivery in deliveries}
    rendered = RenderedInvoice.objects.filter(invoice=invoice).first()
    return {
        "is_posted": invoice.state == InvoiceState.POSTED,
        "rows": [
            PanelRow(
                delivery=delivery,
                url=change_url(delivery),
                style=STATE_STYLES[DeliveryState(delivery.state)],
                hint=waits_for(delivery, rendered),
                links=decisions_on(delivery, is_replaced=delivery.pk in replaced),
            )
            for delivery in deliveries
        ],
        "send_url": reverse(f"admin:{SEND}", args=[invoice.pk]),
        "is_sent_by_itself": settings.INVOICE_DELIVERY,
    }


def decisions_on(delivery: InvoiceDelivery, *, is_replaced: bool) -> list[tuple[str, str]]:
    """What can be decided on a delivery as it is: the verb, and the page that asks."""
    names = []
    is_failed = delivery.state in {DeliveryState.REFUSED, DeliveryState.BOUNCED, DeliveryState.UNCERTAIN}
    if delivery.state == DeliveryState.UNCERTAIN:
        names += [WAS_SENT, WAS_NOT_SENT]
    if delivery.channel == DeliveryChannel.EMAIL and (
        delivery.state == DeliveryState.SENT or (is_failed and not is_replaced)
    ):
        names.append(SEND_AGAIN)
    is_letter = delivery.channel == DeliveryChannel.LETTER and delivery.state == DeliveryState.WAITING
    if is_letter or (is_failed and not is_replaced):
        names.append(LETTER)
    return [(VERBS[name], decide_url(name, [delivery.pk])) for name in names]


def decide_url(name: str, delivery_ids: list[int]) -> str:
    """The page that asks before a decision on these deliveries."""
    return f"{reverse(f'admin:{DECIDE}', args=[name])}?deliveries={','.join(map(str, delivery_ids))}"


def waits_for(delivery: InvoiceDelivery, rendered: RenderedInvoice | None) -> str:
    """What a delivery that waits is waiting for, in words; nothing for the others."""
    if delivery.state != DeliveryState.WAITING:
        return ""
    if delivery.channel == DeliveryChannel.LETTER:
        return "Print the PDF and send it; then note that here."
    if rendered is None or rendered.state == RenderingState.WAITING:
        return "Waits for the PDF."
    if not settings.INVOICE_DELIVERY and delivery.asked_by_id is None:
        return "Sending by itself was switched off (INVOICE_DELIVERY) before it was sent."
    return _waits_for_the_server(delivery)


def _waits_for_the_server(delivery: InvoiceDelivery) -> str:
    if delivery.channel == DeliveryChannel.EMAIL and not has_mail_server():
        return "Waits for a mail server: EMAIL_HOST is not set."
    if delivery.next_attempt_at is not None:
        times = "once" if delivery.attempt_count == 1 else f"{delivery.attempt_count} times"
        return f"Tried {times}; again at {delivery.next_attempt_at:%Y-%m-%d %H:%M} UTC."
    return "Goes out within a minute."
