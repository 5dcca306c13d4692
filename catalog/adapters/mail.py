"""Handing a mail to the mail server that the settings name, and what the server says of it.

All mails of the project go this way. What fails is told apart by whether the server may have taken the mail: once its
text has been sent and no answer comes, nobody knows, and to send it again could be to send it twice.
"""

import re
import smtplib
from contextlib import suppress
from email.utils import parseaddr
from typing import NoReturn

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import console, smtp
from django.utils.encoding import punycode

TAKEN = 250
PERMANENT = 500
TOO_LARGE = 552
TAKEN_CODES = {TAKEN, 251}
ADDRESS = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")


class MailFailed(Exception):
    """The mail was not handed over, or nobody knows; the text says why, in the server's words where there are any."""


class MailRefused(MailFailed):
    """The server refuses it for good: it is not tried again."""


class MailDelayed(MailFailed):
    """Not now; it was not taken, and may be later."""


class MailServerAway(MailDelayed):
    """The server cannot be reached, or does not let us in: any other mail would fail, too."""


class MailUncertain(MailFailed):
    """The connection broke after the mail's text was sent and before the answer: it may have been taken."""


def has_mail_server() -> bool:
    """Whether mails leave the house: without a mail server they only stand in the log."""
    return not isinstance(get_connection(), console.EmailBackend)


def hand_over(message: EmailMessage) -> dict[str, str]:
    """Hand one mail over; what the server said of each recipient that it refused while it took the mail for others.

    Bounces go to EMAIL_RETURN_PATH, else to where the mail comes from. Raises `MailRefused`, `MailDelayed` or
    `MailUncertain`.
    """
    backend = get_connection()
    try:
        sender = envelope_address(settings.EMAIL_RETURN_PATH or parseaddr(message.from_email)[1])
        recipients = {address: envelope_address(parseaddr(address)[1]) for address in message.recipients()}
        content = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own
    except ValueError as error:
        raise MailRefused(f"The mail cannot be written: {error}") from error
    if not isinstance(backend, smtp.EmailBackend):
        try:
            backend.send_messages([message])
        except OSError as error:  # SMTPException, too
            raise MailDelayed(_words(error)) from error
        return {}
    try:
        backend.open()
    except OSError as error:
        raise MailServerAway(f"The mail server {backend.host} cannot be used: {_words(error)}") from error
    server: smtplib.SMTP = backend.connection  # type: ignore[assignment]  # open() made it
    try:
        return _conversation(server, content, sender=sender, recipients=recipients)
    finally:
        # The answer is there: how the goodbye goes makes no difference.
        with suppress(OSError):
            backend.close()


def envelope_address(address: str) -> str:
    """An address as the server is told it, its domain in ASCII. Raises ValueError where it is none."""
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no e-mail address.")
    name, _, domain = address.rpartition("@")
    if not name.isascii():
        raise ValueError(f"{address!r} has letters before the @ that mail servers do not take.")
    return f"{name}@{punycode(domain)}"


def _conversation(server: smtplib.SMTP, content: bytes, *, sender: str, recipients: dict[str, str]) -> dict[str, str]:
    """What is said from MAIL to the end of the text; refused recipients. Raises `MailFailed`."""
    try:
        server.ehlo_or_helo_if_needed()
        size = [f"size={len(content)}"] if server.does_esmtp and server.has_extn("size") else []
        code, said = server.mail(sender, size)
        if code >= PERMANENT and code != TOO_LARGE:
            # No login, or not our sender: whoever runs this has to mend it, no recipient can.
            raise MailServerAway(f"The mail server does not take mails from {sender}: {_said(code, said)}")
        if code != TAKEN:
            _fail(code, said)
        answers = {address: server.rcpt(envelope) for address, envelope in recipients.items()}
    except OSError as error:
        raise MailServerAway(f"The connection to the mail server broke: {_words(error)}") from error
    refused = {address: answer for address, answer in answers.items() if answer[0] not in TAKEN_CODES}
    if len(refused) == len(recipients):
        # One that may be taken later is enough to try again.
        code, said = min(refused.values())
        _fail(code, said)
    try:
        code, said = server.data(content)
    except smtplib.SMTPDataError as error:
        # The server did not want to hear the text.
        _fail(error.smtp_code, error.smtp_error)
    except OSError as error:
        raise MailUncertain(f"No answer after the mail's text was sent: {_words(error)}") from error
    if code != TAKEN:
        _fail(code, said)
    return {address: _said(*answer) for address, answer in refused.items()}


def _fail(code: int, said: bytes | str) -> NoReturn:
    raise (MailRefused if code >= PERMANENT else MailDelayed)(_said(code, said))


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"


def _words(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(error.smtp_code, error.smtp_error)
    return " ".join((error.strerror or str(error)).split()) or type(error).__name__
