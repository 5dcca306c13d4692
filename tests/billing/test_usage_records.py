"""Each operation on usage data records in each state, the sentences of its refusals, and what is noted."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.operations.production import produce_next_chunk
from billing.operations.runs import commence_run
from billing.operations.usage_records import adjust_record, cancel_record, set_directive
from customers.models import Customer
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, Transaction, UsageCharge
from tests.billing.taken import THEN, adjust, cancel, direct, history, reversals, state
from tests.factories import (
    CurrencyFactory,
    TaxRateFactory,
    TransactionFactory,
    UsageReportFactory,
    UserFactory,
)
from tests.runs import (
    AT,
    FEBRUARY,
    account,
    bill,
    customer_at,
    invoice,
    lines,
    new_run,
    outcome,
    pending,
    post,
    produce,
    rate_of,
    totals,
    use,
)
from usage.models import PendingUsage, UsageDataRecord
from usage.operations.errors import RecordConflict, RecordRefused
from usage.operations.records import post_record, reject_record

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[int], UsageDataRecord]
OPERATIONS: dict[str, Act] = {
    "post": lambda pk: post_record(record_id=pk, at=THEN, user_id=None),
    "reject": lambda pk: reject_record(record_id=pk, at=THEN, user_id=None, reason="Test call."),
    "cancel": lambda pk: cancel_record(record_id=pk, at=THEN, user_id=None),
    "adjust": lambda pk: adjust_record(record_id=pk, values={"region": "EU"}, at=THEN, user_id=None),
    "directive": lambda pk: set_directive(record_id=pk, directive="NOT_TO_BE_BILLED", at=THEN, user_id=None),
}
ALLOWED = {
    *(("DRAFT", name) for name in ("post", "reject", "directive")),
    *(("POSTED", name) for name in ("cancel", "adjust", "directive")),
}
SENTENCES = {
    "post": "Record R1 is {}: only a draft record can be posted.",
    "reject": "Record R1 is {}: only a draft record can be rejected.",
    "cancel": "Record R1 is {}: only a posted record can be cancelled.",
    "adjust": "Record R1 is {}: only a posted record can be adjusted.",
    "directive": "Record R1 is {}: only a draft or posted record is directed otherwise.",
}
IN_WORDS = {"DRAFT": "a draft", "POSTED": "posted", "REJECTED": "rejected", "CANCELLED": "cancelled"}


def stored() -> list[object]:
    """All that these operations may change."""
    models = (UsageDataRecord, PendingUsage, UsageCharge, Transaction, Invoice, InvoiceLine, InvoiceTax)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("before", ["DRAFT", "POSTED", "REJECTED", "CANCELLED"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_in_each_state(before: str, name: str) -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, number="R1", life_cycle_state=before)
    found = stored()
    if (before, name) in ALLOWED:
        OPERATIONS[name](record.pk)
        assert len(history(record)) == 1
        return
    with pytest.raises(RecordConflict) as caught:
        OPERATIONS[name](record.pk)
    assert str(caught.value) == SENTENCES[name].format(IN_WORDS[before])
    assert stored() == found
    assert history(record) == []


def test_a_posted_invoice_keeps_the_directive_of_its_usage() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, number="R1")
    post(bill())
    found = stored()
    with pytest.raises(RecordConflict) as caught:
        direct(record, "TO_BE_CREDITED")
    assert str(caught.value) == (
        "Record R1 is on posted invoice INV-000001, which does not change: adjust or cancel the record instead."
    )
    assert stored() == found


def test_what_is_so_already_is_said_so() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, number="R1")
    with pytest.raises(RecordConflict, match=r"^Record R1 is to be billed already\.$"):
        direct(record, "TO_BE_BILLED")
    with pytest.raises(RecordRefused, match="“FREE” is not a billing directive") as caught:
        direct(record, "FREE")
    assert caught.value.field == "billing_directive"


def test_twice_is_a_conflict() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, number="R1")
    post(bill())
    cancel(record)
    with pytest.raises(RecordConflict, match=r"^Record R1 is cancelled: only a posted record can be cancelled\.$"):
        cancel(record)
    assert len(reversals()) == 1


def test_what_is_refused_takes_nothing_back() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40)
    bill()
    found = stored()
    with pytest.raises(RecordRefused, match="nothing would change"):
        adjust(record, usage_amount=Decimal(40))
    assert stored() == found


def test_who_did_it_and_why_is_noted() -> None:
    acme, call = customer_at("0.10")
    record, clerk = use(acme, call, 40), UserFactory()
    cancelled = cancel_record(record_id=record.pk, at=THEN, user_id=clerk.pk, reason="  Sent twice. ")
    change = cancelled.changes.get()
    assert (change.kind, change.at, change.user, change.reason) == ("CANCELLED", THEN, clerk, "Sent twice.")
    assert cancelled.updated_by == clerk
    assert cancelled.updated_at > record.updated_at
    right = adjust_record(record_id=use(acme, call, 1).pk, values={"region": "EU"}, at=THEN, user_id=clerk.pk)
    assert (right.created_by, right.usage_import, right.updated_by) == (clerk, None, None)


def test_the_draft_is_the_one_that_there_would_be_without_the_record() -> None:
    """Lines, taxes, totals and the account are compared with a twin who never had the record."""
    documents = []
    for is_twin in (False, True):
        acme, call = customer_at(
            "0.333",
            account_number=f"A{is_twin}",
            rate__unit_size=Decimal(7),
            tax_rate=TaxRateFactory(percent=Decimal(19)),
        )
        for n, quantity in enumerate(("1", "20.5", "3", "100")):
            use(acme, call, quantity, on=f"2026-01-{10 + n}", region="EU" if n % 2 else "")
        TransactionFactory(customer=acme, unit_price=Decimal("4.995"), transaction_date=date(2026, 1, 10))
        wrong = None if is_twin else use(acme, call, "50.25", region="EU")
        run = bill()
        if wrong:
            cancel(wrong)
        document = invoice(run, acme)
        found = account(run, acme)
        documents.append(
            [
                *lines(document),
                totals(document),
                *document.taxes.values_list("percent", "net_amount", "tax_amount"),
                (document.period_start, document.period_end, document.due_date, document.message),
                (found.outcome, found.reason, found.record_count, found.exact_amount),
                *UsageCharge.objects.filter(customer=acme).order_by("record_id").values_list("quantity", "amount"),
            ]
        )
    assert documents[0] == documents[1]


def test_charges_keep_the_place_that_their_usage_had_in_the_inbox() -> None:
    acme, call = customer_at("0.10", minimum_invoice_amount=Decimal(5))
    left, wrong = use(acme, call, 20), use(acme, call, 40)
    before = PendingUsage.objects.get(record=left).posted_in
    bill()
    assert UsageCharge.objects.get(record=left).posted_in == before
    cancel(wrong)
    assert PendingUsage.objects.get(record=left).posted_in == before


def test_a_draft_of_a_run_that_is_still_going_on_is_made_anew_too(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 1
    acme, call = customer_at("0.10", account_number="A")
    bell, other = customer_at("0.10", account_number="B")
    wrong = use(acme, call, 40)
    use(acme, call, 100), use(bell, other, 7)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    assert produce_next_chunk(run_id=run.pk, at=AT)
    run.refresh_from_db()
    assert (run.status, account(run, bell).outcome) == ("commenced", "waiting")
    cancel(wrong)
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]
    produce(run)
    assert lines(invoice(run, bell)) == ["7 x 0.1 = 0.7 -> 0.70"]
    post(run)
    assert list(Invoice.objects.order_by("number").values_list("number", flat=True)) == ["INV-000001", "INV-000002"]


def test_a_customer_that_waits_in_another_run_is_waited_for() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, number="R1")
    january = bill(name="January")
    february = commence_run(run_id=new_run(name="February", **FEBRUARY).pk, at=AT, without_preflight=True)
    found = stored()
    with pytest.raises(RecordConflict) as caught:
        cancel(record)
    assert str(caught.value) == (
        f"Record R1 is on a draft. The draft of run {january.pk} (January) cannot be taken back while the customer "
        f"waits in run {february.pk} (February). Wait until that is completed."
    )
    assert stored() == found
    produce(february)
    cancel(record)
    assert outcome(january, acme)[0] == "nothingToBill"


def test_a_customer_who_is_billed_in_another_currency_by_now() -> None:
    acme, call = customer_at("0.10")
    record = use(acme, call, 40, number="R1")
    post(bill())
    Customer.objects.filter(pk=acme.pk).update(currency=CurrencyFactory(code="EUR"))
    with pytest.raises(RecordConflict, match=r"on invoice INV-000001 in USD, and .* is billed in EUR now"):
        cancel(record)
    assert state(record) == "POSTED"


def test_a_draft_in_the_currency_of_before_is_made_anew_in_it() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    record = use(acme, call, 40)
    run = bill()
    Customer.objects.filter(pk=acme.pk).update(currency=CurrencyFactory(code="EUR"))
    cancel(record)
    assert totals(invoice(run, acme)) == "10.00 + 2.00 = 12.00 USD"


def test_what_the_database_refuses_of_the_rest_fails_and_waits() -> None:
    acme, call = customer_at("0.10")
    heavy = 99_999_999_999_999_999
    huge = use(acme, call, heavy)
    credit = use(acme, call, heavy, billing_directive="TO_BE_CREDITED")
    use(acme, call, 10)
    run = bill()
    assert totals(invoice(run, acme)) == "1.00 + 0.20 = 1.20 USD"
    # Without the credit it comes to more than a document can hold.
    cancel(credit)
    kind, reason = outcome(run, acme)
    assert (kind, reason.split(":")[0]) == ("failed", "The database refused this customer's data")
    assert huge.pk in pending(acme)


def test_reports_of_a_draft_go_with_it() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    record = use(acme, call, 40)
    run = bill()
    report = UsageReportFactory(invoice=invoice(run, acme))
    cancel(record)
    assert not type(report).objects.exists()


def test_prices_of_the_run_stay_when_its_draft_is_made_anew() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    wrong = use(acme, call, 40)
    run = bill()
    type(rate_of(call)).objects.filter(product=call).update(end_date=date(2026, 1, 2))
    cancel(wrong)
    assert lines(invoice(run, acme)) == ["100 x 0.1 = 10 -> 10.00"]


def test_two_drafts_of_one_customer_do_not_mix() -> None:
    acme, call = customer_at("0.10")
    first, second = use(acme, call, 100), use(acme, call, 40, on="2026-02-10")
    january = bill()
    february = bill(**FEBRUARY)
    cancel(first)
    assert outcome(january, acme)[0] == "nothingToBill"
    assert lines(invoice(february, acme)) == ["40 x 0.1 = 4 -> 4.00"]
    cancel(second)
    assert outcome(february, acme)[0] == "nothingToBill"
