"""What people decide on deliveries: sent again, sent by letter, settled where it is uncertain; and what came back."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction

from invoicing.adapters.bounces import Bounce, read_bounce
from invoicing.choices import DeliveryChannel, DeliveryState, InvoiceState
from invoicing.models import Invoice, InvoiceDelivery
from invoicing.operations.deliveries import note_deliveries
from invoicing.operations.rendering import await_rendering

UNDER_WAY = {DeliveryState.WAITING, DeliveryState.SENDING}


class DeliveryRefused(Exception):
    """It cannot be done; the text is a sentence for people. Nothing was changed."""


class DeliveryConflict(DeliveryRefused):
    """The delivery is in a state in which this cannot be done."""


class UnknownDelivery(Exception):
    """What came back belongs to no delivery of this installation."""


@dataclass(frozen=True, slots=True)
class TakenBounce:
    """A notification and the delivery that it is about; `is_noted` where the delivery has come back by it."""

    delivery: InvoiceDelivery
    bounce: Bounce
    is_noted: bool


@transaction.atomic
def send_invoice(*, invoice_id: int, asked_by: int) -> int:
    """Send a posted document as its customer has it sent, to all addresses; how many deliveries that are.

    Raises DeliveryRefused for a draft, DeliveryConflict where each of them is under way already.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    if invoice.state != InvoiceState.POSTED:
        raise DeliveryRefused("A draft is not sent: approve its billing run, which posts it.")
    with connection.cursor() as cursor:
        await_rendering(cursor, [invoice_id])
        count = note_deliveries(cursor, invoice_ids=[invoice_id], asked_by=asked_by)
    if not count:
        raise DeliveryConflict(f"Invoice {invoice} is under way already.")
    return count


@transaction.atomic
def send_again(
    *, delivery_id: int, asked_by: int, recipient: str | None = None, is_confirmed: bool = False
) -> InvoiceDelivery:
    """Send a document again by e-mail, to the same address or to another one; the new delivery, which waits.

    What may have been sent already has to be confirmed: it may arrive twice. Raises DeliveryConflict where it is still
    under way, is uncertain and not confirmed, was sent again before, or goes by another channel; DeliveryRefused for no
    address.
    """
    delivery = _locked(delivery_id)
    if delivery.state in UNDER_WAY:
        raise DeliveryConflict(
            f"Delivery {delivery.pk} is under way ({delivery.get_state_display().lower()}): wait for what comes of it."
        )
    if delivery.channel != DeliveryChannel.EMAIL:
        raise DeliveryConflict(
            f"Delivery {delivery.pk} is not by e-mail ({delivery.get_channel_display().lower()}). Change the "
            "customer's channel and send the invoice from its page."
        )
    if delivery.state == DeliveryState.UNCERTAIN and not is_confirmed:
        raise DeliveryConflict(
            f"It is not known whether delivery {delivery.pk} was sent: sent again, it may arrive twice. Confirm that."
        )
    _require_unreplaced(delivery)
    address = (delivery.recipient if recipient is None else recipient).strip()
    try:
        validate_email(address)
    except ValidationError as error:
        said = f"“{address}” is no e-mail address" if address else "There is no e-mail address"
        raise DeliveryRefused(f"{said}: say where delivery {delivery.pk} is to be sent to.") from error
    again = InvoiceDelivery(
        invoice_id=delivery.invoice_id,
        channel=DeliveryChannel.EMAIL,
        recipient=address,
        state=DeliveryState.WAITING,
        replaces=delivery,
        asked_by_id=asked_by,
    )
    try:
        with transaction.atomic():
            again.save()
            with connection.cursor() as cursor:
                await_rendering(cursor, [delivery.invoice_id])
    except IntegrityError as error:
        raise DeliveryConflict(f"Invoice {delivery.invoice} waits to be sent to {address} already.") from error
    return again


