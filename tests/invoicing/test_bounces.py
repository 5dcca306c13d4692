"""What comes back of invoice mails is noted on the delivery that it belongs to."""

import io
import sys
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from invoicing.adapters.mail import message_id_of
from invoicing.management.commands import take_bounce as command
from invoicing.models import InvoiceDelivery
from tests.factories import InvoiceDeliveryFactory, InvoiceFactory, post
from tests.invoicing.notifications import HEADERS, WHOLE, notification

pytestmark = pytest.mark.django_db

MESSAGE_ID = "<invoice-delivery-7.0123456789abcdef@example.net>"
SAID = "bob@example.com: 5.1.1 550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown"


@pytest.fixture
def delivery() -> InvoiceDelivery:
    made: InvoiceDelivery = InvoiceDeliveryFactory(
        invoice=post(InvoiceFactory()), recipient="bob@example.com", message_id=MESSAGE_ID
    )
    return made


def pipe(content: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the command as a mail server does; what it prints."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    said = io.StringIO()
    call_command("take_bounce", stdout=said)
    return said.getvalue()


@pytest.mark.parametrize("original", [WHOLE, HEADERS])
@pytest.mark.parametrize("state", ["sent", "uncertain", "sending"])
def test_a_mail_that_comes_back_is_noted_with_what_the_server_said(
    delivery: InvoiceDelivery, monkeypatch: pytest.MonkeyPatch, original: str, state: str
) -> None:
    InvoiceDelivery.objects.update(state=state.upper(), claimed_at=datetime(2026, 2, 1, tzinfo=UTC))
    printed = pipe(notification(MESSAGE_ID, original=original), monkeypatch)
    assert printed == f"delivery {delivery.pk} of INV-000001 to bob@example.com came back: {SAID}\n"
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("BOUNCED", SAID)


def test_the_same_notification_again_changes_nothing(
    delivery: InvoiceDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(notification(MESSAGE_ID), monkeypatch)
    before = InvoiceDelivery.objects.get().updated_at
    assert "came back before: nothing was changed" in pipe(notification(MESSAGE_ID), monkeypatch)
    assert InvoiceDelivery.objects.get().updated_at == before


def test_a_mere_delay_changes_nothing(delivery: InvoiceDelivery, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is only delayed" in pipe(notification(MESSAGE_ID, action="delayed"), monkeypatch)
    assert InvoiceDelivery.objects.get().state == "SENT"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (
            notification("<somebody-elses@example.org>"),
            67,
            "No delivery has the Message-ID <somebody-elses@example.org>",
        ),
        (b"Subject: I am on holiday\n\nUntil Monday", 65, "no delivery status notification"),
        (b"", 65, "no delivery status notification"),
        (notification(""), 65, "does not have the Message-ID"),
        (b"Content-Type: multipart/report; boundary=B\n\n--B\n\nX\n--B--", 65, "no part message/delivery-status"),
    ],
)
def test_what_belongs_to_no_delivery_says_so_and_ends_as_mail_servers_understand(
    delivery: InvoiceDelivery, monkeypatch: pytest.MonkeyPatch, content: bytes, code: int, words: str
) -> None:
    with pytest.raises(CommandError, match=words) as refused:
        pipe(content, monkeypatch)
    assert refused.value.returncode == code
    assert InvoiceDelivery.objects.get().state == "SENT"


def test_without_the_database_the_mail_server_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(command, "take_bounce", away)
    with pytest.raises(CommandError, match="The database is away") as refused:
        pipe(notification(MESSAGE_ID), monkeypatch)
    assert refused.value.returncode == 75


def test_message_ids_are_the_same_each_time_and_cannot_be_guessed(settings: object) -> None:
    first, second = message_id_of(7), message_id_of(8)
    assert first == message_id_of(7)
    assert first.partition(".")[2] != second.partition(".")[2]
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]  # pytest-django's fixture
    assert message_id_of(7) != first
