"""Posted documents never change: not by SQL, not by a bulk update, not by the ORM."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.db import connection

from invoicing.models import CreditedCharge, CreditUse, Invoice, InvoiceLine, InvoiceTax, Transaction, UsageCharge
from tests.factories import (
    AccountCreditFactory,
    CreditUseFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    InvoiceTaxFactory,
    TaxRateFactory,
    TransactionFactory,
    UsageChargeFactory,
    post,
)
from tests.refusals import refused

pytestmark = pytest.mark.django_db

Part = InvoiceLine | InvoiceTax | UsageCharge | CreditUse
PARTS: dict[str, type[Part]] = {
    "invoice_line": InvoiceLine,
    "invoice_tax": InvoiceTax,
    "usage_charge": UsageCharge,
    "credit_use": CreditUse,
}
# What else refers to a document or its parts: it says what became of it, and has rules of its own.
NO_PARTS = {"RenderedInvoice", "InvoiceDelivery", "Transaction", "CreditedCharge", "PriceCorrection"}
POSTED = "Invoice INV-000001 is posted: it does not change. Correct it with a credit note."


@dataclass(frozen=True)
class Documents:
    """A posted invoice and a draft, each with lines, a tax, a charge, a transaction and the use of a credit."""

    posted: Invoice
    draft: Invoice


def make_draft() -> Invoice:
    invoice = InvoiceFactory()
    line = InvoiceLineFactory(invoice=invoice)
    InvoiceTaxFactory(invoice=invoice)
    UsageChargeFactory(line=line)
    fee = InvoiceLineFactory(invoice=invoice, kind="ONE_OFF")
    TransactionFactory(customer=invoice.customer, kind=fee.kind, unit_price=fee.exact_amount, invoice_line=fee)
    CreditUseFactory(credit__customer=invoice.customer, line__invoice=invoice)
    InvoiceLineFactory(invoice=invoice, kind="CREDIT", coupon_code="UNUSED", amount=Decimal(-4))
    return invoice


@pytest.fixture
def documents() -> Documents:
    return Documents(posted=post(make_draft()), draft=make_draft())


def columns(table: str) -> list[tuple[str, str]]:
    """The columns of a table with their types, those that PostgreSQL computes left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        return [(name, kind) for name, kind in cursor.fetchall()]


def other_value(column: str, kind: str) -> str:
    """An SQL expression for a value of that type which the row does not have yet."""
    return {
        "bigint": f"coalesce({column}, 0) + 1000",
        "smallint": f"coalesce({column}, 0) + 1",
        "integer": f"coalesce({column}, 0) + 1000",
        "numeric": f"coalesce({column}, 0) + 1",
        "date": f"coalesce({column}, '2026-01-01') + 1",
        "timestamp with time zone": f"coalesce({column}, now()) + interval '1 day'",
        "character varying": f"CASE {column} WHEN 'x' THEN 'y' ELSE 'x' END",
        "text": f"coalesce({column}, '') || 'x'",
        "xid8": "'1'::xid8",
        "boolean": f"NOT {column}",
    }[kind]


