"""Deliveries as staff see them, and what they decide on them."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from invoicing.models import Invoice, InvoiceDelivery
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "admin:invoicing_invoicedelivery_changelist"


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def decide(client: Client, name: str, *deliveries: InvoiceDelivery, **fields: str) -> Any:
    """Decide on them, as their page does."""
    address = reverse("admin:invoicing_invoicedelivery_decide", args=[name])
    chosen = ",".join(str(delivery.pk) for delivery in deliveries)
    return client.post(f"{address}?deliveries={chosen}", fields, follow=True)


def invoice_page(invoice: Invoice) -> str:
    return reverse("admin:invoicing_invoice_change", args=[invoice.pk])


def posted(**values: Any) -> Invoice:
    return factories.post(factories.InvoiceFactory(**values))


def test_the_invoice_says_how_it_was_sent_and_what_can_be_done(admin_client: Client) -> None:
    invoice = posted()
    first = factories.InvoiceDeliveryFactory(invoice=invoice, bounced=True, recipient="amy@example.com")
    factories.InvoiceDeliveryFactory(invoice=invoice, uncertain=True, recipient="bob@example.com")
    panel = admin_client.get(invoice_page(invoice)).context["delivery_panel"]
    assert [(row.delivery.recipient, [verb for verb, _ in row.links]) for row in panel["rows"]] == [
        ("bob@example.com", ["It was sent", "It was not sent", "Send again", "Sent by letter"]),
        ("amy@example.com", ["Send again", "Sent by letter"]),
    ]
    factories.InvoiceDeliveryFactory(invoice=invoice, waiting=True, replaces=first, recipient="zoe@example.com")
    response = admin_client.get(invoice_page(invoice))
    assert [len(row.links) for row in response.context["delivery_panel"]["rows"]] == [0, 4, 0]
    page = response.content.decode()
    for shown in (
        "Came back",
        "accounts@example.com: 5.1.1 550 No such user",
        "Waits for the PDF.",
        f"place of {first.pk}",
    ):
        assert shown in page


def test_an_invoice_that_is_not_sent_by_itself_says_so(admin_client: Client) -> None:
    assert "INVOICE_DELIVERY is off" in admin_client.get(invoice_page(posted())).content.decode()
    assert 'id="deliveries"' not in admin_client.get(invoice_page(factories.InvoiceFactory())).content.decode()


def test_the_page_of_an_invoice_asks_no_more_for_ten_deliveries_than_for_one(admin_client: Client) -> None:
    invoice = posted()
    factories.InvoiceDeliveryFactory(invoice=invoice)
    admin_client.get(invoice_page(invoice))
    with CaptureQueriesContext(connection) as for_one:
        admin_client.get(invoice_page(invoice))
    for _ in range(9):
        factories.InvoiceDeliveryFactory(invoice=invoice)
    with CaptureQueriesContext(connection) as for_ten:
        admin_client.get(invoice_page(invoice))
    assert len(for_ten) == len(for_one)


def test_an_invoice_is_sent_to_all_addresses_after_asking(admin_client: Client) -> None:
    invoice = posted(customer=factories.CustomerFactory(emails=["amy@example.com", "bob@example.com"]))
    address = reverse("admin:invoicing_invoicedelivery_send", args=[invoice.pk])
    assert "amy@example.com, bob@example.com" in admin_client.get(address).content.decode()
    assert InvoiceDelivery.objects.count() == 0
    assert messages_of(admin_client.post(address, follow=True)) == [
        f"2 deliveries are noted for {invoice}; below is what becomes of each."
    ]
    assert messages_of(admin_client.post(address, follow=True)) == [f"Invoice {invoice} is under way already."]
    factories.InvoiceDeliveryFactory(invoice=invoice)
    assert "<dd>once</dd>" in admin_client.get(address).content.decode()


def test_what_failed_is_sent_again_to_the_address_that_is_given(admin_client: Client) -> None:
    delivery = factories.InvoiceDeliveryFactory(refused=True, invoice=posted())
    response = decide(admin_client, "send-again", delivery, recipient="zoe@example.com")
    assert messages_of(response) == ["1 delivery is sent again."]
    again = InvoiceDelivery.objects.exclude(pk=delivery.pk).get()
    assert (again.recipient, again.state, again.asked_by.username) == ("zoe@example.com", "WAITING", "admin")


def test_what_is_uncertain_asks_to_be_confirmed(admin_client: Client) -> None:
    delivery = factories.InvoiceDeliveryFactory(uncertain=True, invoice=posted())
    address = reverse("admin:invoicing_invoicedelivery_decide", args=["send-again"])
    assert "may_arrive_twice" in admin_client.get(f"{address}?deliveries={delivery.pk}").content.decode()
    (said,) = messages_of(decide(admin_client, "send-again", delivery, recipient="a@example.com"))
    assert "may arrive twice. Confirm that" in said
    confirmed = decide(admin_client, "send-again", delivery, recipient="a@example.com", may_arrive_twice="on")
    assert messages_of(confirmed) == ["1 delivery is sent again."]


def test_several_are_noted_at_once_and_those_in_another_state_are_refused_in_words(admin_client: Client) -> None:
    letter = factories.InvoiceDeliveryFactory(letter=True, invoice=posted())
    failed = factories.InvoiceDeliveryFactory(refused=True, invoice=posted())
    sent = factories.InvoiceDeliveryFactory(invoice=posted())
    said = messages_of(decide(admin_client, "letter", letter, failed, sent))
    refused = (
        f"Delivery {sent.pk} is sent: only a letter that waits, or what did not arrive by e-mail, is noted as sent"
    )
    assert said == [f"{refused} by letter.", "2 deliveries are noted as sent by letter."]


@pytest.mark.parametrize(("name", "state"), [("was-sent", "SENT"), ("was-not-sent", "REFUSED")])
def test_what_is_uncertain_is_settled(admin_client: Client, name: str, state: str) -> None:
    delivery = factories.InvoiceDeliveryFactory(uncertain=True, invoice=posted())
    decide(admin_client, name, delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.note) == (state, "Settled by admin.")
    (said,) = messages_of(decide(admin_client, name, delivery))
    assert "there is nothing to settle" in said


def test_the_list_shows_what_needs_somebody(admin_client: Client) -> None:
    failed = factories.InvoiceDeliveryFactory(refused=True)
    factories.InvoiceDeliveryFactory()
    dealt_with = factories.InvoiceDeliveryFactory(bounced=True)
    factories.InvoiceDeliveryFactory(replaces=dealt_with)
    listed = admin_client.get(reverse(LIST), {"undelivered": "yes"})
    assert list(listed.context["cl"].result_list) == [failed]
    listed = admin_client.get(reverse(LIST), {"state__exact": "BOUNCED"})
    assert list(listed.context["cl"].result_list) == [dealt_with]


def test_the_actions_of_the_list_lead_to_the_page_that_asks(admin_client: Client) -> None:
    delivery = factories.InvoiceDeliveryFactory(refused=True)
    chosen = {"action": "send-again", "_selected_action": [str(delivery.pk)]}
    response = admin_client.post(reverse(LIST), chosen)
    assert response.headers["Location"].endswith(f"/decide/send-again/?deliveries={delivery.pk}")


def test_without_a_mail_server_the_list_says_so(admin_client: Client, settings: Any) -> None:
    assert messages_of(admin_client.get(reverse(LIST))) == []
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert messages_of(admin_client.get(reverse(LIST))) == [
        "There is no mail server (EMAIL_HOST is not set): nothing is sent by e-mail."
    ]


def test_a_delivery_by_hand_is_noted_and_stays(admin_client: Client) -> None:
    invoice = posted()
    fields = {"invoice": invoice.pk, "channel": "LETTER", "recipient": "Acme", "note": ""}
    sent_at = {"sent_at_0": "2026-02-03", "sent_at_1": "10:00:00"}
    admin_client.post(reverse("admin:invoicing_invoicedelivery_add"), fields | sent_at)
    delivery = InvoiceDelivery.objects.get()
    assert (delivery.state, delivery.channel) == ("SENT", "LETTER")
    address = reverse("admin:invoicing_invoicedelivery_change", args=[delivery.pk])
    assert admin_client.post(address, fields | {"recipient": "Other"}).status_code == 403


def test_who_may_only_look_decides_nothing(client: Client) -> None:
    looker = factories.UserFactory(is_staff=True)
    looker.user_permissions.add(*Permission.objects.filter(codename__in=["view_invoicedelivery", "view_invoice"]))
    client.force_login(looker)
    delivery = factories.InvoiceDeliveryFactory(refused=True, invoice=posted())
    assert decide(client, "send-again", delivery).status_code == 403
    assert client.post(reverse("admin:invoicing_invoicedelivery_send", args=[delivery.invoice_id])).status_code == 403
    assert "Send again" not in client.get(invoice_page(delivery.invoice)).content.decode()
    assert client.get(reverse(LIST)).status_code == 200
