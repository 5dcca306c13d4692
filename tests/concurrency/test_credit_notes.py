"""Several people credit the same at once, and take it back in other ways meanwhile: once is enough."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import pytest

from billing.operations.credit_and_rebill import post_credit_note
from billing.operations.manual_invoices import ManualInvoiceConflict
from billing.operations.price_corrections import draft_corrections
from billing.operations.runs import commence_run
from catalog.operations.rates import add_rate_version
from invoicing.models import CreditedCharge, Invoice, Transaction
from invoicing.operations.credit_choices import CreditConflict
from tests.billing.taken import THEN, adjust, cancel, reversals, state
from tests.concurrency.sessions import at_once, meanwhile, transaction_open
from tests.crediting import credit, left
from tests.factories import AccountCreditFactory, TransactionFactory
from tests.runs import AT, FEBRUARY, bill, customer_at, invoice, lines, new_run, pending, post, produce, rate_of, use
from tests.scenarios.test_manual_invoices import by_hand
from usage.operations.errors import RecordConflict

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(results: Sequence[object]) -> list[str]:
    return sorted(type(one).__name__ for one in results)


def test_of_two_who_credit_a_line_at_once_one_does() -> None:
    acme, call = customer_at("1")
    use(acme, call, 10)
    TransactionFactory(customer=acme)
    document = invoice(post(bill()), acme)
    got = at_once([lambda: credit(document, lines=[1])] * 2)
    assert kinds(got) == ["CreditConflict", "Invoice"], got
    # 10.00 and the fee of 25.00; the fee is left, and 5.00 of it tax.
    assert left(document) == "25.00 + 5.00 = 30.00"


def test_those_who_credit_different_records_of_a_line_wait_for_each_other() -> None:
    acme, call = customer_at("0.333")
    for number in ("R1", "R2", "R3"):
        use(acme, call, 1, number=number)
    document = invoice(post(bill()), acme)
    works = [lambda n=n: credit(document, records=[n], gives_usage_back=True) for n in ("R1", "R2", "R3")]
    got = at_once(works)
    assert kinds(got) == ["Invoice"] * 3, got
    assert left(document) == "0.00 + 0.00 = 0.00"
    assert len(pending(acme)) == 3


@pytest.mark.parametrize("gives_usage_back", [False, True])
@pytest.mark.parametrize("name", ["cancel", "adjust"])
def test_a_record_taken_back_while_it_is_credited_is_taken_back_once(name: str, gives_usage_back: bool) -> None:  # noqa: FBT001
    acme, call = customer_at("1")
    record = use(acme, call, 10, number="R1")
    use(acme, call, 5, number="R2")
    document = invoice(post(bill()), acme)
    acts: dict[str, Callable[[], object]] = {
        "cancel": lambda: cancel(record),
        "adjust": lambda: adjust(record, usage_amount=Decimal(8)),
    }
    got = at_once([acts[name], lambda: credit(document, gives_usage_back=gives_usage_back)])
    assert all(not isinstance(one, Exception) or isinstance(one, RecordConflict) for one in got), got
    assert state(record) == "CANCELLED"
    credited = CreditedCharge.objects.filter(charge__record=record).count()
    # By the one or by the other.
    assert credited + len(reversals()) == 1
    assert Invoice.objects.filter(kind="CREDIT_NOTE").count() == 1


def test_a_price_corrected_while_it_is_credited_is_taken_back_with_it() -> None:
    acme, call = customer_at("1")
    use(acme, call, 10)
    document = invoice(post(bill()), acme)
    days = {"from_day": date(2026, 1, 1), "until_day": date(2026, 2, 1)}
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.80")})
    got = at_once(
        [lambda: draft_corrections(**days, customer_ids=[acme.pk], at=THEN), lambda: credit(document)]  # type: ignore[arg-type]
    )
    assert "CreditConflict" not in kinds(got), got
    assert not any(isinstance(one, Exception) for one in got), got
    # Nothing of the 10.00 is left to pay, or to give: the correction came first and went back, or found nothing.
    assert left(document) == "0.00 + 0.00 = 0.00"
    assert sum(each.amount for each in Transaction.objects.filter(kind="CORRECTION")) == 0


def test_who_credits_waits_for_who_credited_before() -> None:
    acme, call = customer_at("1")
    use(acme, call, 10)
    document = invoice(post(bill()), acme)
    with transaction_open() as other:
        other.execute("SELECT FROM invoice WHERE id = %s FOR SHARE", [document.pk])
        with meanwhile(lambda: credit(document)) as crediting:
            assert not crediting.done()
            other.execute("COMMIT")
    assert left(document) == "0.00 + 0.00 = 0.00"


def test_a_draft_is_posted_once() -> None:
    acme, call = customer_at("1")
    use(acme, call, 10)
    document = invoice(post(bill()), acme)
    note = credit(document, posts=False)
    got = at_once([lambda: post_credit_note(note_id=note.pk, gives_usage_back=True, at=THEN, user_id=None)] * 2)
    assert kinds(got) == ["CreditConflict", "Invoice"], got
    assert (len(pending(acme)), Invoice.objects.filter(number="CN-000001").count()) == (1, 1)
    with pytest.raises(CreditConflict):
        credit(document)


def test_of_two_invoices_by_hand_of_one_transaction_one_is_made() -> None:
    acme, _ = customer_at("1")
    fee = TransactionFactory(customer=acme)
    got = at_once([lambda: by_hand(acme, fee)] * 2)
    assert kinds(got) == ["Invoice", "ManualInvoiceConflict"], got


def test_an_invoice_by_hand_and_a_run_do_not_both_take_a_transaction() -> None:
    acme, call = customer_at("1")
    use(acme, call, 10)
    fee = TransactionFactory(customer=acme)
    run = commence_run(run_id=new_run(**FEBRUARY).pk, at=AT, without_preflight=True)
    got = at_once([lambda: produce(run), lambda: by_hand(acme, fee)])
    by_run = "1 x 25 = 25 -> 25.00" in lines(invoice(run, acme))
    assert isinstance(got[1], ManualInvoiceConflict) == by_run, got
    assert not isinstance(got[0], Exception), got


def test_an_invoice_by_hand_and_production_lock_credits_and_transactions_in_one_order() -> None:
    acme, _ = customer_at("1")
    fee = TransactionFactory(customer=acme)
    gift = AccountCreditFactory(customer=acme, amount=Decimal(5))
    with transaction_open() as production:
        # Its credits are locked first, then its transactions are put on their lines.
        production.execute("SELECT FROM account_credit WHERE id = %s FOR NO KEY UPDATE", [gift.pk])
        with meanwhile(lambda: by_hand(acme, fee)) as made:
            production.execute("UPDATE transaction SET quantity = 2 WHERE id = %s", [fee.pk])
            production.execute("COMMIT")
        # 2 x 25.00 less the credit of 5.00.
        assert made.result().net_amount == 45
