"""The mail that brings a document to its customer, in the customer's language.

A language is a pair of files in templates/invoicing/mail: `de.txt`, whose first line is the subject, and `de.html`.
"""

import re
from collections.abc import Sequence
from email.utils import formataddr, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import select_template
from django.utils.crypto import salted_hmac

from invoicing.adapters.attachments import Attachment
from invoicing.adapters.document import text
from invoicing.adapters.figures import Figures, locale_of
from invoicing.choices import InvoiceKind
from invoicing.models import Invoice

FALLBACK = "en"
# What may be part of a template's name.
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
SUBJECT = "Subject: "
# So that nobody who knows how deliveries are counted can make up what came back of one.
SIGNATURE_DIGITS = 16


def message_id_of(delivery_id: int) -> str:
    """The Message-ID of a delivery's mail, the same for each attempt."""
    signature = salted_hmac("invoicing.delivery", str(delivery_id), algorithm="sha256").hexdigest()[:SIGNATURE_DIGITS]
    return f"<invoice-delivery-{delivery_id}.{signature}@{settings.INVOICE_MAIL_DOMAIN}>"


def invoice_mail(
    invoice: Invoice, *, to: str, message_id: str, files: Sequence[Attachment], link: str = ""
) -> EmailMultiAlternatives:
    """The mail of a posted document to one address, with the files, or with a link to them where there is one."""
    context = mail_context(invoice, files=files, link=link)
    subject, _, body = _rendered(invoice.language, "txt", context).lstrip().partition("\n")
    message = EmailMultiAlternatives(
        subject=text(subject.removeprefix(SUBJECT)),
        body=body.strip() + "\n",
        from_email=_sender(invoice),
        to=[to],
        reply_to=[invoice.legal_entity.email] if invoice.legal_entity and invoice.legal_entity.email else None,
        # Nobody's absence note is wanted (RFC 3834), and what comes back is recognized by its id.
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(_rendered(invoice.language, "html", context), "text/html")
    for file in () if link else files:
        with file.open() as content:
            message.attach(file.name, content.read(), file.content_type)
    return message


def mail_context(invoice: Invoice, *, files: Sequence[Attachment], link: str) -> dict[str, Any]:
    """What the templates may show: texts, figures as the language writes them, `files` by name and size."""
    language = template_language(invoice.language)
    figures = Figures.of(
        locale_of(invoice.language if invoice.language[:2].lower() == language[:2] else language),
        currency=invoice.currency_id,
        decimals=invoice.currency.minor_units,
    )
    return {
        "language": language,
        "is_credit_note": invoice.kind == InvoiceKind.CREDIT_NOTE,
        "number": text(invoice.number or ""),
        "customer": text(invoice.customer_name),
        "seller": text(invoice.seller_name),
        "seller_rows": [text(row) for row in invoice.seller_address.splitlines() if text(row)],
        "seller_vat_number": text(invoice.seller_vat_number),
        "registration": [text(row) for row in invoice.seller_registration.splitlines() if text(row)],
        "invoice_date": figures.day(invoice.invoice_date),
        "due_date": figures.day(invoice.due_date),
        "is_to_pay": invoice.kind == InvoiceKind.INVOICE and invoice.total_amount > 0,
        # What a credit note comes to is given back.
        "total": figures.money(abs(invoice.total_amount)),
        "payment_details": [text(row) for row in invoice.payment_details.splitlines() if text(row)],
        "files": files,
        "link": link,
        "link_days": settings.INVOICE_LINK_DAYS,
    }


def template_language(language: str) -> str:
    """The language of the templates for a language: its own, else that without a region, else English."""
    template = select_template(_candidates(language, "txt"))
    return str(template.template.name).rpartition("/")[2].removesuffix(".txt")


def _candidates(language: str, kind: str) -> list[str]:
    code = language.lower().replace("_", "-")
    known = [code, code.partition("-")[0]] if LANGUAGE.fullmatch(code) else []
    return [f"invoicing/mail/{each}.{kind}" for each in dict.fromkeys([*known, FALLBACK])]


def _rendered(language: str, kind: str, context: dict[str, Any]) -> str:
    return str(select_template(_candidates(language, kind)).render(context))


def _sender(invoice: Invoice) -> str:
    """The address of the settings, under the name of the seller: only for that does the mail server vouch."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((text(invoice.seller_name) or name, address))
