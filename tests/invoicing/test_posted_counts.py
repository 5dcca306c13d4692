"""How many documents are posted, by period, is kept as they are posted; nobody waits for it."""

from datetime import date
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection, transaction

from invoicing.models import PostedInvoiceCount
from invoicing.queries import posted_counts, total_of
from tests.factories import CustomerFactory, InvoiceFactory
from tests.factories.invoicing import post


def counts() -> list[tuple[str, int]]:
    """The first day of each period's rows, and what each has."""
    rows = PostedInvoiceCount.objects.order_by("period_start", "id")
    return [(row.period_start.isoformat(), row.document_count) for row in rows]


@pytest.mark.django_db
def test_drafts_do_not_count_and_posted_documents_do_by_their_periods() -> None:
    drafts = [InvoiceFactory(period_start=date(2026, month, 1), period_end=date(2026, 3, 1)) for month in (1, 1, 2)]
    assert counts() == []
    post(drafts[0])
    assert counts() == [("2026-01-01", 1)]
    post(drafts[1])
    post(drafts[2])
    assert counts() == [("2026-01-01", 2), ("2026-02-01", 1)]
    assert total_of(posted_counts()) == 3
    assert total_of(posted_counts().filter(period_start__gte=date(2026, 2, 1))) == 1
    assert total_of(posted_counts().filter(period_start__gte=date(2027, 1, 1))) == 0


@pytest.mark.django_db
def test_a_draft_that_changes_or_goes_makes_no_difference() -> None:
    draft = InvoiceFactory()
    draft.message = "Hello"
    draft.save()
    draft.delete()
    assert counts() == []


@pytest.mark.django_db
def test_what_is_not_kept_is_not_counted() -> None:
    draft = InvoiceFactory()
    with transaction.atomic():
        post(draft)
        assert total_of(posted_counts()) == 1
        transaction.set_rollback(True)
    assert total_of(posted_counts()) == 0


@pytest.mark.django_db(transaction=True)
def test_who_posts_at_the_same_time_does_not_wait_and_all_are_counted() -> None:
    customer = CustomerFactory()
    first, second = InvoiceFactory(customer=customer), InvoiceFactory(customer=customer)
    # Of another series, whose lock is not the other one's.
    note = InvoiceFactory(customer=customer, kind="CREDIT_NOTE", net_amount=Decimal(-1), tax_amount=Decimal(0))
    post(first)
    finished: list[int] = []

    def post_the_note() -> None:
        try:
            finished.append(post(note).pk)
        finally:
            connection.close()

    with transaction.atomic():
        post(second)  # holds the row of the period
        thread = Thread(target=post_the_note)
        thread.start()
        thread.join(timeout=10)
        assert finished == [note.pk]
    assert [count for _, count in counts()] == [2, 1]
    assert total_of(posted_counts()) == 3
