"""Credit notes for posted invoices: whole, by line, for chosen records, in pieces; and billed anew."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction

from billing.operations.price_corrections import draft_corrections
from billing.operations.price_differences import price_differences
from billing.operations.verification import verify_run
from billing.queries.completeness import day_figures, scope_of_days
from catalog.operations.rates import add_rate_version
from invoicing.models import Invoice, Transaction
from invoicing.operations.credit_choices import CreditRefused
from tests.billing.taken import THEN, adjust, cancel, history, reversals, state
from tests.crediting import credit, left
from tests.credits import left as remaining
from tests.factories import (
    AccountCreditFactory,
    CustomerFactory,
    RateTierFactory,
    TaxRateFactory,
    TransactionFactory,
)
from tests.runs import FEBRUARY, bill, customer_at, invoice, lines, pending, plain, post, rate_of, taxes, totals, use

pytestmark = pytest.mark.django_db(transaction=True)


def waiting() -> list[str]:
    """The transactions that no document has yet."""
    found = Transaction.objects.filter(invoice_line=None).order_by("id")
    return [f"{each.kind} {each.description}: {plain(each.amount)}" for each in found]


def test_a_whole_invoice_is_credited_to_the_cent() -> None:
    acme, call = customer_at("0.333")
    for _ in range(3):
        use(acme, call, 5)
    TransactionFactory(customer=acme, unit_price=Decimal("25.00"), description="Set-up")
    document = invoice(post(bill()), acme)
    # 15 x 0.333 = 4.995, with 25 it is 29.995: 30.00, and the usage has the cent. 20 % of it: 6.00.
    assert lines(document) == ["15 x 0.333 = 4.995 -> 5.00", "1 x 25 = 25 -> 25.00"]
    assert totals(document) == "30.00 + 6.00 = 36.00 USD"

    note = credit(document)
    assert (note.number, note.kind, note.state) == ("CN-000001", "CREDIT_NOTE", "POSTED")
    assert (note.credited_invoice, note.reason, str(note.invoice_date)) == (document, "Agreed.", "2026-02-05")
    assert lines(note) == ["-15 x 0.333 = -4.995 -> -5.00", "-1 x 25 = -25 -> -25.00"]
    assert (totals(note), taxes(note)) == ("-30.00 + -6.00 = -36.00 USD", ["20 % of -30.00 = -6.00"])
    assert left(document) == "0.00 + 0.00 = 0.00"
    assert (note.period_start, note.period_end, note.tax_point) == (
        document.period_start,
        document.period_end,
        document.tax_point,
    )
    assert len(note.content_sha256) == 64
    # Only the money: nothing waits, and nothing is billed again.
    assert (pending(acme), waiting()) == (set(), [])


def test_a_run_can_be_proved_after_its_invoices_were_credited() -> None:
    acme, call = customer_at("0.333")
    for number in ("R1", "R2"):
        use(acme, call, 5, number=number)
    run = post(bill())
    document = invoice(run, acme)
    sealed = document.content_sha256
    credit(document, records=["R1"])
    credit(document, gives_usage_back=True)
    document.refresh_from_db()
    assert document.content_sha256 == sealed
    assert verify_run(run_id=run.pk).is_identical


def test_lines_by_line_and_then_the_rest() -> None:
    acme, call = customer_at("0.10")
    reduced = TaxRateFactory(percent=Decimal(7))
    use(acme, call, 100)
    TransactionFactory(customer=acme, unit_price=Decimal("3.35"), tax_rate=reduced)
    TransactionFactory(customer=acme, unit_price=Decimal("6.65"), tax_rate=reduced)
    document = invoice(post(bill()), acme)
    # 10.00 at 20 % is 2.00; 3.35 + 6.65 = 10.00 at 7 % is 0.70.
    assert totals(document) == "20.00 + 2.70 = 22.70 USD"
    # 7 % of 3.35 is 0.2345: 0.23.
    first = credit(document, lines=[2])
    assert (lines(first), taxes(first)) == (["-1 x 3.35 = -3.35 -> -3.35"], ["7 % of -3.35 = -0.23"])
    rest = credit(document)
    assert lines(rest) == ["-100 x 0.1 = -10 -> -10.00", "-1 x 6.65 = -6.65 -> -6.65"]
    # 7 % of 6.65 is 0.4655 and would be 0.47; so it is what is left, 0.70 - 0.23.
    assert taxes(rest) == ["20 % of -10.00 = -2.00", "7 % of -6.65 = -0.47"]
    assert left(document) == "0.00 + 0.00 = 0.00"


def test_records_one_by_one_come_to_what_was_invoiced() -> None:
    acme, call = customer_at("0.333")
    for number in ("R1", "R2", "R3"):
        use(acme, call, 1, number=number)
    document = invoice(post(bill()), acme)
    # 3 x 0.333 = 0.999: 1.00, and 0.20 tax.
    assert totals(document) == "1.00 + 0.20 = 1.20 USD"
    # 0.333 is 0.33 (tax 0.066: 0.07); 0.666 is 0.67, so 0.34 more (tax of 0.67: 0.13); 1.00, so 0.33 more (0.20).
    assert [totals(credit(document, records=[number])) for number in ("R2", "R3", "R1")] == [
        "-0.33 + -0.07 = -0.40 USD",
        "-0.34 + -0.06 = -0.40 USD",
        "-0.33 + -0.07 = -0.40 USD",
    ]
    assert left(document) == "0.00 + 0.00 = 0.00"


def test_credit_and_rebill_at_the_right_price() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100, number="R1"), use(acme, call, 50, number="R2")
    TransactionFactory(customer=acme, unit_price=Decimal("5.00"), description="Set-up")
    document = invoice(post(bill()), acme)
    # 150 x 0.10 = 15.00 and 5.00; 20 % of 20.00 is 4.00.
    assert totals(document) == "20.00 + 4.00 = 24.00 USD"
    note = credit(document, gives_usage_back=True)
    assert totals(note) == "-20.00 + -4.00 = -24.00 USD"
    assert waiting() == ["MANUAL Set-up: 5"]

    # The price should have been 0.08 from January on.
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.08")})
    again = invoice(post(bill(**FEBRUARY)), acme)
    # 150 x 0.08 = 12.00 and 5.00 again; 20 % of 17.00 is 3.40.
    assert lines(again) == ["150 x 0.08 = 12 -> 12.00", "1 x 5 = 5 -> 5.00"]
    assert totals(again) == "17.00 + 3.40 = 20.40 USD"
    # The usage is January's, which was billed before: late.
    assert [str(line.late_period) for line in again.lines.filter(kind="USAGE")] == ["2026-01-01"]
    assert (pending(acme), waiting()) == (set(), [])


def test_records_given_back_have_successors_that_are_billed_once() -> None:
    acme, call = customer_at("0.10")
    kept, wrong = use(acme, call, 100, number="R1"), use(acme, call, 50, number="R2", region="EU", udf_string_1="x")
    document = invoice(post(bill()), acme)
    credit(document, records=["R2"], gives_usage_back=True)
    (successor,) = wrong.successors.all()
    assert (state(kept), state(wrong), successor.number, successor.life_cycle_state) == (
        *("POSTED", "CANCELLED"),
        *("R2~2", "POSTED"),
    )
    same = ("usage_amount", "from_date", "to_date", "product_id", "region", "udf_string_1", "billing_effective_date")
    assert [getattr(successor, name) for name in same] == [getattr(wrong, name) for name in same]
    assert (successor.usage_import, successor.is_late, pending(acme)) == (None, True, {successor.pk})
    assert history(wrong) == [("ADJUSTED", {})]
    again = invoice(post(bill(**FEBRUARY)), acme)
    assert lines(again) == ["50 x 0.1 = 5 -> 5.00"]
    # Credited once more, its successor is the third.
    credit(again, records=["R2~2"], gives_usage_back=True)
    assert list(wrong.successors.order_by("id").values_list("number", flat=True)) == ["R2~2", "R2~3"]


def test_after_credit_and_rebill_every_record_is_accounted_for() -> None:
    acme, call = customer_at("0.10")
    records = [use(acme, call, quantity, number=f"R{n}") for n, quantity in enumerate((100, 50, 7), start=1)]
    document = invoice(post(bill()), acme)
    # Of 157, R2 only its money; R3 is billed anew; then R1 is cancelled, whose charge is reversed.
    credit(document, records=["R2"])
    credit(document, records=["R3"], gives_usage_back=True)
    cancel(records[0])

    def counted() -> list[tuple[int, str]]:
        today = Invoice.objects.get(pk=document.pk).created_at.date()
        (figures,) = day_figures(scope_of_days(from_day=today, to_day=today), at=THEN)
        assert figures.balances, figures
        shares = (
            (figures.record_count, figures.record_quantity),
            (figures.pending_count, figures.pending_quantity),
            (figures.charged_count, figures.charged_quantity),
            (figures.cancelled_count, figures.excluded_quantity),
        )
        return [(count, plain(quantity)) for count, quantity in shares]

    # R1, R2, R3 and R3~2: 100 + 50 + 7 + 7. Pending is R3~2, charged R2; R1 and R3 are cancelled.
    assert counted() == [(4, "164"), (1, "7"), (1, "50"), (2, "107")]
    post(bill(**FEBRUARY))
    assert counted() == [(4, "164"), (0, "0"), (2, "57"), (2, "107")]


def test_what_was_reversed_is_not_credited_too() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 100, number="R1")
    use(acme, call, 50, number="R2")
    document = invoice(post(bill()), acme)
    cancel(wrong)
    # 150 x 0.10 = 15.00, of which 10.00 wait as a reversal: 5.00 are left to credit.
    note = credit(document)
    assert lines(note) == ["-50 x 0.1 = -5 -> -5.00"]
    assert left(document) == "10.00 + 2.00 = 12.00"
    assert len(reversals()) == 1


def test_what_was_credited_is_not_reversed_too() -> None:
    acme, call = customer_at("0.10")
    first, second = use(acme, call, 100, number="R1"), use(acme, call, 50, number="R2")
    document = invoice(post(bill()), acme)
    credit(document)
    cancel(first)
    right = adjust(second, usage_amount=Decimal(40))
    assert (state(first), state(second), reversals()) == ("CANCELLED", "CANCELLED", [])
    # The one that was adjusted is billed as it is now.
    assert pending(acme) == {right.pk}


def test_a_corrected_price_goes_back_with_its_charge() -> None:
    acme, call = customer_at("0.20")
    use(acme, call, 100, number="R1")
    document = invoice(post(bill()), acme)
    # It should have been 0.15 from the first of January on.
    add_rate_version(rate_id=rate_of(call).pk, start_date=date(2026, 1, 1), terms={"unit_price": Decimal("0.15")})
    draft_corrections(from_day=date(2026, 1, 1), until_day=date(2026, 2, 1), customer_ids=[acme.pk], at=THEN)
    # Credit of 20.00 and new charge of 15.00 wait.
    assert [line.split(": ")[-1] for line in waiting()] == ["-20", "15"]
    note = credit(document)
    assert totals(note) == "-20.00 + -4.00 = -24.00 USD"
    # The note takes the 20.00 back; so the 5.00 that the correction took off are charged again: together nothing.
    assert [line.split(": ")[-1] for line in waiting()] == ["-20", "15", "5"]
    # And no price of it is wrong any more.
    found = price_differences(from_day=date(2026, 1, 1), until_day=date(2026, 2, 1))
    assert found.customer_count == 0


def test_what_an_invoice_took_back_of_earlier_ones_stays_owed_when_it_is_credited() -> None:
    acme, call = customer_at("0.10")
    wrong = use(acme, call, 40, number="R1")
    january = invoice(post(bill()), acme)
    cancel(wrong)
    use(acme, call, 100, on="2026-02-10")
    february = invoice(post(bill(**FEBRUARY)), acme)
    # 10.00 of February, less 4.00 of January: 6.00.
    assert totals(february) == "6.00 + 1.20 = 7.20 USD"
    note = credit(february)
    assert lines(note) == ["-100 x 0.1 = -10 -> -10.00", "1 x 4 = 4 -> 4.00"]
    assert left(february) == "0.00 + 0.00 = 0.00"
    # January's invoice still charges what was cancelled: its 4.00 wait again.
    assert waiting() == [f"CORRECTION Usage R1 of 2026-01-15 taken back (invoice {january.number}): -4"]


def test_a_credit_that_was_used_is_there_again_once_its_invoice_is_credited() -> None:
    acme, call = customer_at("0.10")
    bonus = AccountCreditFactory(customer=acme, amount=Decimal(4), currency=acme.currency, percent=None)
    use(acme, call, 100)
    document = invoice(post(bill()), acme)
    # 10.00 less 4.00; 20 % of 6.00 is 1.20.
    assert totals(document) == "6.00 + 1.20 = 7.20 USD"
    assert remaining(bonus) == 0
    with pytest.raises(CreditRefused, match=r"INV-000001 has 6\.00 USD left at the tax rate .*Choose them too"):
        credit(document, lines=[1])
    note = credit(document)
    assert [f"{line.kind} {line.coupon_code}: {line.amount:.2f}" for line in note.lines.order_by("line_number")] == [
        "USAGE : -10.00",
        f"CREDIT {bonus.code}: 4.00",
    ]
    assert left(document) == "0.00 + 0.00 = 0.00"
    assert remaining(bonus) == 4


@pytest.mark.parametrize(
    ("gives_back", "february"),
    [
        # The 80 were used, whoever paid for them: of 40 more, 20 at 1.00 and 20 at 0.50 = 30.00.
        (False, ["40 x 1 = 30 -> 30.00"]),
        # All of it is counted from nothing on: 100 at 1.00 and 20 at 0.50 = 110.00.
        (True, ["120 x 1 = 110 -> 110.00"]),
    ],
)
def test_graduated_usage_counts_on_unless_it_was_given_back(gives_back: bool, february: list[str]) -> None:  # noqa: FBT001
    with transaction.atomic():
        acme, data = customer_at("1", rate__pricing_model="graduated")
        RateTierFactory(rate=rate_of(data), from_quantity=100, unit_price=Decimal("0.5"))
    use(acme, data, 80, on="2026-01-10")
    document = invoice(post(bill()), acme)
    assert totals(document) == "80.00 + 16.00 = 96.00 USD"
    credit(document, gives_usage_back=gives_back)
    use(acme, data, 40, on="2026-01-20")
    assert lines(invoice(post(bill(**FEBRUARY)), acme)) == february


def test_no_more_is_credited_than_an_invoice_over_several_tax_rates_came_to() -> None:
    acme = CustomerFactory()
    TransactionFactory(customer=acme, unit_price=Decimal(10))
    TransactionFactory(customer=acme, unit_price=Decimal(-4), tax_rate=TaxRateFactory(percent=Decimal(5)))
    document = invoice(post(bill()), acme)
    # 20 % of 10.00 is 2.00, 5 % of -4.00 is -0.20.
    assert totals(document) == "6.00 + 1.80 = 7.80 USD"
    with pytest.raises(CreditRefused, match=r"INV-000001 has 7\.80 USD left, .* another tax rate .*Choose them too"):
        credit(document, lines=[2])
    credit(document)
    assert left(document) == "0.00 + 0.00 = 0.00"
