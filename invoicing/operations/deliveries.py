"""Delivery of posted documents: noted at posting, claimed, handed over, and what came of it recorded.

A delivery is marked as being sent, and that is committed, before the mail server is called. Whoever dies between the
server's yes and the note of it leaves a delivery that may have been sent: after `LEASE` it is uncertain, it is not sent
again by itself, and a person decides (`invoicing.operations.delivery_decisions`).
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.backends.utils import CursorWrapper

from catalog.adapters.mail import (
    MailDelayed,
    MailRefused,
    MailServerAway,
    MailUncertain,
    hand_over,
    has_mail_server,
)
from invoicing.adapters.attachments import AttachmentsFailed, invoices_to_wait_for
from invoicing.adapters.links import invoice_link
from invoicing.adapters.mail import invoice_mail, message_id_of
from invoicing.choices import DeliveryChannel, DeliveryState, RenderingState
from invoicing.models import CustomerInvoicing, InvoiceDelivery
from invoicing.operations.invoice_files import files_of
from invoicing.operations.rendering import RenderingFailed

SQL = Path(__file__).parent / "sql"
# How long after each attempt the next one is made; after the last one it is given up.
RETRIES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
# Longer than any conversation with a mail server takes: whoever was at it so long ago is dead.
LEASE = timedelta(minutes=15)
UNCERTAIN = "Look for the message id in the mail server's log; then say whether it was sent, or send it again."
INTERRUPTED = f"The worker ended before it noted what the mail server said. {UNCERTAIN}"

# What is read with a delivery, for its mail.
CONTENT = ("invoice__rendered", "invoice__currency", "invoice__legal_entity")

logger = logging.getLogger(__name__)


def await_delivery(cursor: CursorWrapper, invoice_ids: Sequence[int]) -> None:
    """Note how these posted documents go to their customers, where documents are sent by themselves (settings)."""
    if settings.INVOICE_DELIVERY:
        note_deliveries(cursor, invoice_ids=invoice_ids, asked_by=None)


def note_deliveries(cursor: CursorWrapper, *, invoice_ids: Sequence[int], asked_by: int | None) -> int:
    """Write the deliveries of posted documents by their customers' channels; how many. `asked_by` is a user's id."""
    cursor.execute((SQL / "deliveries.sql").read_text(), {"invoice_ids": list(invoice_ids), "asked_by": asked_by})
    return int(cursor.rowcount)


def deliver_next(*, now: Callable[[], datetime]) -> bool:
    """Deliver the next one that is due. False where there is none, or the mail server is away: nothing to go on with.

    With INVOICE_DELIVERY off only what a person asked for goes out.
    """
    delivery = _claim(now())
    if delivery is None:
        return False
    message = _prepared(delivery, now) if delivery.state == DeliveryState.SENDING else None
    return message is None or _hand_over(delivery, message, now)


def _prepared(delivery: InvoiceDelivery, now: Callable[[], datetime]) -> EmailMessage | None:
    """The mail of a claimed delivery; None, and the reason noted, where it cannot be made. Nothing was sent then."""
    try:
        return _message(delivery)
    except AttachmentsFailed as failed:
        _record(delivery, state=DeliveryState.REFUSED, error=str(failed))
    except RenderingFailed as failed:
        _delay(delivery, str(failed), at=now())
    except Exception as error:
        # Whatever it is, it is tried again, and at last a person sees why not.
        logger.exception("The mail of delivery %s could not be made.", delivery.pk)
        _delay(delivery, f"The mail could not be made ({type(error).__name__}): {error}", at=now())
    return None


def _hand_over(delivery: InvoiceDelivery, message: EmailMessage, now: Callable[[], datetime]) -> bool:
    """Call the mail server and note what it says. False where it is away."""
    try:
        hand_over(message)
    except MailUncertain as uncertain:
        _record(delivery, state=DeliveryState.UNCERTAIN, error=f"{uncertain}. {UNCERTAIN}")
    except MailRefused as refused:
        _record(delivery, state=DeliveryState.REFUSED, error=str(refused))
    except MailDelayed as delayed:
        _delay(delivery, str(delayed), at=now())
        return not isinstance(delayed, MailServerAway)
    else:
        _record(delivery, state=DeliveryState.SENT, sent_at=now(), error="")
    return True


def give_up_sending(*, at: datetime) -> int:
    """Call uncertain what nobody has noted anything of for `LEASE`; how many there were."""
    dead = InvoiceDelivery.objects.filter(state=DeliveryState.SENDING, claimed_at__lte=at - LEASE)
    return dead.update(state=DeliveryState.UNCERTAIN, error=INTERRUPTED)


@transaction.atomic(durable=True)
def _claim(at: datetime) -> InvoiceDelivery | None:
    """Take the next one that is due: an e-mail is being sent from now on, everything else is settled at once."""
    due = InvoiceDelivery.objects.due(at, without=invoices_to_wait_for(), has_mail_server=has_mail_server())
    if not settings.INVOICE_DELIVERY:
        due = due.asked_for()
    rows = due.select_for_update(skip_locked=True, of=("self",)).select_related(*CONTENT)
    delivery: InvoiceDelivery | None = rows.order_by("id").first()
    if delivery is None:
        return None
    rendered = delivery.invoice.rendered
    if rendered.state == RenderingState.FAILED:
        delivery.state = DeliveryState.REFUSED
        delivery.error = (
            f"The PDF could not be made: {rendered.error} Mend that and have it made again, then send it again."
        )
    elif delivery.channel == DeliveryChannel.PORTAL:
        delivery.state, delivery.sent_at = DeliveryState.SENT, at
    else:
        delivery.state, delivery.claimed_at = DeliveryState.SENDING, at
        delivery.message_id = message_id_of(delivery.pk)
        delivery.attempt_count += 1
    delivery.save(update_fields=["state", "error", "sent_at", "claimed_at", "message_id", "attempt_count"])
    return delivery


def _message(delivery: InvoiceDelivery) -> EmailMessage:
    """The mail of a delivery: with the files, or with a link where the customer wants that or they are too large."""
    invoice = delivery.invoice
    files = files_of(invoice)
    wants_link = CustomerInvoicing.objects.filter(customer=invoice.customer_id, sends_link=True).exists()
    is_linked = wants_link or sum(file.byte_count for file in files) > settings.INVOICE_MAIL_LARGEST_BYTES
    return invoice_mail(
        invoice,
        to=delivery.recipient,
        message_id=delivery.message_id,
        files=files,
        link=invoice_link(invoice.pk) if is_linked else "",
    )


def _record(delivery: InvoiceDelivery, *, state: str, error: str, sent_at: datetime | None = None) -> None:
    """Note what is known of an attempt, also where it was called uncertain meanwhile; never over a later decision."""
    InvoiceDelivery.objects.filter(
        pk=delivery.pk,
        state__in=[DeliveryState.SENDING, DeliveryState.UNCERTAIN],
        claimed_at=delivery.claimed_at,
    ).update(state=state, error=error, sent_at=sent_at)


def _delay(delivery: InvoiceDelivery, reason: str, *, at: datetime) -> None:
    """Note that it was not taken, and when it is tried again; refused after the last time."""
    if delivery.attempt_count > len(RETRIES):
        _record(
            delivery,
            state=DeliveryState.REFUSED,
            error=f"Given up after {delivery.attempt_count} attempts. The last one: {reason}",
        )
        return
    # Called uncertain meanwhile it may have been sent again: then it stays so.
    InvoiceDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING, claimed_at=delivery.claimed_at).update(
        state=DeliveryState.WAITING, error=reason, next_attempt_at=at + RETRIES[delivery.attempt_count - 1]
    )
