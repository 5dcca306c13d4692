"""Who counts figures of dashboards while somebody else does leaves them alone, and counts nothing twice."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from reports.models import RevenueDay
from reports.operations.figures import count_figures
from tests.concurrency.sessions import at_once
from tests.factories import CustomerFactory
from tests.pictured import billed

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


def test_documents_are_counted_once_whoever_counts_at_the_same_time() -> None:
    billed(CustomerFactory(), "10.00")
    with transaction.atomic():
        assert count_figures(at=AT) == 1
        assert at_once([lambda: count_figures(at=AT)]) == [0]
    assert at_once([lambda: count_figures(at=AT)] * 3) == [0, 0, 0]
    assert RevenueDay.objects.get().amount == Decimal("10.00")
