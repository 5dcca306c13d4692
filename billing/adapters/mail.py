"""Mails to people, by the mail server that the settings name."""

import logging
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from billing.models import ScheduleMail
from catalog.adapters.mail import hand_over

logger = logging.getLogger(__name__)


def send_schedule_mail(mail: ScheduleMail, *, to: Sequence[str]) -> None:
    """Send it with links to the run and the schedule. Raises `MailFailed` where nobody gets it, or nobody knows."""
    links = [f"The schedule: {_address('billing_runschedule', mail.schedule_id)}"]
    if mail.run_id is not None:
        links.insert(0, f"The run: {_address('billing_billingrun', mail.run_id)}")
    message = EmailMessage(
        # A subject is one line.
        subject=f"[Tollbook] {' '.join(mail.subject.split())}",
        body="\n\n".join([mail.text, "\n".join(links)]) + "\n",
        to=list(to),
    )
    for address, said in hand_over(message).items():
        logger.warning("The mail server refuses %s: %s", address, said)


def _address(model: str, key: int) -> str:
    return settings.SITE_URL + reverse(f"admin:{model}_change", args=[key])
