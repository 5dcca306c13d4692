"""The proof of a run: the digest of each invoice, the root of the run, and all of it computed again."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingRun
from billing.operations.runs import approve_run
from billing.operations.usage_records import cancel_record
from billing.operations.verification import verify_run
from catalog.models import RateTier
from customers.models import Customer
from invoicing.models import Invoice
from tests.billing.received import behind_its_back
from tests.factories import CustomerFactory, TransactionFactory
from tests.runs import AT, FEBRUARY, account, bill, customer_at, invoice, post, rate_of, use

pytestmark = pytest.mark.django_db


@dataclass
class Posted:
    run: BillingRun
    acme: Customer
    bell: Customer


@pytest.fixture
def posted() -> Posted:
    """Invoice 1 of Acme: R1 and R2, 100 and 50 at 0.10, and 25.00 for the set-up. Invoice 2 of Bell: R3, 10 at 2."""
    acme, call = customer_at("0.10", account_number="A")
    bell, ring = customer_at("2", account_number="B")
    use(acme, call, 100, number="R1", destination="4930")
    use(acme, call, 50, number="R2")
    use(bell, ring, 10, number="R3")
    TransactionFactory(customer=acme)
    return Posted(post(bill()), acme, bell)


def verified(run: BillingRun) -> str:
    """What the command prints, and what it exits with."""
    out = StringIO()
    try:
        call_command("verify_run", str(run.pk), stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error} ({error.returncode})"
    return out.getvalue().removesuffix("\n")


def tamper(statement: str, *values: object) -> None:
    with behind_its_back() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1


def test_what_was_posted_is_identical(posted: Posted) -> None:
    assert verified(posted.run) == f"identical: 2 of 2\nroot: {posted.run.proof_root}"


def test_the_root_is_the_digest_of_the_digests(posted: Posted) -> None:
    rows = [
        f"{invoice(posted.run, one).content_sha256}  INV-00000{n}" for n, one in ((1, posted.acme), (2, posted.bell))
    ]
    assert posted.run.proof_root == hashlib.sha256("\n".join(rows).encode()).hexdigest()


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        # A charge: R1 is 100 x 0.10 = 10.
        (
            "UPDATE usage_charge SET amount = 11 WHERE quantity = 100",
            "INV-000001: record R1 on line 1: amount is 11, computed again it is 10.",
        ),
        (
            "UPDATE usage_charge SET billed_quantity = 120 WHERE quantity = 100",
            "INV-000001: record R1 on line 1: billed quantity is 120, computed again it is 100.",
        ),
        (
            "DELETE FROM usage_charge WHERE quantity = 100",
            "INV-000001: line 1: exact amount is 15, computed again it is 5.",
        ),
        # A line: 150 x 0.10 = 15.
        (
            "UPDATE invoice_line SET exact_amount = 16, amount = 16 WHERE exact_amount = 15",
            "INV-000001: line 1: exact amount is 16, computed again it is 15.",
        ),
        (
            "UPDATE invoice_line SET amount = 14 WHERE exact_amount = 15",
            "INV-000001: line 1: amount, to a minor unit is 14, computed again it is 15.",
        ),
        (
            "UPDATE invoice_line SET exact_amount = 24 WHERE kind = 'MANUAL'",
            "INV-000001: line 2: amount, to a minor unit is 25, computed again it is 24.",
        ),
        (
            "UPDATE invoice_line SET unit_price = 0.2 WHERE exact_amount = 15",
            "INV-000001: line 1: unit price, against its rate is 0.2, computed again it is 0.1.",
        ),
        # A tax: 20 % of 40 is 8.
        (
            "UPDATE invoice_tax SET tax_amount = 9 WHERE net_amount = 40",
            "INV-000001: tax VAT 20.0000 %: tax amount is 9, computed again it is 8.",
        ),
        (
            "UPDATE invoice SET net_amount = 19, total_amount = 23 WHERE net_amount = 20",
            "INV-000002: document: net amount is 19, computed again it is 20.",
        ),
        (
            "UPDATE invoice SET due_date = '2027-01-01' WHERE net_amount = 20",
            "INV-000002: document: due date is 2027-01-01, computed again it is 2026-03-03.",
        ),
        # A record.
        (
            "UPDATE usage_data_record SET usage_amount = 40 WHERE number = 'R2'",
            "INV-000001: record R2 on line 1: quantity is 50, computed again it is 40.",
        ),
        (
            "UPDATE usage_data_record SET from_date = '2019-12-31T00:00Z' WHERE number = 'R2'",
            "INV-000001: record R2 on line 1: rate is 0.100000000000000000 from 2020-01-01",
        ),
        (
            "DELETE FROM usage_data_record WHERE number = 'R2'",
            "INV-000001: record #",
        ),
        # A record whose change makes no difference to its price, and an address: only the digest says so.
        (
            "UPDATE usage_data_record SET destination = '4989' WHERE number = 'R1'",
            "INV-000001: charges: SHA-256 is ",
        ),
        ("UPDATE invoice SET customer_name = 'Other' WHERE net_amount = 20", "INV-000002: buyer: SHA-256 is "),
        (
            "UPDATE invoice SET content_sha256 = 'x' WHERE net_amount = 20",
            "INV-000002: digests of its parts: SHA-256 is x",
        ),
        # A rate.
        (
            "UPDATE rate SET unit_price = 3 WHERE unit_price = 2",
            "INV-000002: rates: SHA-256 is ",
        ),
    ],
)
def test_what_was_changed_since_is_found_and_named(posted: Posted, statement: str, difference: str) -> None:
    tamper(statement)
    found = verified(posted.run)
    assert f"identical: 1 of 2\nThe first difference is on {difference}" in found


def test_an_invoice_that_is_taken_away_is_missed_by_the_root(posted: Posted) -> None:
    tamper("DELETE FROM run_account WHERE customer_id = %s", posted.bell.pk)
    assert "identical: 1 of 1\nThe root of the run is " in verified(posted.run)


def test_the_first_of_several_is_named(posted: Posted) -> None:
    tamper("UPDATE usage_charge SET amount = 21 WHERE quantity = 10")
    tamper("UPDATE usage_charge SET amount = 11 WHERE quantity = 100")
    assert "identical: 0 of 2\nThe first difference is on INV-000001: record R1" in verified(posted.run)


def test_usage_that_is_taken_back_later_leaves_the_proof_as_it_is(posted: Posted) -> None:
    record = invoice(posted.run, posted.bell).lines.get().charges.get().record
    cancel_record(record_id=record.pk, at=AT, user_id=None)
    assert verified(posted.run).startswith("identical: 2 of 2\n")


@pytest.mark.parametrize(
    "terms",
    [
        {"pricing_model": "graduated", "rounding_digits": 2},
        {"pricing_model": "volume"},
        {"pricing_model": "package", "unit_size": Decimal(60), "included_quantity": Decimal(30)},
        {"pricing_model": "perUnit", "included_quantity": Decimal(100), "connection_fee": Decimal("0.05")},
    ],
)
def test_prices_that_depend_on_the_month_are_proved_run_by_run(terms: dict[str, object]) -> None:
    acme, call = customer_at("0.10", **{f"rate__{name}": value for name, value in terms.items()})
    if terms["pricing_model"] in ("graduated", "volume"):
        with behind_its_back():
            RateTier.objects.create(rate=rate_of(call), from_quantity=Decimal(200), unit_price=Decimal("0.07"))
    for quantity in (150, 45):
        use(acme, call, quantity, on="2026-01-20")
    first = post(bill())
    # January's usage that comes late goes on from what was counted.
    for quantity in (33, 90):
        use(acme, call, quantity, on="2026-01-21")
    use(acme, call, 7, on="2026-01-22", billing_directive="TO_BE_CREDITED")
    second = post(bill(**FEBRUARY))
    assert [verified(run).split("\n")[0] for run in (first, second)] == ["identical: 1 of 1"] * 2
    tamper("UPDATE usage_charge SET amount = amount + 1 WHERE quantity = 90")
    assert verified(first).startswith("identical: 1 of 1")
    assert "record " in verified(second)
    assert ": amount is " in verified(second)


def test_credits_and_records_with_an_amount_of_their_own_are_proved() -> None:
    acme, call = customer_at("0.10", rate__first_increment=Decimal(60), rate__increment=Decimal(60))
    use(acme, call, 100)
    use(acme, call, 30, billing_directive="TO_BE_CREDITED")
    use(acme, call, 30, rating_type="PRERATED", total_amount=Decimal("3.21"))
    assert verified(post(bill())).startswith("identical: 1 of 1\n")


def test_old_invoices_keep_their_old_digest(posted: Posted) -> None:
    document = invoice(posted.run, posted.bell)
    text = (
        f"INV-000002|INVOICE|B|{document.customer_name}|||USD|2026-01-01|2026-02-01|2026-02-01|2026-03-03||20.0000|4.0000|"
        f"24.0000\n1|USAGE|{document.lines.get().product_code}||Call||10.000000000000000000|2.000000000000000000|"
        "1.000000000000000000|20.000000000000000000|20.0000|1\nVAT 20.0000 %|20.0000|20.0000|4.0000"
    )
    old = hashlib.sha256(text.encode()).hexdigest()
    tamper(
        "UPDATE invoice SET content_version = 1, content_parts = '', content_sha256 = %s WHERE id = %s",
        old,
        document.pk,
    )
    tamper("UPDATE billing_run SET proof_root = '' WHERE id = %s", posted.run.pk)
    assert verified(posted.run).startswith("identical: 2 of 2\nThe run has no root yet")
    tamper("UPDATE invoice_line SET product_code = 'X' WHERE invoice_id = %s", document.pk)
    assert "INV-000002: document, lines and taxes: SHA-256 is " in verified(posted.run)


def test_a_run_that_is_not_posted_has_nothing_to_compare() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5)
    run = bill()
    assert verified(run) == f"Run {run.pk} has no posted invoices: there is nothing to compare yet. (1)"
    with pytest.raises(CommandError, match=r"^There is no billing run with the id 9\.$"):
        call_command("verify_run", "9")


def test_verifying_asks_the_same_queries_however_many_invoices_there_are_and_changes_nothing() -> None:
    seen = set()
    for customers in (1, 3):
        for _ in range(customers):
            acme, call = customer_at("1")
            use(acme, call, 5)
        run = post(bill(invoice_date=AT.date()))
        before = list(Invoice.objects.order_by("id").values())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert verify_run(run_id=run.pk).is_identical
        seen.add(len(queries))
        assert list(Invoice.objects.order_by("id").values()) == before
    assert len(seen) == 1


def test_a_transaction_whose_amount_has_more_digits_than_are_kept_is_proved() -> None:
    acme, _ = customer_at("1")
    third = Decimal("0.333333333333333333")
    TransactionFactory(customer=acme, quantity=third, unit_price=third)
    run = post(bill())
    # 0.333333333333333333 squared is 0.11111111111111111088 8888..., kept with 18 decimals.
    assert invoice(run, acme).lines.get().exact_amount == Decimal("0.111111111111111111")
    assert verified(run).startswith("identical: 1 of 1\n")


def test_a_run_has_no_root_before_all_that_it_invoices_is_posted() -> None:
    acme, call = customer_at("1")
    bell = CustomerFactory(rate_cards=[rate_of(call).rate_card])
    for customer in (acme, bell):
        use(customer, call, 5)
    run = bill()
    part = approve_run(run_id=run.pk, at=AT, account_ids=[account(run, acme).pk])
    assert part.proof_root == ""
    assert verified(part).startswith("identical: 1 of 1\nThe run has no root yet")
    assert len(post(run).proof_root) == 64
