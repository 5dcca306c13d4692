"""Deliveries with several workers at once, and with workers that are killed: sent once, or a person decides."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from config.env import BASE_DIR
from invoicing.models import InvoiceDelivery
from invoicing.operations.deliveries import deliver_next, give_up_sending
from invoicing.operations.delivery_decisions import DeliveryConflict, send_again, take_bounce
from tests.concurrency.sessions import at_once
from tests.concurrency.worker import database_url
from tests.factories import InvoiceDeliveryFactory, UserFactory
from tests.invoicing.mail_server import Letterbox, mail_server, posted
from tests.invoicing.notifications import notification

pytestmark = pytest.mark.django_db(transaction=True)

# Delivers one document, and dies of SIGKILL instead of noting what came of it.
DELIVER_AND_DIE = """
import os, signal, sys
import django
from django.conf import settings
django.setup()
settings.MEDIA_ROOT = sys.argv[1]
from django.utils import timezone
from invoicing.operations import deliveries

deliveries._record = lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL)
deliveries.deliver_next(now=timezone.now)
"""


@pytest.fixture(autouse=True)
def letterbox(settings: Any, tmp_path: Path) -> Iterator[Letterbox]:
    settings.MEDIA_ROOT = tmp_path
    settings.INVOICE_DELIVERY = True
    with mail_server(settings) as running:
        yield running


def deliver_all() -> int:
    count = 0
    while deliver_next(now=timezone.now):
        count += 1
    return count


def deliver_and_die(settings: Any) -> None:
    """Let another process deliver one document and be killed between the server's yes and the note of it."""
    environment = {
        "DATABASE_URL": database_url(str(connection.settings_dict["NAME"])),
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "EMAIL_HOST": settings.EMAIL_HOST,
        "EMAIL_PORT": str(settings.EMAIL_PORT),
        "INVOICE_DELIVERY": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", DELIVER_AND_DIE, str(settings.MEDIA_ROOT)],
        cwd=BASE_DIR,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_several_workers_at_once_send_each_document_once(letterbox: Letterbox) -> None:
    for number in range(12):
        InvoiceDeliveryFactory(waiting=True, invoice=posted(), recipient=f"{number}@example.com")
    assert sum(count for count in at_once([deliver_all] * 4) if isinstance(count, int)) == 12
    assert sorted(letterbox.recipients) == sorted([f"{number}@example.com"] for number in range(12))
    assert set(InvoiceDelivery.objects.values_list("state", "attempt_count")) == {("SENT", 1)}


def test_killed_after_the_server_took_it_it_is_never_sent_again_by_itself(letterbox: Letterbox, settings: Any) -> None:
    InvoiceDeliveryFactory(waiting=True, invoice=posted())
    before = timezone.now()
    deliver_and_die(settings)
    # The server has it, and nobody noted that.
    assert len(letterbox.mails) == 1
    delivery = InvoiceDelivery.objects.get()
    assert (delivery.state, delivery.attempt_count) == ("SENDING", 1)
    assert delivery.message_id == letterbox.mails[0]["Message-ID"]
    assert delivery.claimed_at is not None
    assert delivery.claimed_at >= before
    # Until the lease is over it counts as being sent; then nobody knows, and it stays so for ever.
    assert (deliver_all(), give_up_sending(at=delivery.claimed_at + timedelta(minutes=14))) == (0, 0)
    assert give_up_sending(at=delivery.claimed_at + timedelta(minutes=15)) == 1
    year = datetime(2100, 1, 1, tzinfo=UTC)
    assert not deliver_next(now=lambda: year)
    assert len(letterbox.mails) == 1
    # A person decides, and has to say that it may arrive twice.
    delivery.refresh_from_db()
    assert delivery.state == "UNCERTAIN"
    amy = UserFactory(username="amy")
    with pytest.raises(DeliveryConflict, match="may arrive twice"):
        send_again(delivery_id=delivery.pk, asked_by=amy.pk)
    send_again(delivery_id=delivery.pk, asked_by=amy.pk, is_confirmed=True)
    assert deliver_all() == 1
    assert len({mail["Message-ID"] for mail in letterbox.mails}) == 2


def test_what_comes_back_settles_what_nobody_noted(letterbox: Letterbox, settings: Any) -> None:
    InvoiceDeliveryFactory(waiting=True, invoice=posted())
    deliver_and_die(settings)
    take_bounce(content=notification(letterbox.mails[0]["Message-ID"]))
    assert InvoiceDelivery.objects.get().state == "BOUNCED"
    assert give_up_sending(at=timezone.now() + timedelta(hours=1)) == 0


def test_a_worker_that_was_only_slow_notes_what_it_knows(letterbox: Letterbox) -> None:
    InvoiceDeliveryFactory(waiting=True, invoice=posted())

    def given_up() -> None:
        # In the mail server's thread, on a connection of its own.
        give_up_sending(at=timezone.now() + timedelta(hours=1))
        connection.close()

    letterbox.when_taken = given_up
    assert deliver_all() == 1
    assert InvoiceDelivery.objects.get().state == "SENT"


def test_what_was_asked_for_twice_at_once_is_sent_again_once(letterbox: Letterbox) -> None:
    delivery = InvoiceDeliveryFactory(refused=True, invoice=posted())
    amy = UserFactory(username="amy")
    tried = at_once([lambda: send_again(delivery_id=delivery.pk, asked_by=amy.pk)] * 4)
    assert len([each for each in tried if isinstance(each, InvoiceDelivery)]) == 1
    assert len([each for each in tried if isinstance(each, DeliveryConflict)]) == 3
    assert deliver_all() == 1
    assert len(letterbox.mails) == 1