def execute(statement: str, parameters: list[int] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def copied_in(statement: str, row: list[object]) -> None:
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write_row(row)


def every_column_is_refused(table: str, condition: str, by: str) -> Iterator[str]:
    for column, kind in columns(table):
        with refused(by=by):
            execute(f"UPDATE {table} SET {column} = {other_value(column, kind)} WHERE {condition}")
        yield column


def test_no_column_of_a_posted_invoice_changes(documents: Documents) -> None:
    refusals = set(
        every_column_is_refused("invoice", f"id = {documents.posted.id}", f"{POSTED}|Cannot update rows from invoice")
    )
    # So that the loop over the columns cannot pass by finding none.
    assert {field.column for field in Invoice._meta.concrete_fields} == refusals


def test_not_even_an_update_that_changes_nothing_passes(documents: Documents) -> None:
    with refused(by=POSTED):
        execute("UPDATE invoice SET state = 'POSTED' WHERE state = 'POSTED'")


@pytest.mark.parametrize("model", PARTS.values())
def test_the_orm_updates_no_part(documents: Documents, model: type[Part]) -> None:
    for invoice in (documents.posted, documents.draft):
        assert invoice.lines.count() == 4
    row = model.objects.first()
    assert row is not None
    fields = [field.name for field in model._meta.concrete_fields if not (field.primary_key or field.generated)]
    for change in (
        row.save,
        lambda: model.objects.bulk_update([row], fields),  # type: ignore[list-item]  # of that model
        lambda: model.objects.update(**{fields[0]: getattr(row, fields[0])}),
    ):
        with refused(by=f"Cannot update rows from {model._meta.db_table}"):
            change()


def test_every_table_of_documents_is_tried() -> None:
    """A model that refers to a document or to one of its parts is a part, or said not to be."""
    of_documents = {Invoice, *PARTS.values()}
    referring = {
        relation.related_model.__name__
        for model in of_documents
        for relation in model._meta.related_objects
        if relation.related_model not in of_documents and relation.related_model._meta.app_label == "invoicing"
    }
    assert {CreditedCharge.__name__, Transaction.__name__} < referring
    assert referring <= NO_PARTS


@pytest.mark.parametrize(("table", "model"), PARTS.items())
def test_no_column_of_a_part_changes(documents: Documents, table: str, model: type[Part]) -> None:
    ids = ", ".join(str(row.id) for row in model.objects.all())
    refusals = set(every_column_is_refused(table, f"id IN ({ids})", f"Cannot update rows from {table}"))
    assert {field.column for field in model._meta.concrete_fields} == refusals


def test_no_column_of_a_transaction_on_a_posted_invoice_changes(documents: Documents) -> None:
    condition = f"invoice_line_id IN (SELECT id FROM invoice_line WHERE invoice_id = {documents.posted.id})"
    refusals = set(every_column_is_refused("transaction", condition, POSTED))
    assert {field.column for field in Transaction._meta.concrete_fields} - {"amount"} == refusals
    with refused(by=POSTED):
        execute(f"DELETE FROM transaction WHERE {condition}")


def change_by_save(invoice: Invoice) -> None:
    invoice.customer_name = "Another name"
    invoice.save()


@pytest.mark.parametrize(
    "change",
    [
        change_by_save,
        lambda invoice: Invoice.objects.filter(id=invoice.id).update(customer_name="Another name"),
        lambda invoice: Invoice.objects.bulk_update([Invoice(id=invoice.id, message="Hello")], ["message"]),
        lambda invoice: Invoice.objects.filter(id=invoice.id).update(
            state="DRAFT", number=None, series=None, sequence_number=None, posted_at=None
        ),
    ],
    ids=["save", "update", "bulk_update", "back to draft"],
)
def test_the_orm_changes_drafts_only(documents: Documents, change: Callable[[Invoice], object]) -> None:
    with refused(by=POSTED):
        change(documents.posted)
    change(documents.draft)


def delete(table: str, invoice: Invoice) -> int:
    condition = {
        "invoice": "id = %s",
        "invoice_line": "invoice_id = %s",
        "invoice_tax": "invoice_id = %s",
        "usage_charge": "line_id IN (SELECT id FROM invoice_line WHERE invoice_id = %s)",
        "credit_use": "line_id IN (SELECT id FROM invoice_line WHERE invoice_id = %s)",
    }[table]
    return execute(f"DELETE FROM {table} WHERE {condition}", [invoice.id])


@pytest.mark.parametrize("table", ["invoice_tax", "usage_charge", "credit_use", "invoice_line", "invoice"])
def test_nothing_of_a_posted_invoice_is_deleted(table: str) -> None:
    # Each with nothing below it, so that no foreign key refuses before the document does.
    draft, invoice = InvoiceFactory(), InvoiceFactory()
    if table == "invoice_tax":
        InvoiceTaxFactory(invoice=draft), InvoiceTaxFactory(invoice=invoice)
    if table == "invoice_line":
        InvoiceLineFactory(invoice=draft), InvoiceLineFactory(invoice=invoice)
    if table == "usage_charge":
        UsageChargeFactory(line__invoice=draft), UsageChargeFactory(line__invoice=invoice)
    if table == "credit_use":
        CreditUseFactory(line__invoice=draft, credit__customer=draft.customer)
        CreditUseFactory(line__invoice=invoice, credit__customer=invoice.customer)
    post(invoice)
    with refused(by=POSTED):
        delete(table, invoice)
    with refused(by=POSTED):
        delete(table, draft)
        delete(table, invoice)
    assert delete(table, draft) == 1


def test_the_orm_deletes_a_draft_with_its_lines_and_taxes_but_no_posted_invoice() -> None:
    draft, invoice = InvoiceFactory(), InvoiceFactory()
    for one in (draft, invoice):
        InvoiceLineFactory(invoice=one)
        InvoiceTaxFactory(invoice=one)
    post(invoice)
    with refused(by=POSTED):
        invoice.delete()
    with refused(by=POSTED):
        Invoice.objects.filter(id=invoice.id).delete()
    assert draft.delete() == (3, {"invoicing.Invoice": 1, "invoicing.InvoiceLine": 1, "invoicing.InvoiceTax": 1})
    assert (InvoiceLine.objects.count(), InvoiceTax.objects.count()) == (1, 1)


def test_lines_with_charges_are_not_deleted_under_them() -> None:
    line = UsageChargeFactory().line
    with refused(by="invoice_line .* is used by usage_charge"):
        line.delete()


@pytest.mark.parametrize("table", ["invoice", *PARTS])
def test_no_table_of_documents_is_truncated_while_an_invoice_is_posted(documents: Documents, table: str) -> None:
    # The rows were written in this transaction: PostgreSQL wants their foreign keys checked before it would truncate.
    connection.check_constraints()
    with refused(by=POSTED):
        execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "add",
    [
        lambda invoice: InvoiceLineFactory(invoice=invoice),
        lambda invoice: InvoiceTaxFactory(invoice=invoice, tax_rate__percent=7),
        lambda invoice: UsageChargeFactory(line=invoice.lines.first()),
        lambda invoice: CreditUseFactory(
            credit=AccountCreditFactory(customer=invoice.customer, code="UNUSED"),
            line=invoice.lines.get(coupon_code="UNUSED"),
        ),
        lambda invoice: copied_in(
            "COPY invoice_tax (invoice_id, tax_rate_id, name, percent, net_amount, tax_amount) FROM STDIN",
            [invoice.id, TaxRateFactory(name="other").pk, "other", 0, 0, 0],
        ),
        lambda invoice: execute(
            "INSERT INTO invoice_tax (invoice_id, tax_rate_id, name, percent, net_amount, tax_amount)"
            " SELECT i.id, t.id, 'other', 0, 0, 0 FROM invoice i, tax_rate t WHERE t.name = 'other' AND i.id = %s",
            [invoice.id],
        ),
    ],
    ids=["line", "tax", "charge", "use of a credit", "tax by COPY", "tax by SQL"],
)
def test_nothing_is_added_to_a_posted_invoice(documents: Documents, add: Callable[[Invoice], object]) -> None:
    TaxRateFactory(name="other")
    with refused(by=POSTED):
        add(documents.posted)
    add(documents.draft)


def test_one_row_for_a_posted_invoice_among_many_refuses_the_statement(documents: Documents) -> None:
    draft = InvoiceLineFactory.build(invoice=documents.draft, line_number=10, tax_rate=TaxRateFactory())
    posted = InvoiceLineFactory.build(invoice=documents.posted, line_number=10, tax_rate=TaxRateFactory())
    with refused(by=POSTED):
        InvoiceLine.objects.bulk_create([draft, posted])


def test_no_transaction_is_put_on_a_posted_invoice(documents: Documents) -> None:
    line = documents.posted.lines.get(kind="USAGE")
    with refused(by=POSTED):
        TransactionFactory(customer=documents.posted.customer, invoice_line=line)
    waiting = TransactionFactory(customer=documents.posted.customer)
    with refused(by=POSTED):
        Transaction.objects.filter(id=waiting.id).update(invoice_line=line)
