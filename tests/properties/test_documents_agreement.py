"""Documents that a run makes in SQL are those that the engine makes in Python, and a preview shows the same."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from billing.models import BillingRun, RunAccount
from billing.operations.preview import PreviewAccount, preview_run
from billing.operations.runs import commence_run
from catalog.engine.documents import Charge, Document, Terms, make_document
from catalog.engine.rates import Rate
from invoicing.models import Invoice
from tests.properties.company import LATE_BEFORE, Party, make_company
from tests.properties.drawn import DrawnCustomer, DrawnPrices, currencies, customers, prices
from tests.properties.priced import Charged, engine_charges
from tests.runs import AT, account, new_run, produce
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db
suppressed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def expected_document(party: Party) -> Document | None:
    """What the engine makes of the customer's records, with the unpriced left out."""
    currency = party.customer.currency
    by_record = engine_charges(party)
    rates = {rate.id: rate for rate in party.rates}
    charges = [
        _charge(party, record, by_record[record.id], rates) for record in party.records if record.id in by_record
    ]
    least = Decimal(1).scaleb(-currency.minor_units) if party.drawn.minimum is None else party.drawn.minimum
    return make_document(
        charges, Terms(tax_percent=party.drawn.tax_percent, minor_units=currency.minor_units, minimum_amount=least)
    )


def _charge(party: Party, record: UsageDataRecord, charged: Charged, rates: dict[int, Rate]) -> Charge:
    is_late = party.drawn.has_earlier_invoice and record.billing_effective_date < LATE_BEFORE
    return Charge(
        product_code=record.product.code,
        region=record.region,
        usage_type=record.usage_type.name,
        rate=rates[charged.rate_id] if charged.rate_id else None,
        late_period=record.billing_effective_date.replace(day=1) if is_late else None,
        quantity=charged.quantity if charged.billed_quantity is None else charged.billed_quantity,
        amount=charged.amount,
    )


def shown(document: Document) -> list[tuple[object, ...]]:
    return [
        ("net", document.net_amount, document.tax_amount, document.total_amount, document.is_credit_note),
        *(
            (
                line.product_code,
                line.region,
                line.usage_type,
                line.rate.id if line.rate else None,
                line.late_period,
                line.quantity,
                line.exact_amount,
                line.amount,
                line.charge_count,
            )
            for line in document.lines
        ),
    ]


LINE = (
    *("product_code", "region", "usage_type", "rate_id", "late_period"),
    *("quantity", "exact_amount", "amount", "charge_count"),
)


def stored(invoice: Invoice) -> list[tuple[object, ...]]:
    return [
        ("net", invoice.net_amount, invoice.tax_amount, invoice.total_amount, invoice.kind == "CREDIT_NOTE"),
        *invoice.lines.order_by("line_number").values_list(*LINE),
    ]


def check(run: BillingRun, party: Party) -> None:
    expected, found = expected_document(party), account(run, party.customer)
    event("not invoiced" if expected is None else "credit note" if expected.is_credit_note else "invoice")
    if expected is None:
        assert found.invoice is None
        return
    assert found.invoice is not None, found.reason
    assert stored(found.invoice) == shown(expected)
    assert found.exact_amount == expected.exact_amount
    assert found.record_count == sum(line.charge_count for line in expected.lines)


def as_previewed(account: RunAccount) -> PreviewAccount:
    made, zero = account.invoice, Decimal(0)
    return PreviewAccount(
        customer_id=account.customer_id,
        account_number=account.customer.account_number,
        customer_name=account.customer.name,
        outcome=account.outcome,
        reason=account.reason,
        currency=account.currency_id,
        record_count=account.record_count,
        exact_amount=account.exact_amount,
        net_amount=made.net_amount if made else zero,
        tax_amount=made.tax_amount if made else zero,
        total_amount=made.total_amount if made else zero,
    )


@settings(max_examples=30, suppress_health_check=suppressed)
@given(currencies, st.lists(customers, min_size=1, max_size=3), prices())
def test_a_run_makes_the_documents_that_the_engine_makes(
    currency: str, drawn: list[DrawnCustomer], drawn_prices: DrawnPrices
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_prices)
    run = produce(commence_run(run_id=new_run(subrun=subrun, bill_unpriced=True).pk, at=AT, without_preflight=True))
    for party in parties:
        check(run, party)


@settings(max_examples=12, suppress_health_check=suppressed)
@given(st.booleans(), currencies, st.lists(customers, min_size=1, max_size=3), prices())
def test_a_preview_shows_what_the_run_then_makes_for_every_customer(
    bill_unpriced: bool,  # noqa: FBT001  hypothesis gives it by position
    currency: str,
    drawn: list[DrawnCustomer],
    drawn_prices: DrawnPrices,
) -> None:
    subrun, parties = make_company(currency, drawn, drawn_prices)
    run = new_run(subrun=subrun, bill_unpriced=bill_unpriced)
    preview = preview_run(run_id=run.pk, at=AT)
    produce(commence_run(run_id=run.pk, at=AT, without_preflight=True))
    produced = [as_previewed(account(run, party.customer)) for party in parties]
    assert list(preview.accounts) == produced
