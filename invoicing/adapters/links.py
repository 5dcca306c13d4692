"""Links by which whoever has one may fetch an invoice, without a login and for a time. The signature is the right."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

# Mail programs end a link before some signs; before this one they do not.
SEPARATOR = "."


class LinkWrong(Exception):
    """Nobody made this link."""


class LinkExpired(Exception):
    """The link, of the invoice `invoice_id`, was made too long ago."""

    def __init__(self, invoice_id: int) -> None:
        super().__init__(invoice_id)
        self.invoice_id = invoice_id


def invoice_link(invoice_id: int) -> str:
    """The address of an invoice's page and files, from now on for INVOICE_LINK_DAYS."""
    token = _signer().sign(str(invoice_id))
    return str(settings.SITE_URL + reverse("invoice-link", args=[token]))


def linked_invoice_id(token: str) -> int:
    """Whose link it is. Raises `LinkWrong`, `LinkExpired`."""
    age = timedelta(days=settings.INVOICE_LINK_DAYS)
    try:
        return int(_signer().unsign(token, max_age=age))
    except signing.SignatureExpired as error:
        raise LinkExpired(int(_signer().unsign(token))) from error
    except (signing.BadSignature, ValueError) as error:
        raise LinkWrong from error


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="invoicing.link", sep=SEPARATOR)
