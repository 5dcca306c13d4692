"""What tests on committed data leave behind: the database as migrations made it, whatever was posted."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from catalog.models import Currency, Product
from invoicing.models import Invoice, NumberSeries
from tests import emptying
from tests.factories import ProductFactory, UsageChargeFactory, post


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_a_posted_invoice_is_gone_after_a_test_and_currencies_and_series_are_not(time: str) -> None:
    assert not Invoice.objects.exists()
    assert Currency.objects.filter(code__in=["USD", "JPY"]).count() == 2
    assert sorted(NumberSeries.objects.values_list("kind", "next_number")) == [("CREDIT_NOTE", 1), ("INVOICE", 1)]
    assert post(UsageChargeFactory().line.invoice).number == "INV-000001"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("most_bytes", [emptying.MOST_BYTES, 0], ids=["deleted", "truncated"])
def test_every_row_is_as_migrations_made_it(monkeypatch: pytest.MonkeyPatch, most_bytes: int) -> None:
    monkeypatch.setattr(emptying, "MOST_BYTES", most_bytes)
    as_migrated, made = emptying.emptying(), rows()
    last_id = ProductFactory().pk
    post(UsageChargeFactory().line.invoice)
    Currency.objects.filter(code="JPY").update(name="Yen of a test")
    Currency.objects.filter(code="CHF").delete()
    Permission.objects.all().delete()
    ContentType.objects.create(app_label="a", model="test")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO price_window VALUES (1, '2026-01-01', '2026-02-01')")
    as_migrated.empty()
    assert rows() == made
    assert not Product.objects.exists()
    # Sequences go on.
    assert ProductFactory().pk > last_id


def rows() -> dict[str, list[str]]:
    """The rows of every table, as text, in order."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t ORDER BY 1")
            found[table] = [text for (text,) in cursor.fetchall()]
    return found
