"""What is to be made of usage reports."""

from datetime import datetime

from django.db.models import Q

from reports.choices import ProductionState
from reports.models import ReportProduction


def waiting_productions(*, at: datetime, limit: int) -> int:
    """How many invoices' reports are due, counted up to a limit."""
    is_due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at)
    return len(
        ReportProduction.objects.filter(is_due, state=ProductionState.WAITING).order_by("id")[:limit].values("id")
    )
