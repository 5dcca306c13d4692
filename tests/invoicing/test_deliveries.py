"""Posted invoices reach their customers by a real mail server: once, or it is said why not."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from invoicing.choices import RenderingState
from invoicing.models import Invoice, InvoiceDelivery, RenderedInvoice
from invoicing.operations.deliveries import deliver_next, give_up_sending
from invoicing.operations.posting import post_invoices
from invoicing.tasks import SWEEP_SECONDS, sweep_deliveries
from invoicing.tasks import deliver as deliver_task
from reports.models import ReportProduction
from tests.factories import (
    CustomerFactory,
    CustomerInvoicingFactory,
    InvoiceDeliveryFactory,
    InvoiceFactory,
    LegalEntityFactory,
    UsageReportFactory,
    UserFactory,
)
from tests.invoicing.mail_server import PDF, Letterbox, free_port, mail_server, posted, render, use_smtp

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def delivering(settings: Any, tmp_path: Path) -> None:
    """Sending by itself is switched on, and files are stored in a folder of the test's own."""
    settings.INVOICE_DELIVERY = True
    settings.MEDIA_ROOT = tmp_path
    settings.DEFAULT_FROM_EMAIL = "Billing <billing@example.net>"
    settings.INVOICE_MAIL_DOMAIN = "example.net"
    settings.SITE_URL = "https://billing.example.net"


@pytest.fixture
def letterbox(settings: Any) -> Iterator[Letterbox]:
    with mail_server(settings) as running:
        yield running


def clock(at: datetime = AT) -> Callable[[], datetime]:
    return lambda: at


def deliver(at: datetime = AT) -> int:
    """Deliver what is due; how many."""
    count = 0
    while deliver_next(now=clock(at)):
        count += 1
    return count


