"""A document does not change while another session posts it, nor is it posted while another session changes it."""

from datetime import date

import pytest
from django.db import DatabaseError, connection

from invoicing.models import Invoice, Transaction
from tests.concurrency.sessions import meanwhile, transaction_open
from tests.factories import TransactionFactory
from tests.runs import bill, customer_at, post, use

pytestmark = pytest.mark.django_db(transaction=True)

TAKEN_OFF = "UPDATE transaction SET invoice_line_id = NULL"


def with_a_fee() -> None:
    """A customer with usage and a fee in January."""
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    TransactionFactory(customer=acme, transaction_date=date(2026, 1, 10))


@pytest.mark.parametrize(
    "change", ["DELETE FROM usage_charge", "DELETE FROM invoice_tax", TAKEN_OFF], ids=["charge", "tax", "transaction"]
)
def test_a_draft_that_is_being_changed_is_posted_afterwards(change: str) -> None:
    with_a_fee()
    run = bill()
    with transaction_open() as other:
        other.execute(change)
        with meanwhile(lambda: post(run)) as posting:
            assert not posting.done()
            other.execute("ROLLBACK")
    assert posting.result().approved_at is not None


def test_a_transaction_is_not_taken_off_a_draft_that_is_being_posted() -> None:
    with_a_fee()
    bill()
    document = Invoice.objects.get()

    def take_off() -> None:
        with connection.cursor() as cursor, pytest.raises(DatabaseError, match="Invoice INV-000001 is posted"):
            cursor.execute(TAKEN_OFF)

    with transaction_open() as other:
        other.execute(
            "UPDATE invoice SET state = 'POSTED', series_id = s.id, sequence_number = 1, number = 'INV-000001',"
            " posted_at = now(), content_sha256 = repeat('0', 64) FROM number_series s WHERE s.kind = invoice.kind"
        )
        with meanwhile(take_off) as taking:
            assert not taking.done()
            other.execute("COMMIT")
    assert Transaction.objects.get().invoice_line in document.lines.all()
