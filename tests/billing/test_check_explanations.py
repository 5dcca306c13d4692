"""All charges of an invoice explained at once, and the commands that do so."""

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.queries import price_lists
from billing.queries.check_explanations import check_explanations
from billing.queries.price_lists import PriceLists
from catalog.engine.rates import Rate
from catalog.engine.selection import Use
from customers.models import Customer
from invoicing.models import Invoice, UsageCharge
from tests.billing.received import behind_its_back
from tests.factories import SourceSystemFactory
from tests.runs import bill, customer_at, invoice, post, use
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db(transaction=True)


def printed(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def acme() -> Customer:
    """Three records of 40 s at 0.003, on an invoice of 0.36 USD."""
    customer, call = customer_at("0.003", name="Acme")
    for number in ("R1", "R2", "R3"):
        use(customer, call, 40, number=number)
    return customer


def tamper(number: str) -> None:
    with behind_its_back():
        UsageCharge.objects.filter(record__number=number).update(amount=Decimal("0.13"))


def test_every_charge_is_what_it_is_explained_to_be(acme: Customer) -> None:
    document = invoice(bill(), acme)
    checked = check_explanations(invoice_id=document.pk)
    assert (checked.charge_count, checked.explained_count, checked.unequal_count) == (3, 3, 0)
    assert checked.is_complete


def test_those_that_are_not_are_named(acme: Customer) -> None:
    document = invoice(bill(), acme)
    tamper("R2")
    checked = check_explanations(invoice_id=document.pk)
    assert (checked.explained_count, checked.unequal_count) == (3, 1)
    (found,) = checked.unequal
    assert found.record == UsageDataRecord.objects.get(number="R2")
    assert found.fault == "The explanation comes to 0.12, the charge says 0.13."


def test_a_limit_bounds_the_work(acme: Customer) -> None:
    document = invoice(bill(), acme)
    tamper("R3")
    checked = check_explanations(invoice_id=document.pk, limit=2)
    assert (checked.charge_count, checked.explained_count, checked.unequal_count) == (3, 2, 0)
    assert not checked.is_complete


def test_what_charges_have_in_common_is_looked_up_once(acme: Customer) -> None:
    document = invoice(bill(), acme)
    with CaptureQueriesContext(connection) as of_three:
        check_explanations(invoice_id=document.pk)
    with CaptureQueriesContext(connection) as of_one:
        check_explanations(invoice_id=document.pk, limit=1)
    # Where it ends early, it counts how many there are.
    assert len(of_three) == len(of_one) - 1


def test_destinations_without_end_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    customer, call = customer_at("0.003")
    for number in range(7):
        use(customer, call, 40, destination=f"4420{number}")
    document = invoice(bill(), customer)
    kept: list[int] = []
    looked_up = PriceLists.rates_for

    def rates_for(lists: PriceLists, asked: Use, *, product_id: int) -> list[Rate]:
        found = looked_up(lists, asked, product_id=product_id)
        kept.append(len(lists._rates))
        return found

    monkeypatch.setattr(price_lists, "KEPT_DESTINATIONS", 3)
    monkeypatch.setattr(PriceLists, "rates_for", rates_for)
    assert check_explanations(invoice_id=document.pk).unequal == ()
    assert kept == [1, 2, 3, 1, 2, 3, 1]


def test_an_invoice_that_there_is_not() -> None:
    with pytest.raises(Invoice.DoesNotExist):
        check_explanations(invoice_id=1)


def test_the_command_checks_invoices(acme: Customer) -> None:
    run = bill()
    document = invoice(run, acme)
    assert printed("check_explanations", str(document.pk)) == f"{document}: 3 of 3 charges are as explained.\n"
    post(run)
    tamper("R2")
    out = StringIO()
    with pytest.raises(CommandError, match="1 charge is not what it is explained to be"):
        call_command("check_explanations", "INV-000001", stdout=out)
    assert out.getvalue() == (
        "INV-000001: 2 of 3 charges are as explained.\n  R2: The explanation comes to 0.12, the charge says 0.13.\n"
    )
    with pytest.raises(CommandError, match="There is no invoice with the number “INV-9”"):
        printed("check_explanations", "INV-9")


def test_the_command_explains_a_record(acme: Customer) -> None:
    assert printed("explain_charge", "R1").splitlines()[0] == "Record R1 would cost 0.12 USD now."
    bill()
    text = printed("explain_charge", "R1", source="Switch")
    assert text.splitlines()[0] == "Record R1 costs 0.12 USD on a draft invoice, line 1."
    assert "  3. 40 second x 0.003 = 0.12." in text
    tamper("R1")
    out = StringIO()
    with pytest.raises(CommandError, match="The charge is not what it is explained to be"):
        call_command("explain_charge", "R1", stdout=out)
    assert "FAULT: The explanation comes to 0.12, the charge says 0.13." in out.getvalue()


def test_the_command_says_which_record_it_cannot_explain(acme: Customer) -> None:
    other, call = customer_at("0.003")
    use(other, call, 40, number="R1", source_system=SourceSystemFactory(name="Exchange"))
    use(other, call, 40, number="R9", billing_directive="NOT_TO_BE_BILLED")
    for arguments, sentence in (
        (("R1",), "There are records with the number R1 from Exchange, Switch: say which with --source."),
        (("R7",), "There is no usage data record with the number R7."),
        (("R1", "--source", "Nowhere"), "There is no source system “Nowhere”."),
        (("R3", "--source", "Exchange"), "There is no usage data record with the number R3 from Exchange."),
        (("R9",), "Record R9 (posted, not to be billed) is neither charged nor pending: it has no price to explain."),
    ):
        with pytest.raises(CommandError) as refused:
            printed("explain_charge", *arguments)
        assert str(refused.value) == sentence
