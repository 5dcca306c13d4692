"""A real mail server on the loopback, in a thread of the test's process, and invoices that are ready to be sent."""

import asyncio
import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.files.base import ContentFile

from customers.models import Customer
from invoicing.models import Invoice, RenderedInvoice
from tests.factories import InvoiceFactory, post

OK = "250 OK"
PDF = b"%PDF-1.7 of a test"


class Letterbox:
    """What the server took, and what it answers: by recipient, to MAIL, and to the end of a mail's text."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.senders: list[str] = []
        self.recipients: list[list[str]] = []
        self.answers: dict[str, str] = {}
        self.answer_to_sender = OK
        self.answer_to_text = OK
        self.when_taken: Callable[[], None] = lambda: None

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer_to_sender == OK:
            envelope.mail_from = address
        return self.answer_to_sender

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(address, OK)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        if self.answer_to_text == OK:
            content: Any = envelope.content
            parsed: Any = message_from_bytes(content, policy=policy.default)
            self.mails.append(parsed)
            self.senders.append(str(envelope.mail_from))
            self.recipients.append(list(envelope.rcpt_tos))
            await asyncio.to_thread(self.when_taken)
        return self.answer_to_text


@contextmanager
def mail_server(settings: Any) -> Iterator[Letterbox]:
    """A server that the settings name until the block ends."""
    letterbox = Letterbox()
    controller = Controller(letterbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    use_smtp(settings, controller.port)
    try:
        yield letterbox
    finally:
        controller.stop()


def use_smtp(settings: Any, port: int) -> None:
    """Let mails go to the server of a port."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 5


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def posted(customer: Customer | None = None, **values: Any) -> Invoice:
    """A posted invoice with its PDF."""
    invoice = post(InvoiceFactory(customer=customer, **values) if customer else InvoiceFactory(**values))
    render(invoice)
    return invoice


def render(invoice: Invoice, content: bytes = PDF) -> RenderedInvoice:
    """Store a PDF of it."""
    rendered = RenderedInvoice(
        invoice=invoice,
        state="DONE",
        sha256=hashlib.sha256(content).hexdigest(),
        byte_count=len(content),
        rendered_at=invoice.posted_at,
    )
    rendered.file.save(f"{invoice.number}.pdf", ContentFile(content), save=False)
    rendered.save()
    return rendered
