"""What goes with an invoice besides its PDF: apps above give it, by functions that the settings name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of an invoice: its name, media type and size in bytes; `open` opens it for reading."""

    name: str
    content_type: str
    byte_count: int
    open: Callable[[], IO[bytes]]


class AttachmentsFailed(Exception):
    """A file that belongs to the invoice could not be made; the text says which and why."""


def attachments_of(invoice_id: int) -> list[Attachment]:
    """The files that go with an invoice, in order: what each function of INVOICE_ATTACHMENTS gives.

    Raises `AttachmentsFailed`.
    """
    return [found for path in settings.INVOICE_ATTACHMENTS for found in import_string(path)(invoice_id)]


def invoices_to_wait_for() -> list[QuerySet[Any, Any]]:
    """The ids of invoices whose files are still being made, as subqueries: by the functions of INVOICE_WAITS_FOR."""
    return [import_string(path)() for path in settings.INVOICE_WAITS_FOR]
