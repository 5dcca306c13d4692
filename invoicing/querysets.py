"""Chainable filters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from invoicing.choices import DeliveryChannel, DeliveryState, InvoiceState, RenderingState

# What workers do by themselves. Letters are a person's to send.
BY_ITSELF = (DeliveryChannel.EMAIL, DeliveryChannel.PORTAL)
FAILED_STATES = (DeliveryState.REFUSED, DeliveryState.BOUNCED, DeliveryState.UNCERTAIN)


class DeliveryQuerySet(QuerySet[Any, Any]):
    """Deliveries of invoices."""

    def due(
        self, at: datetime, *, without: Sequence[QuerySet[Any, Any]] = (), has_mail_server: bool = True
    ) -> "DeliveryQuerySet":
        """Those that a worker may take up now: the PDF is there, or will never be, and it is not too early.

        `without` are subqueries of invoice ids whose other files are still to come.
        """
        due = self.filter(
            Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at),
            state=DeliveryState.WAITING,
            channel__in=BY_ITSELF if has_mail_server else [DeliveryChannel.PORTAL],
            invoice__rendered__state__in=[RenderingState.DONE, RenderingState.FAILED],
        )
        for invoice_ids in without:
            due = due.exclude(invoice_id__in=invoice_ids)
        return due

    def asked_for(self) -> "DeliveryQuerySet":
        """Those that a person asked for."""
        return self.filter(asked_by__isnull=False)

    def undelivered(self) -> "DeliveryQuerySet":
        """Those that somebody has to look after: refused, come back or uncertain, and nothing sent in their place."""
        return self.filter(state__in=FAILED_STATES, replacements__isnull=True)


class ChargeQuerySet(QuerySet[Any, Any]):
    """Usage charges."""

    def standing(self) -> "ChargeQuerySet":
        """Those of posted documents that no other posted document took back, by a credit note or a reversal."""
        posted, charge = InvoiceState.POSTED, self.model._meta
        credited, reversal = (charge.get_field(name).related_model for name in ("credited_by", "reversal"))
        # Not by joins: the planner would take it that hardly any charge stands, and read all of them.
        return self.filter(
            ~Exists(credited.objects.filter(charge_id=OuterRef("pk"), line__invoice__state=posted)),
            ~Exists(reversal.objects.filter(reversed_charge_id=OuterRef("pk"), invoice_line__invoice__state=posted)),
            line__invoice__state=posted,
        )
