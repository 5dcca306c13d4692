"""Reads what a mail server sends back: delivery status notifications (RFC 3464)."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

FAILED = "failed"


class NotABounce(Exception):
    """The mail is no delivery status notification, or names no mail that it is about."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a notification says: of which mail, and who did not get it for good, with the reason for each."""

    message_id: str
    failed: tuple[tuple[str, str], ...]


def read_bounce(content: bytes) -> Bounce:
    """Read a mail as a mail server hands it on. Raises `NotABounce`."""
    message = message_from_bytes(content)
    payload = message.get_payload()
    parts = [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []
    if message.get_content_type() != "multipart/report" or not parts:
        raise NotABounce("The mail is no delivery status notification (multipart/report, RFC 3464).")
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None:
        raise NotABounce("The mail is a report, but not on a delivery: it has no part message/delivery-status.")
    message_id = next(filter(None, map(_message_id, parts)), "")
    if not message_id:
        raise NotABounce("The notification does not have the Message-ID of the mail that it is about.")
    return Bounce(message_id, tuple(_failed(status)))


def _failed(status: Message) -> Iterator[tuple[str, str]]:
    """The recipients that will never get it, each with the status code and what the server said."""
    blocks = status.get_payload()
    # The first block is about the mail, each further one about a recipient.
    for block in blocks[1:] if isinstance(blocks, list) else []:
        if not isinstance(block, Message) or _text(block, "Action").lower() != FAILED:
            continue
        address = _text(block, "Original-Recipient") or _text(block, "Final-Recipient")
        said = _value(_text(block, "Diagnostic-Code"))
        yield _value(address), " ".join(filter(None, (_text(block, "Status"), said)))


def _message_id(part: Message) -> str:
    """The Message-ID of the mail that is sent back, whole or only its headers."""
    kind, payload = part.get_content_type(), part.get_payload()
    if kind == "message/rfc822" and isinstance(payload, list) and isinstance(payload[0], Message):
        return _text(payload[0], "Message-ID")
    if kind == "text/rfc822-headers":
        headers = part.get_payload(decode=True)
        return _text(message_from_bytes(headers), "Message-ID") if isinstance(headers, bytes) else ""
    return ""


def _text(message: Message, header: str) -> str:
    """A header on one line."""
    return " ".join(str(message.get(header, "")).split())


def _value(text: str) -> str:
    """What stands behind the type: `rfc822; bob@example.com`."""
    kind, separator, value = text.partition(";")
    return value.strip() if separator else kind.strip()
