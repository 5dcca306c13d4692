"""Chainable filters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from invoicing.choices import DeliveryChannel, DeliveryState, RenderingState

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
