"""Usage by its effective date, and usage that arrives after its month was billed."""

from datetime import date

import pytest

from tests.factories import InvoiceFactory
from tests.runs import FEBRUARY, bill, customer_at, invoice, lines, outcome, pending, use

pytestmark = pytest.mark.django_db


def test_usage_from_the_cutoff_on_is_for_the_next_run() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5, on="2026-01-31T23:59:59")
    later = use(acme, call, 7, on="2026-02-01T00:00:00")
    assert lines(invoice(bill(), acme)) == ["5 x 1 = 5 -> 5.00"]
    assert pending(acme) == {later.id}


def test_the_effective_date_decides_and_not_the_day_of_use() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5, on="2026-01-31", billing_effective_date=date(2026, 2, 1))
    use(acme, call, 7, on="2026-02-03", billing_effective_date=date(2026, 1, 31))
    assert lines(invoice(bill(), acme)) == ["7 x 1 = 7 -> 7.00"]


def test_late_usage_goes_on_the_next_run_on_a_line_that_says_its_month() -> None:
    acme, call = customer_at("0.10")
    use(acme, call, 100)
    bill()
    # A day after January was billed: more of January, and the first of February.
    use(acme, call, 20, on="2026-01-31")
    use(acme, call, 40, on="2025-12-24")
    use(acme, call, 50, on="2026-02-02")
    document = invoice(bill(**FEBRUARY), acme)
    found = [(line.late_period, str(line.amount)) for line in document.lines.order_by("line_number")]
    # 40 x 0.10 of December, 20 x 0.10 of January, 50 x 0.10 of February, which is not late.
    assert found == [(date(2025, 12, 1), "4.0000"), (date(2026, 1, 1), "2.0000"), (None, "5.0000")]
    assert (document.period_start, document.period_end) == (date(2026, 2, 1), date(2026, 3, 1))


def test_what_is_late_is_late_for_the_last_invoice() -> None:
    acme, call = customer_at("0.10")
    for period_start, period_end in ((date(2025, 11, 1), date(2025, 12, 1)), (date(2025, 12, 1), date(2026, 1, 1))):
        InvoiceFactory(customer=acme, period_start=period_start, period_end=period_end)
    use(acme, call, 100, on="2025-12-31")
    use(acme, call, 200, on="2026-01-01")
    found = [(line.late_period, str(line.amount)) for line in invoice(bill(), acme).lines.order_by("line_number")]
    # December was billed up to and on the 31st: its 100 x 0.10 are late, January's 200 x 0.10 are not.
    assert found == [(date(2025, 12, 1), "10.0000"), (None, "20.0000")]


def test_usage_that_waited_in_the_inbox_was_not_late() -> None:
    acme, call = customer_at("0.001")
    use(acme, call, 4)
    bill()
    use(acme, call, 16, on="2026-02-02")
    document = invoice(bill(**FEBRUARY), acme)
    # 20 x 0.001 = 0.02, on one line: January's had been there when January was billed, and was below the minimum.
    assert lines(document) == ["20 x 0.001 = 0.02 -> 0.02"]
    assert document.lines.get().late_period is None


def test_nothing_is_billed_twice() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    first = invoice(bill(), acme)
    second = bill()
    assert outcome(second, acme) == ("nothingToBill", "No usage and no transactions before the cutoff.")
    assert list(acme.invoices.all()) == [first]