@transaction.atomic
def note_letter(*, delivery_id: int, asked_by: int, at: datetime) -> InvoiceDelivery:
    """Note that a document was sent by letter: the letter that waited for it, or one in place of a mail that failed.

    Gives the delivery by letter. Raises DeliveryConflict in every other state.
    """
    delivery = _locked(delivery_id)
    if delivery.channel == DeliveryChannel.LETTER and delivery.state == DeliveryState.WAITING:
        delivery.state, delivery.sent_at, delivery.asked_by_id = DeliveryState.SENT, at, asked_by
        delivery.save(update_fields=["state", "sent_at", "asked_by"])
        return delivery
    if delivery.state not in {DeliveryState.REFUSED, DeliveryState.BOUNCED, DeliveryState.UNCERTAIN}:
        raise DeliveryConflict(
            f"Delivery {delivery.pk} is {delivery.get_state_display().lower()}: only a letter that waits, or what did "
            "not arrive by e-mail, is noted as sent by letter."
        )
    _require_unreplaced(delivery)
    letter = InvoiceDelivery(
        invoice_id=delivery.invoice_id,
        channel=DeliveryChannel.LETTER,
        recipient=delivery.invoice.customer_name,
        state=DeliveryState.SENT,
        sent_at=at,
        replaces=delivery,
        asked_by_id=asked_by,
    )
    letter.save()
    return letter


@transaction.atomic
def resolve_delivery(*, delivery_id: int, was_sent: bool, said_by: str) -> InvoiceDelivery:
    """Settle an uncertain delivery by what a person found out. Raises DeliveryConflict where it is not uncertain."""
    delivery = _locked(delivery_id)
    if delivery.state != DeliveryState.UNCERTAIN:
        raise DeliveryConflict(
            f"Delivery {delivery.pk} is {delivery.get_state_display().lower()}: there is nothing to settle."
        )
    if was_sent:
        delivery.state, delivery.sent_at, delivery.error = DeliveryState.SENT, delivery.claimed_at, ""
    else:
        delivery.state, delivery.error = DeliveryState.REFUSED, f"It was not sent, as {said_by} found out."
    delivery.note = "\n".join(filter(None, [delivery.note, f"Settled by {said_by}."]))
    delivery.save(update_fields=["state", "sent_at", "error", "note"])
    return delivery


@transaction.atomic
def take_bounce(*, content: bytes) -> TakenBounce:
    """Note what came back (RFC 3464) on the delivery that it belongs to: who did not get it, and what was said.

    A notification of a mere delay is about a delivery, too, and changes nothing. Raises NotABounce, UnknownDelivery.
    """
    bounce = read_bounce(content)
    rows = InvoiceDelivery.objects.select_for_update(of=("self",)).select_related("invoice")
    delivery = rows.filter(message_id=bounce.message_id).first()
    if delivery is None:
        raise UnknownDelivery(f"No delivery has the Message-ID {bounce.message_id}.")
    if not bounce.failed or delivery.state == DeliveryState.BOUNCED:
        return TakenBounce(delivery, bounce, is_noted=False)
    delivery.state = DeliveryState.BOUNCED
    delivery.error = "\n".join(f"{address}: {said}" for address, said in bounce.failed)
    delivery.save(update_fields=["state", "error"])
    return TakenBounce(delivery, bounce, is_noted=True)


def _locked(delivery_id: int) -> InvoiceDelivery:
    rows = InvoiceDelivery.objects.select_for_update(of=("self",)).select_related("invoice")
    delivery: InvoiceDelivery = rows.get(pk=delivery_id)
    return delivery


def _require_unreplaced(delivery: InvoiceDelivery) -> None:
    """A failure is dealt with once: whoever comes second is told. What was sent may be sent as often as one likes."""
    if delivery.state == DeliveryState.SENT:
        return
    later = delivery.replacements.order_by("id").first()
    if later is not None:
        raise DeliveryConflict(
            f"Delivery {delivery.pk} was dealt with before: delivery {later.pk} ({later}) took its place."
        )
