"""The digest of a posted document, taken again in Python as `invoicing.operations.content` says."""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection

from catalog.models import RateTier, TaxRate
from invoicing.models import Invoice, NumberSeries
from tests.billing.received import behind_its_back
from tests.factories import LegalEntityFactory, TransactionFactory
from tests.runs import bill, customer_at, invoice, plain, post, rate_of, use

pytestmark = pytest.mark.django_db


def sha256(*rows: str) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def digests(document: Invoice) -> dict[str, str]:
    """By part, in their order; they have to be what the document's digest is of."""
    assert document.content_version == 2
    assert hashlib.sha256(document.content_parts.encode()).hexdigest() == document.content_sha256
    return {name: digest for digest, name in (row.split("  ") for row in document.content_parts.split("\n"))}


def test_the_digest_is_that_of_what_the_document_says_and_was_made_from() -> None:
    acme, call = customer_at(
        "0.5", account_number="ACME", name="Acme “R&D”", address='1 "Main" St\nTown', rate__increment=Decimal(2)
    )
    call.code, call.name, call.product_group, call.product_line = "CALL", "Call | x", "", "Voice\t"
    call.save()
    use(acme, call, 5, number="R2", destination="4930", on="2026-01-15T12:00", to_date=utc(12, 1))
    use(acme, call, 3, number="R1", on="2026-01-15T12:00", to_date=utc(12, 0), billing_directive="TO_BE_CREDITED")
    TransactionFactory(customer=acme, unit_price=Decimal("3.10"), transaction_date=date(2026, 1, 10))
    TaxRate.objects.update(note='As "agreed"')
    seller = {"name": "North & Co", "address": "1 High Street\nLeeds", "vat_number": "GB9", "registration": "Leeds 12"}
    entity = LegalEntityFactory(payment_details="IBAN GB00", is_default=True, **seller)
    NumberSeries.objects.filter(legal_entity=entity, kind="INVOICE").update(prefix="INV-")
    document = invoice(post(bill()), acme)
    # 5 are raised to 6, 3 to 4: 6 x 0.5 - 4 x 0.5 = 1; with 3.10 that is 4.10, and 20 % of it 0.82.
    noon = int(datetime(2026, 1, 15, 12, tzinfo=UTC).timestamp())
    assert digests(document) == {
        "document": sha256(
            '"INV-000001"|INVOICE|USD|2026-01-01|2026-02-01|2026-02-01|2026-03-03|2026-01-31|"en"|""||""|4.1|0.82|4.92'
        ),
        "seller": sha256(r'"North & Co"|"1 High Street\nLeeds"|"GB9"|"Leeds 12"|"IBAN GB00"'),
        "buyer": sha256(r'"Acme “R&D”"|"1 \"Main\" St\nTown"|""'),
        "lines": sha256(
            r'1|USAGE|"CALL"|"Call | x"|""|"Voice\t"|""|"Call"|"second"|""||2|0.5|1|1|1|20|2|""|',
            '2|MANUAL|""|""|""|""|""|""|""|"Set-up"||1|3.1|1|3.1|3.1|20|0|""|',
        ),
        "taxes": sha256('"VAT 20.0000 %"|20|4.1|0.82|"As \\"agreed\\""'),
        # Region, prefix, model, price, unit, fee, least quantity, first increment, increment, least, most, included ...
        "rates": sha256('1|""||perUnit|0.5|1|0|0||2|||0|customer||halfUp|2020-01-01|'),
        "charges": sha256(
            "1|1|"
            + sha256(
                f'"R1"|TO_BE_CREDITED|3||{noon}|{noon}|""|-3|-4|-2|||||',
                f'"R2"|TO_BE_BILLED|5||{noon}|{noon + 60}|"4930"|5|6|3|||||',
            )
        ),
    }


def utc(hour: int, minute: int) -> datetime:
    return datetime(2026, 1, 15, hour, minute, tzinfo=UTC)


def test_counted_charges_are_cut_into_blocks_of_a_thousand() -> None:
    acme, call = customer_at("1", rate__pricing_model="graduated", rate__included_quantity=Decimal("0.5"))
    with behind_its_back():
        for start, price in ((1500, "0.25"), (200, "0.5")):
            RateTier.objects.create(rate=rate_of(call), from_quantity=Decimal(start), unit_price=Decimal(price))
    first = use(acme, call, 1, number="R0")
    columns = "customer_id, subscription_service_id, product_id, usage_type_id, source_system_id, is_late"
    columns += ", life_cycle_state, billing_directive, billing_effective_date, from_date, to_date, usage_amount"
    columns += ", destination, region, rating_type"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO usage_data_record (number, {columns}) SELECT 'R' || n, {columns}"
            " FROM usage_data_record, generate_series(1, 1000) n WHERE id = %s",
            [first.pk],
        )
        cursor.execute(
            "INSERT INTO pending_usage (record_id, customer_id, billing_effective_date)"
            " SELECT id, customer_id, billing_effective_date FROM usage_data_record WHERE id > %s",
            [first.pk],
        )
    document = invoice(post(bill()), acme)
    rows = sorted(
        "|".join(
            [
                json.dumps(charge.record.number, ensure_ascii=False),
                *("TO_BE_BILLED", plain(charge.record.usage_amount), ""),
                *(str(int(at.timestamp())) for at in (charge.record.from_date, charge.record.to_date)),
                *(json.dumps(charge.record.destination), "1", "1", plain(charge.amount), "2026-01-01"),
                *(plain(charge.quantity_before), plain(charge.quantity_total), "0.5", plain(charge.correction)),
            ]
        )
        for charge in document.lines.get().charges.select_related("record")
    )
    assert len(rows) == 1001
    found = digests(document)
    assert found["charges"] == sha256(f"1|1|{sha256(*rows[:1000])}", f"1|2|{sha256(*rows[1000:])}")
    terms = '1|""||graduated|1|1|0|0|||||0.5|customer||halfUp|2020-01-01|200=0.5,1500=0.25'
    assert found["rates"] == sha256(terms)


def test_a_credit_note_without_lines_of_usage_has_parts_of_nothing() -> None:
    acme, _ = customer_at("1")
    TransactionFactory(customer=acme, unit_price=Decimal(-3))
    document = invoice(post(bill()), acme)
    found = digests(document)
    assert list(found) == ["document", "seller", "buyer", "lines", "taxes", "rates", "charges"]
    assert (found["rates"], found["charges"]) == (sha256(), sha256())
    assert found["document"] == sha256(
        '"CN-000001"|CREDIT_NOTE|USD|2026-01-01|2026-02-01|2026-02-01|2026-03-03|2026-01-31|"en"|""||""|-3|-0.6|-3.6'
    )
