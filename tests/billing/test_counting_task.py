"""Celery has posted documents counted for dashboards."""

import pytest

from billing.tasks import count_figures
from reports.models import CountedInvoice, PendingAge
from tests.factories import CustomerFactory, UsageDataRecordFactory
from tests.pictured import billed

pytestmark = pytest.mark.django_db


def test_the_regular_task_counts_all_that_was_posted() -> None:
    customer = CustomerFactory()
    invoices = [billed(customer, "1.00"), billed(customer, "2.00")]
    assert count_figures() == 2
    assert set(CountedInvoice.objects.values_list("invoice_id", flat=True)) == {invoice.pk for invoice in invoices}
    assert count_figures() == 0


def test_the_regular_task_counts_pending_usage() -> None:
    UsageDataRecordFactory()
    count_figures()
    assert PendingAge.objects.get().record_count == 1