def post_one(**customer: Any) -> Invoice:
    """Post an invoice through the operation, with its PDF."""
    invoice = InvoiceFactory(customer=CustomerFactory(**customer))
    assert post_invoices(invoice_ids=[invoice.pk], at=AT) == 1
    invoice.refresh_from_db()
    RenderedInvoice.objects.filter(invoice=invoice).delete()
    render(invoice)
    return invoice


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """One of the two forms of a mail."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def states() -> list[tuple[str, str, str]]:
    return list(InvoiceDelivery.objects.order_by("id").values_list("recipient", "state", "error"))


def test_an_invoice_goes_to_each_address_of_its_customer_once(letterbox: Letterbox) -> None:
    post_one(emails=["amy@example.com", "bob@example.com", "AMY@example.com"])
    assert deliver() == 2
    assert letterbox.recipients == [["amy@example.com"], ["bob@example.com"]]
    assert states() == [("amy@example.com", "SENT", ""), ("bob@example.com", "SENT", "")]
    assert set(InvoiceDelivery.objects.values_list("sent_at", "attempt_count", "channel")) == {(AT, 1, "EMAIL")}
    assert deliver(AT + timedelta(days=365)) == 0


def test_the_mail_says_what_it_brings_and_has_the_pdf(letterbox: Letterbox) -> None:
    seller = LegalEntityFactory(name="Muster\nNetz GmbH", email="rechnung@example.org", is_default=True)
    invoice = post_one(name="Zoë & Söhne", emails=["amy@bücher.example"])
    assert invoice.legal_entity == seller
    assert deliver() == 1
    (mail,) = letterbox.mails
    delivery = InvoiceDelivery.objects.get()
    assert mail["Subject"] == f"Invoice {invoice.number} from Muster Netz GmbH"
    assert mail["From"] == "Muster Netz GmbH <billing@example.net>"
    assert mail["Reply-To"] == "rechnung@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == delivery.message_id
    assert delivery.message_id.startswith(f"<invoice-delivery-{delivery.pk}.")
    assert delivery.message_id.endswith("@example.net>")
    assert (letterbox.senders, letterbox.recipients) == (["billing@example.net"], [["amy@xn--bcher-kva.example"]])
    assert text_of(mail).startswith(
        f"Dear Zoë & Söhne,\n\nPlease find attached your invoice {invoice.number} of Feb 1, 2026:"
    )
    assert "Please pay USD\N{NO-BREAK SPACE}12.00 by Mar 3, 2026" in text_of(mail)
    assert "Dear Zoë &amp; Söhne," in text_of(mail, "html")
    attached = [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()]
    assert attached == [(f"{invoice.number}.pdf", PDF)]


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("de", "Rechnung INV-000001", "Bitte überweisen Sie 1.234,50\N{NO-BREAK SPACE}USD bis zum 03.03.2026"),
        ("de-CH", "Rechnung INV-000001", "Bitte überweisen Sie USD\N{NO-BREAK SPACE}1’234.50 bis zum 03.03.2026"),
        ("fr", "Invoice INV-000001", "Please pay USD\N{NO-BREAK SPACE}1,234.50 by Mar 3, 2026"),
        ("../../admin/base", "Invoice INV-000001", "Please pay USD\N{NO-BREAK SPACE}1,234.50 by Mar 3, 2026"),
        ("", "Invoice INV-000001", "Please pay USD\N{NO-BREAK SPACE}1,234.50 by Mar 3, 2026"),
    ],
)
def test_the_mail_is_in_the_customers_language_else_in_english(
    letterbox: Letterbox, language: str, subject: str, words: str
) -> None:
    invoice = posted(language=language[:10], net_amount=Decimal("1232.50"), tax_amount=Decimal("2.00"))
    InvoiceDeliveryFactory(waiting=True, invoice=invoice)
    assert deliver() == 1
    (mail,) = letterbox.mails
    assert (mail["Subject"], words in text_of(mail)) == (subject, True)


def test_a_credit_note_says_what_is_credited(letterbox: Letterbox) -> None:
    amounts: dict[str, Any] = {"net_amount": Decimal("-10.00"), "tax_amount": Decimal("-2.00"), "kind": "CREDIT_NOTE"}
    InvoiceDeliveryFactory(waiting=True, invoice=posted(**amounts))
    assert deliver() == 1
    (mail,) = letterbox.mails
    assert mail["Subject"].startswith("Credit note ")
    assert "We credit USD\N{NO-BREAK SPACE}12.00 to your account." in text_of(mail)
    assert "Please pay" not in text_of(mail)


def test_usage_reports_go_with_it_and_what_is_too_large_as_a_link(letterbox: Letterbox, settings: Any) -> None:
    invoice = posted()
    UsageReportFactory(invoice=invoice, title="By day", file="usage-reports/by-day.csv", byte_count=7)
    Path(settings.MEDIA_ROOT, "usage-reports").mkdir()
    Path(settings.MEDIA_ROOT, "usage-reports", "by-day.csv").write_text("a,b\n1,2")
    # 18 bytes of PDF and 7 of the report are 25.
    for limit in (25, 24):
        settings.INVOICE_MAIL_LARGEST_BYTES = limit
        InvoiceDeliveryFactory(waiting=True, invoice=invoice)
        assert deliver() == 1
    attached, linked = letterbox.mails
    assert [part.get_filename() for part in attached.iter_attachments()] == ["INV-000001.pdf", "by-day.csv"]
    assert list(linked.iter_attachments()) == []
    assert "https://billing.example.net/invoices/" in text_of(linked)


def test_an_address_that_the_server_refuses_is_refused_in_its_words_and_not_tried_again(letterbox: Letterbox) -> None:
    letterbox.answers["bob@example.com"] = "550 5.1.1 No such user here"
    post_one(emails=["amy@example.com", "bob@example.com"])
    assert deliver() == 2
    assert states() == [("amy@example.com", "SENT", ""), ("bob@example.com", "REFUSED", "550 5.1.1 No such user here")]
    assert deliver(AT + timedelta(days=365)) == 0


def test_what_the_server_takes_later_is_tried_again_ever_more_rarely_and_given_up(letterbox: Letterbox) -> None:
    letterbox.answers["amy@example.com"] = "451 4.7.1 Greylisted"
    post_one(emails=["amy@example.com"])
    at = AT
    # After 1 minute, 5 and 30 minutes, 2 and 12 hours, and not a second earlier.
    for minutes in (1, 5, 30, 120, 720):
        assert deliver(at) == 1
        delivery = InvoiceDelivery.objects.get()
        assert (delivery.state, delivery.error) == ("WAITING", "451 4.7.1 Greylisted")
        assert delivery.next_attempt_at == at + timedelta(minutes=minutes)
        assert deliver(delivery.next_attempt_at - timedelta(seconds=1)) == 0
        at = delivery.next_attempt_at
    assert deliver(at) == 1
    assert states() == [("amy@example.com", "REFUSED", "Given up after 6 attempts. The last one: 451 4.7.1 Greylisted")]
    assert letterbox.mails == []


def test_taken_at_a_later_attempt_it_is_sent_once_under_the_same_message_id(letterbox: Letterbox) -> None:
    letterbox.answer_to_text = "452 4.3.1 No room"
    post_one(emails=["amy@example.com"])
    assert deliver() == 1
    before = InvoiceDelivery.objects.get().message_id
    letterbox.answer_to_text = "250 OK"
    assert deliver(AT + timedelta(minutes=1)) == 1
    assert [mail["Message-ID"] for mail in letterbox.mails] == [before]
    assert states() == [("amy@example.com", "SENT", "")]


def test_a_text_that_the_server_refuses_is_refused(letterbox: Letterbox) -> None:
    letterbox.answer_to_text = "554 5.7.1 Spam"
    post_one(emails=["amy@example.com"])
    assert deliver() == 1
    assert states() == [("amy@example.com", "REFUSED", "554 5.7.1 Spam")]


def test_a_server_that_is_away_keeps_the_rest_waiting_untried(settings: Any) -> None:
    use_smtp(settings, free_port())
    post_one(emails=["amy@example.com", "bob@example.com"])
    assert deliver() == 0
    first, second = InvoiceDelivery.objects.order_by("id")
    assert (first.state, first.attempt_count, first.next_attempt_at) == ("WAITING", 1, AT + timedelta(minutes=1))
    assert first.error == "The mail server 127.0.0.1 cannot be used: Connection refused"
    assert (second.state, second.attempt_count) == ("WAITING", 0)


def test_a_sender_that_the_server_does_not_let_in_is_no_fault_of_the_recipient(letterbox: Letterbox) -> None:
    letterbox.answer_to_sender = "530 5.7.0 Authentication required"
    post_one(emails=["amy@example.com", "bob@example.com"])
    assert deliver() == 0
    assert [(state, error[:60]) for _, state, error in states()] == [
        ("WAITING", "The mail server does not take mails from billing@example.net"),
        ("WAITING", ""),
    ]


def test_without_an_answer_to_the_text_nobody_knows_and_it_is_not_sent_again(
    letterbox: Letterbox, settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 1
    letterbox.when_taken = lambda: time.sleep(2)
    post_one(emails=["amy@example.com"])
    assert deliver() == 1
    ((_, state, error),) = states()
    assert state == "UNCERTAIN"
    assert error == (
        "No answer after the mail's text was sent: Connection unexpectedly closed: timed out. Look for the message id "
        "in the mail server's log; then say whether it was sent, or send it again."
    )
    assert deliver(AT + timedelta(days=365)) == 0
    assert len(letterbox.mails) == 1


def test_what_lost_its_worker_is_uncertain_after_a_while_and_not_sent_again(letterbox: Letterbox) -> None:
    InvoiceDeliveryFactory(sending=True, invoice=posted(), claimed_at=AT)
    assert give_up_sending(at=AT + timedelta(minutes=15, seconds=-1)) == 0
    assert deliver(AT + timedelta(minutes=14)) == 0
    assert give_up_sending(at=AT + timedelta(minutes=15)) == 1
    assert deliver(AT + timedelta(days=365)) == 0
    assert InvoiceDelivery.objects.get().state == "UNCERTAIN"
    assert letterbox.mails == []


def test_nothing_is_sent_before_the_pdf_is_there_nor_ever_without_one(letterbox: Letterbox) -> None:
    post_one(emails=["amy@example.com"])
    rendered = RenderedInvoice.objects.all()
    rendered.update(state=RenderingState.WAITING)
    assert deliver() == 0
    rendered.update(state=RenderingState.FAILED, error="There is no line 3.")
    assert deliver() == 1
    assert states() == [
        (
            "amy@example.com",
            "REFUSED",
            "The PDF could not be made: There is no line 3. Mend that and have it made again, then send it again.",
        )
    ]
    assert letterbox.mails == []


def test_a_file_that_cannot_be_read_is_tried_again(letterbox: Letterbox, caplog: pytest.LogCaptureFixture) -> None:
    invoice = post_one(emails=["amy@example.com"])
    UsageReportFactory(invoice=invoice, file="usage-reports/gone.csv")
    assert deliver() == 1
    ((_, state, error),) = states()
    assert (state, error.partition(":")[0]) == ("WAITING", "The mail could not be made (FileNotFoundError)")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert letterbox.mails == []


def test_a_lost_pdf_that_cannot_be_made_again_is_not_replaced_by_another(letterbox: Letterbox) -> None:
    invoice = post_one(emails=["amy@example.com"])
    Path(invoice.rendered.file.path).unlink()
    assert deliver() == 1
    assert [state for _, state, _ in states()] == ["WAITING"]
    assert letterbox.mails == []


def test_it_waits_for_its_usage_reports_and_says_that_they_failed(letterbox: Letterbox) -> None:
    invoice = post_one(emails=["amy@example.com"])
    production = ReportProduction.objects.create(invoice=invoice, profile_name="Usual", terms={})
    assert deliver() == 0
    ReportProduction.objects.filter(pk=production.pk).update(state="FAILED", error="The disk is full.")
    assert deliver() == 1
    assert states() == [("amy@example.com", "REFUSED", "The usage reports could not be made: The disk is full.")]


@pytest.mark.parametrize(
    ("channel", "states_then"),
    [
        ("LETTER", [("LETTER", "Acme Ltd", "WAITING")]),
        ("PORTAL", [("PORTAL", "", "SENT")]),
        ("NONE", [("NONE", "", "NOT_SENT")]),
    ],
)
def test_other_channels_send_no_mail(
    letterbox: Letterbox, channel: str, states_then: list[tuple[str, str, str]]
) -> None:
    customer = CustomerFactory(name="Acme Ltd", emails=["amy@example.com"])
    CustomerInvoicingFactory(customer=customer, channel=channel)
    invoice = InvoiceFactory(customer=customer)
    post_invoices(invoice_ids=[invoice.pk], at=AT)
    RenderedInvoice.objects.filter(invoice=invoice).delete()
    invoice.refresh_from_db()
    render(invoice)
    deliver()
    assert list(InvoiceDelivery.objects.values_list("channel", "recipient", "state")) == states_then
    assert letterbox.mails == []


def test_a_customer_without_an_address_is_named_and_counted(letterbox: Letterbox) -> None:
    post_one(account_number="A1", emails=[])
    words = (
        "Customer A1 has no e-mail address. Send it again to an address, or by letter; give the customer an address, "
        "or another channel."
    )
    assert states() == [("", "REFUSED", words)]
    assert InvoiceDelivery.objects.undelivered().count() == 1
    assert deliver() == 0


def test_nothing_goes_out_by_itself_unless_it_is_switched_on(letterbox: Letterbox, settings: Any) -> None:
    settings.INVOICE_DELIVERY = False
    post_one(emails=["amy@example.com"])
    assert states() == []
    # What waits from when it was switched on stays; what a person asks for goes.
    InvoiceDeliveryFactory(waiting=True, invoice=posted())
    assert deliver() == 0
    InvoiceDeliveryFactory(waiting=True, invoice=posted(), recipient="zoe@example.com", asked_by=UserFactory())
    assert deliver() == 1
    assert letterbox.recipients == [["zoe@example.com"]]


def test_without_a_mail_server_everything_waits(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    post_one(emails=["amy@example.com"])
    assert deliver() == 0
    assert states() == [("amy@example.com", "WAITING", "")]


@pytest.mark.parametrize("address", ["amy@example.com\r\nBcc: eve@example.com", "no address", "zoë@example.com"])
def test_what_is_no_address_is_refused_before_the_server_hears_of_it(letterbox: Letterbox, address: str) -> None:
    InvoiceDeliveryFactory(waiting=True, invoice=posted(), recipient=address)
    assert deliver() == 1
    ((_, state, error),) = states()
    assert (state, error.startswith("The mail cannot be written: ")) == ("REFUSED", True)
    assert letterbox.mails == []


def test_names_with_line_feeds_make_no_headers(letterbox: Letterbox) -> None:
    invoice = posted(seller_name="Evil\r\nBcc: eve@example.com", customer_name="A\nB")
    InvoiceDeliveryFactory(waiting=True, invoice=invoice)
    assert deliver() == 1
    (mail,) = letterbox.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Invoice INV-000001 from Evil  Bcc: eve@example.com"
    assert letterbox.recipients == [["accounts@example.com"]]


def test_the_task_delivers_what_is_due(letterbox: Letterbox) -> None:
    post_one(emails=["amy@example.com", "bob@example.com"])
    assert [deliver_task(), deliver_task()] == [2, 0]
    assert letterbox.recipients == [["amy@example.com"], ["bob@example.com"]]


def test_beat_starts_the_sweeper_and_its_messages_live_no_longer(settings: Any) -> None:
    (entry,) = (each for each in settings.CELERY_BEAT_SCHEDULE.values() if each["task"] == sweep_deliveries.name)
    assert (entry["schedule"], entry["options"]) == (SWEEP_SECONDS, {"expires": SWEEP_SECONDS})
