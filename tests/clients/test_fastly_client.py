"""Published Fastly clients, pointed at the running server, read what it says.

Each is installed from PyPI by its lock file into an environment of its own. What a lock file pins is renewed by
`uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
-o tests/clients/NAME.lock tests/clients/NAME.in`, the newest client with `--upgrade`.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from customers.models import Customer
from customers.operations.api_keys import create_api_key
from invoicing.models import Invoice
from tests.factories.catalog import CurrencyFactory, ProductFactory, RateCardFactory, RateFactory, TaxRateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.invoicing import InvoiceFactory, InvoiceLineFactory, post
from tests.runs import use

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Path(__file__).parent
CLIENTS = ("newest", "before_5_6")
NOW = datetime(2026, 4, 20, 20, 0, tzinfo=UTC)


def python_with(client: str, folder: Path) -> Path:
    """The Python of a new environment with the client.

    Where it cannot be installed the test is skipped, or fails where `TOLLBOOK_REQUIRE_CLIENTS=1`.
    """
    uv = [sys.executable, "-m", "uv", "--quiet"]
    python = folder / "bin" / "python"
    for command in (
        [*uv, "venv", "--python", sys.executable, str(folder)],
        [*uv, "pip", "sync", "--python", str(python), "--require-hashes", str(HERE / f"{client}.lock")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            missing = f"The client of {client}.lock cannot be installed here: {done.stderr.strip()}"
            if os.environ.get("TOLLBOOK_REQUIRE_CLIENTS") == "1":
                pytest.fail(missing)
            pytest.skip(missing)
    return python


@pytest.fixture(autouse=True)
def _of_this_test(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "clients"}}
    cache.clear()
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def acme() -> Customer:
    """Three posted invoices, a draft, and 105 GB in April that wait to be billed at 0.10; others have invoices too."""
    card = RateCardFactory(currency=CurrencyFactory(code="USD"))
    storage = ProductFactory(code="STORE", name="Object storage", product_group="Storage", product_line="Objects")
    RateFactory(rate_card=card, product=storage, unit_price=Decimal("0.10"))
    acme = CustomerFactory(
        account_number="ACME-1", currency=card.currency, rate_cards=[card], tax_rate=TaxRateFactory(percent=Decimal(20))
    )
    for month in (1, 2, 3):
        invoice(acme, month)
    InvoiceFactory(customer=acme, period_start=date(2025, 12, 1), period_end=date(2026, 1, 1))
    invoice(CustomerFactory(account_number="OTHER-1"), 1)
    use(acme, storage, 105, on="2026-04-03", region="eu-west")
    return acme


def invoice(customer: Customer, month: int) -> Invoice:
    """Posted, of a month of 2026: 1,234 GB at 50 for 1,000, less a credit of 0.10; 20 % tax on 61.60 are 12.32."""
    draft = InvoiceFactory(
        customer=customer,
        net_amount=Decimal("61.60"),
        tax_amount=Decimal("12.32"),
        period_start=date(2026, month, 1),
        period_end=date(2026, month + 1, 1),
    )
    InvoiceLineFactory(
        invoice=draft,
        product_name="Object storage",
        product_group="Storage",
        product_line="Objects",
        region="eu-west",
        usage_type="Capacity",
        description="Object storage, eu-west",
        quantity=Decimal(1234),
        unit_price=Decimal(50),
        unit_size=Decimal(1000),
        exact_amount=Decimal("61.7"),
        amount=Decimal("61.70"),
    )
    InvoiceLineFactory(
        invoice=draft,
        kind="CREDIT",
        description="Welcome",
        coupon_code="HELLO",
        quantity=Decimal(1),
        unit_price=Decimal("-0.1"),
        exact_amount=Decimal("-0.1"),
        amount=Decimal("-0.10"),
    )
    return post(draft, at=datetime(2026, month + 1, 1, 9, 30, tzinfo=UTC))


def as_read(document: Invoice) -> dict[str, Any]:
    """The members that clients know of, as they read them."""
    month = document.period_start.month
    last_day = {1: "31", 2: "28", 3: "31"}[month]
    return {
        "invoice_id": str(document.pk),
        "customer_id": "ACME-1",
        "statement_number": document.number,
        "invoice_posted_on": f"2026-0{month + 1}-01T09:30:00+00:00",
        "billing_start_date": f"2026-0{month}-01T00:00:00+00:00",
        "billing_end_date": f"2026-0{month}-{last_day}T00:00:00+00:00",
        "currency_code": "USD",
        "monthly_transaction_amount": 61.6,
    }


def line(amount: float, rate: float, units: float, description: str, coupon: str, **texts: str) -> dict[str, Any]:
    """A line item with the members that clients know of, in either spelling."""
    named = {name: texts.get(name, "") for name in ("product_group", "product_line", "product_name", "region")}
    return named | {
        "usage_type": texts.get("usage_type", ""),
        "amount": amount,
        "rate": rate,
        "units": units,
        "description": description,
        "credit_coupon_code": coupon,
    }


STORAGE = {
    "product_group": "Storage",
    "product_line": "Objects",
    "product_name": "Object storage",
    "region": "eu-west",
}
LINES = [
    line(61.7, 0.05, 1234, "Object storage, eu-west", "", usage_type="Capacity", **STORAGE),
    line(-0.1, -0.1, 1, "Welcome", "HELLO"),
]


def read_by(client: str, folder: Path, address: str, key: str) -> Any:
    """What the client's script prints."""
    done = subprocess.run(
        [str(python_with(client, folder)), str(HERE / "read_invoices.py"), address, key],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def known(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Of what was found, the members that are expected; what the client has no name for is left out."""
    return {name: found[name] for name in expected}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_published_client_reads_all_of_it(client: str, tmp_path: Path, live_server: Any, acme: Customer) -> None:
    key = create_api_key(scopes=["read"], customer_id=acme.pk)[1]
    read = read_by(client, tmp_path / "environment", live_server.url, key)

    documents = list(Invoice.objects.filter(customer=acme, state="POSTED").order_by("-period_start"))
    metas = [page["meta"] for page in read["pages"]]
    assert [(meta["limit"], meta["total"], meta["sort"]) for meta in metas] == [
        (2, 3, "billing_start_date"),
        (1, 3, "billing_start_date"),
    ]
    rows = [row for page in read["pages"] for row in page["data"]]
    assert [known(row, as_read(document)) for row, document in zip(rows, documents, strict=True)] == [
        as_read(document) for document in documents
    ]
    for row in rows:
        items = row["transaction_line_items"]
        assert [known(item, wanted) for item, wanted in zip(items, LINES, strict=True)] == LINES
    assert read["one"] == rows[0]

    if client == "newest":
        month = read["month_to_date"]
        # 105 x 0.10 = 10.50
        expected = {
            "customer_id": "ACME-1",
            "invoice_id": "",
            "billing_start_date": "2026-04-01T00:00:00+00:00",
            "billing_end_date": "2026-04-20T00:00:00+00:00",
            "monthly_transaction_amount": "10.50",
        }
        assert known(month, expected) == expected
        wanted = line(10.5, 0.1, 105, "", "", **STORAGE)
        del wanted["usage_type"]
        assert [known(item, wanted) for item in month["transaction_line_items"]] == [wanted]
