"""Usage that people say is to be billed, credited or neither, after it came in."""

import pytest

from billing.operations.runs import commence_run
from invoicing.models import Invoice
from tests.billing.taken import direct, history
from tests.runs import AT, FEBRUARY, bill, customer_at, invoice, lines, new_run, outcome, pending, produce, totals, use
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_waits_and_is_not_to_be_billed_leaves_the_inbox() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    free = use(acme, call, 40)
    direct(free, "NOT_TO_BE_BILLED")
    assert free.pk not in pending(acme)
    assert history(free) == [("DIRECTIVE_SET", {"billing_directive": ["TO_BE_BILLED", "NOT_TO_BE_BILLED"]})]
    assert lines(invoice(bill(), acme)) == ["100 x 0.1 = 10 -> 10.00"]


def test_what_was_not_to_be_billed_and_is_waits_for_the_next_run() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    free = use(acme, call, 40, billing_directive="NOT_TO_BE_BILLED")
    january = bill()
    direct(free, "TO_BE_BILLED")
    assert lines(invoice(january, acme)) == ["100 x 0.1 = 10 -> 10.00"]
    assert pending(acme) == {free.pk}
    assert lines(invoice(bill(**FEBRUARY), acme)) == ["40 x 0.1 = 4 -> 4.00"]


def test_what_waits_becomes_a_credit() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    direct(use(acme, call, 40), "TO_BE_CREDITED")
    # 100 x 0.10 - 40 x 0.10 = 6.00.
    assert lines(invoice(bill(), acme)) == ["60 x 0.1 = 6 -> 6.00"]


def test_on_a_draft_what_is_to_be_credited_is_credited_on_the_draft_made_anew() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    record = use(acme, call, 40)
    run = bill()
    assert totals(invoice(run, acme)) == "14.00 + 2.80 = 16.80 USD"
    direct(record, "TO_BE_CREDITED")
    assert totals(invoice(run, acme)) == "6.00 + 1.20 = 7.20 USD"
    direct(record, "TO_BE_BILLED")
    assert totals(invoice(run, acme)) == "14.00 + 2.80 = 16.80 USD"
    assert pending(acme) == set()


def test_on_a_draft_what_is_not_to_be_billed_is_off_the_draft_made_anew() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40)
    run = bill()
    direct(record, "NOT_TO_BE_BILLED")
    assert outcome(run, acme)[0] == "nothingToBill"
    assert not Invoice.objects.exists()
    assert pending(acme) == set()


def test_a_draft_record_is_only_directed() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, life_cycle_state="DRAFT")
    direct(record, "TO_BE_CREDITED")
    assert UsageDataRecord.objects.get(pk=record.pk).billing_directive == "TO_BE_CREDITED"
    assert pending(acme) == set()


def test_what_is_directed_while_a_run_has_not_come_to_it_waits_for_the_next() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    record = use(acme, call, 40)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    direct(record, "TO_BE_CREDITED")
    produce(run)
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]
    assert pending(acme) == {record.pk}
