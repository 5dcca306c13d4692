"""What people decide on deliveries, and what they are refused in words."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from invoicing.models import InvoiceDelivery
from invoicing.operations.delivery_decisions import (
    DeliveryConflict,
    DeliveryRefused,
    note_letter,
    resolve_delivery,
    send_again,
    send_invoice,
)
from tests.factories import CustomerFactory, InvoiceDeliveryFactory, InvoiceFactory, UserFactory, post
from tests.refusals import refused

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def asked_by() -> int:
    return int(UserFactory(username="amy").pk)


@pytest.mark.parametrize("state", ["refused", "bounced"])
def test_what_failed_is_sent_again_to_another_address(asked_by: int, state: str) -> None:
    delivery = InvoiceDeliveryFactory(**{state: True})
    assert list(InvoiceDelivery.objects.undelivered()) == [delivery]
    again = send_again(delivery_id=delivery.pk, asked_by=asked_by, recipient=" zoe@example.com ")
    assert (again.state, again.recipient, again.replaces, again.asked_by_id, again.message_id) == (
        *("WAITING", "zoe@example.com", delivery, asked_by),
        "",
    )
    delivery.refresh_from_db()
    assert delivery.state == state.upper()
    assert list(InvoiceDelivery.objects.undelivered()) == []


def test_what_was_sent_is_sent_again_to_the_same_address_as_often_as_asked(asked_by: int) -> None:
    delivery = InvoiceDeliveryFactory()
    first = send_again(delivery_id=delivery.pk, asked_by=asked_by)
    assert first.recipient == "accounts@example.com"
    with pytest.raises(DeliveryConflict, match="waits to be sent to accounts@"):
        send_again(delivery_id=delivery.pk, asked_by=asked_by)
    InvoiceDelivery.objects.filter(pk=first.pk).update(state="SENT", sent_at=AT)
    send_again(delivery_id=delivery.pk, asked_by=asked_by)
    assert InvoiceDelivery.objects.count() == 3


def test_what_is_uncertain_is_sent_again_once_it_is_confirmed(asked_by: int) -> None:
    delivery = InvoiceDeliveryFactory(uncertain=True)
    with pytest.raises(DeliveryConflict, match=r"may arrive twice\. Confirm that"):
        send_again(delivery_id=delivery.pk, asked_by=asked_by)
    assert send_again(delivery_id=delivery.pk, asked_by=asked_by, is_confirmed=True).state == "WAITING"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: InvoiceDeliveryFactory(waiting=True), r"is under way \(waiting\)"),
        (lambda: InvoiceDeliveryFactory(sending=True), r"is under way \(being sent\)"),
        (lambda: InvoiceDeliveryFactory(channel="LETTER"), r"is not by e-mail \(letter\)"),
        (lambda: InvoiceDeliveryFactory(channel="NONE", state="NOT_SENT"), r"is not by e-mail \(not sent\)"),
    ],
)
def test_in_another_state_it_is_not_sent_again(asked_by: int, make: Callable[[], InvoiceDelivery], words: str) -> None:
    with pytest.raises(DeliveryConflict, match=words):
        send_again(delivery_id=make().pk, asked_by=asked_by)
    assert InvoiceDelivery.objects.count() == 1


@pytest.mark.parametrize(
    ("recipient", "words"),
    [("", "There is no e-mail address"), ("a b@example.com", "“a b@example.com” is no e-mail address")],
)
def test_to_no_address_it_is_not_sent_again(asked_by: int, recipient: str, words: str) -> None:
    with pytest.raises(DeliveryRefused, match=words):
        send_again(delivery_id=InvoiceDeliveryFactory(refused=True).pk, asked_by=asked_by, recipient=recipient)


def test_a_failure_is_dealt_with_once(asked_by: int) -> None:
    delivery = InvoiceDeliveryFactory(refused=True)
    letter = note_letter(delivery_id=delivery.pk, asked_by=asked_by, at=AT)
    assert (letter.channel, letter.state, letter.sent_at, letter.replaces) == ("LETTER", "SENT", AT, delivery)
    assert letter.recipient == delivery.invoice.customer_name
    decisions: list[Callable[[], InvoiceDelivery]] = [
        lambda: send_again(delivery_id=delivery.pk, asked_by=asked_by),
        lambda: note_letter(delivery_id=delivery.pk, asked_by=asked_by, at=AT),
    ]
    for again in decisions:
        with pytest.raises(DeliveryConflict, match=rf"was dealt with before: delivery {letter.pk} \(Letter to"):
            again()


def test_a_letter_that_waits_is_noted_as_sent(asked_by: int) -> None:
    delivery = InvoiceDeliveryFactory(letter=True)
    assert note_letter(delivery_id=delivery.pk, asked_by=asked_by, at=AT) == delivery
    delivery.refresh_from_db()
    assert (delivery.state, delivery.sent_at, delivery.asked_by_id) == ("SENT", AT, asked_by)
    with pytest.raises(DeliveryConflict, match="is sent: only a letter that waits"):
        note_letter(delivery_id=delivery.pk, asked_by=asked_by, at=AT)


@pytest.mark.parametrize("state", ["waiting", "sending"])
def test_an_e_mail_under_way_is_no_letter(asked_by: int, state: str) -> None:
    with pytest.raises(DeliveryConflict, match="only a letter that waits"):
        note_letter(delivery_id=InvoiceDeliveryFactory(**{state: True}).pk, asked_by=asked_by, at=AT)


def test_what_is_uncertain_is_settled_by_what_somebody_found_out() -> None:
    sent, lost = InvoiceDeliveryFactory(uncertain=True), InvoiceDeliveryFactory(uncertain=True)
    resolve_delivery(delivery_id=sent.pk, was_sent=True, said_by="amy")
    resolve_delivery(delivery_id=lost.pk, was_sent=False, said_by="amy")
    fields = ("state", "sent_at", "error", "note")
    assert list(InvoiceDelivery.objects.order_by("id").values_list(*fields)) == [
        ("SENT", sent.claimed_at, "", "Settled by amy."),
        ("REFUSED", None, "It was not sent, as amy found out.", "Settled by amy."),
    ]
    with pytest.raises(DeliveryConflict, match="is sent: there is nothing to settle"):
        resolve_delivery(delivery_id=sent.pk, was_sent=False, said_by="zoe")


def test_an_old_invoice_is_sent_when_somebody_asks_for_it(asked_by: int) -> None:
    invoice = post(InvoiceFactory(customer=CustomerFactory(emails=["amy@example.com", "bob@example.com"])))
    assert send_invoice(invoice_id=invoice.pk, asked_by=asked_by) == 2
    assert set(InvoiceDelivery.objects.values_list("recipient", "state", "asked_by")) == {
        ("amy@example.com", "WAITING", asked_by),
        ("bob@example.com", "WAITING", asked_by),
    }
    with pytest.raises(DeliveryConflict, match=f"Invoice {invoice.number} is under way already"):
        send_invoice(invoice_id=invoice.pk, asked_by=asked_by)


def test_a_draft_is_not_sent(asked_by: int) -> None:
    with pytest.raises(DeliveryRefused, match="A draft is not sent"):
        send_invoice(invoice_id=InvoiceFactory().pk, asked_by=asked_by)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("invoice_delivery_channel_known", {"channel": "PIGEON"}),
        ("invoice_delivery_state_known", {"state": "LOST"}),
        ("invoice_delivery_sent_at_a_time", {"sent_at": None}),
        ("invoice_delivery_sending_since_a_time", {"state": "SENDING", "message_id": "<a@example.com>"}),
        ("invoice_delivery_sending_since_a_time", {"sending": True, "message_id": ""}),
    ],
)
def test_the_database_refuses_impossible_deliveries(constraint: str, values: dict[str, object]) -> None:
    with refused(by=constraint):
        InvoiceDeliveryFactory(**values)


def test_a_message_id_is_of_one_delivery() -> None:
    InvoiceDeliveryFactory(message_id="<a@example.com>")
    with refused(by="invoice_delivery_message_once"):
        InvoiceDeliveryFactory(message_id="<a@example.com>")


def test_a_document_is_under_way_to_a_recipient_once() -> None:
    first = InvoiceDeliveryFactory(waiting=True)
    with refused(by="invoice_delivery_under_way_once"):
        InvoiceDeliveryFactory(sending=True, invoice=first.invoice)
