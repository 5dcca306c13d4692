"""Mails to people, by the mail server that the settings name."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from billing.models import ScheduleMail


def send_schedule_mail(mail: ScheduleMail, *, to: Sequence[str]) -> None:
    """Send it with links to the run and the schedule. Raises OSError (SMTPException is one) where that fails."""
    links = [f"The schedule: {_address('billing_runschedule', mail.schedule_id)}"]
    if mail.run_id is not None:
        links.insert(0, f"The run: {_address('billing_billingrun', mail.run_id)}")
    EmailMessage(
        # A subject is one line.
        subject=f"[Tollbook] {' '.join(mail.subject.split())}",
        body="\n\n".join([mail.text, "\n".join(links)]) + "\n",
        to=list(to),
    ).send()


def _address(model: str, key: int) -> str:
    return settings.SITE_URL + reverse(f"admin:{model}_change", args=[key])
