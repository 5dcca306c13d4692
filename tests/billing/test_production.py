"""Production of a chunk: a customer whose data the database refuses fails alone, and what moved is taken again."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import RunChunk
from billing.operations.production import TEMPORARY_TABLES, prepare_session, produce_next_chunk
from billing.operations.runs import commence_run, complete_run
from customers.models import Customer
from invoicing.models import Invoice, UsageCharge
from tests.factories import CustomerFactory, RateFactory, TransactionFactory, UsageChargeFactory
from tests.runs import AT, account, bill, customer_at, invoice, new_run, outcome, pending, produce, rate_of, totals, use
from usage.models import UsageDataRecord

pytestmark = pytest.mark.django_db


def neighbours(count: int = 5, price: str = "1") -> tuple[list[Customer], Any]:
    """Customers of one price list who used 5 units each."""
    first, call = customer_at(price, account_number="A0")
    card = rate_of(call).rate_card
    customers = [first, *(CustomerFactory(account_number=f"A{n}", rate_cards=[card]) for n in range(1, count))]
    for customer in customers:
        use(customer, call, 5)
    return customers, call


def test_quantities_whose_sum_is_too_large_fail_their_account_alone() -> None:
    customers, call = neighbours(price="0.0001")
    faulty = customers.pop(2)
    for _ in range(2):
        use(faulty, call, "99999999999999999999")
    records = pending(faulty)
    run = bill()
    assert RunChunk.objects.count() == 1
    assert outcome(run, faulty) == ("failed", "The database refused this customer's data: numeric field overflow")
    assert (account(run, faulty).record_count, account(run, faulty).exact_amount) == (0, Decimal(0))
    assert pending(faulty) == records
    assert not Invoice.objects.filter(customer=faulty).exists()
    # 5 x 0.0001 = 0.0005: the neighbours' outcomes are what they are without it.
    assert [outcome(run, customer)[0] for customer in customers] == ["nothingToBill"] * 4
    assert run.status == "completed"


def test_an_amount_that_is_too_large_for_a_document_fails_its_account_alone() -> None:
    customers, call = neighbours()
    faulty = customers.pop()
    # Documents have 16 digits before the point: 10,000,000,000,000,000 is one too many.
    use(faulty, call, "1e16")
    run = bill()
    assert outcome(run, faulty) == ("failed", "The database refused this customer's data: numeric field overflow")
    assert [totals(invoice(run, customer)) for customer in customers] == ["5.00 + 1.00 = 6.00 USD"] * 4
    assert len(pending(faulty)) == 2


def test_a_record_that_was_charged_before_fails_its_account_and_is_not_charged_again() -> None:
    customers, _ = neighbours(3)
    faulty = customers.pop(0)
    record = UsageDataRecord.objects.get(customer=faulty)
    charge = UsageChargeFactory(line__invoice__customer=faulty, record=record)
    run = bill()
    assert outcome(run, faulty)[0] == "failed"
    assert "duplicate key value" in outcome(run, faulty)[1]
    assert list(UsageCharge.objects.filter(record=record)) == [charge]
    assert pending(faulty) == {record.id}
    assert [outcome(run, customer)[0] for customer in customers] == ["invoiced"] * 2


def test_all_faulty_fail_each_by_itself() -> None:
    customers, call = neighbours(3)
    for customer in customers:
        use(customer, call, "1e16")
    run = bill()
    assert [outcome(run, customer)[0] for customer in customers] == ["failed"] * 3
    assert run.status == "completed"


def test_what_failed_is_billed_by_the_next_run_once_it_can_be() -> None:
    (acme, bell), call = neighbours(2)
    too_large = use(acme, call, "1e16")
    assert outcome(bill(), acme)[0] == "failed"
    too_large.pending_usage.delete()
    assert totals(invoice(bill(), acme)) == "5.00 + 1.00 = 6.00 USD"
    assert pending(bell) == set()


@pytest.mark.django_db(transaction=True)
def test_it_leaves_no_temporary_table_and_no_setting_behind() -> None:
    neighbours(2)
    bill()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(name) FROM unnest(%s::text[]) AS name", [list(TEMPORARY_TABLES)])
        assert cursor.fetchall() == [(None,)] * len(TEMPORARY_TABLES)
        cursor.execute("SELECT name FROM pg_settings WHERE name IN ('jit', 'work_mem') AND setting <> reset_val")
        assert cursor.fetchall() == []


def test_chunks_are_produced_one_by_one_and_the_last_completes_the_run(settings: Any) -> None:
    settings.BILLING_CHUNK_RECORDS = 1
    customers, _ = neighbours(3)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    seen = []
    while produce_next_chunk(run_id=run.pk, at=AT):
        run.refresh_from_db()
        seen.append((run.status, [outcome(run, customer)[0] for customer in customers]))
    assert seen == [
        ("commenced", ["invoiced", "waiting", "waiting"]),
        ("commenced", ["invoiced", "invoiced", "waiting"]),
        ("completed", ["invoiced", "invoiced", "invoiced"]),
    ]
    # By the stopwatch of its worker.
    assert run.completed_at is not None
    assert AT <= run.completed_at < AT + timedelta(minutes=1)


def test_calls_that_find_nothing_to_do_do_nothing() -> None:
    customers, _ = neighbours(2)
    pending_run = new_run()
    assert produce_next_chunk(run_id=pending_run.pk, at=AT) is False
    run = bill()
    before = list(Invoice.objects.values())
    assert produce_next_chunk(run_id=run.pk, at=AT) is False
    assert produce_next_chunk(run_id=0, at=AT) is False
    assert list(Invoice.objects.values()) == before
    pending_run.refresh_from_db()
    assert pending_run.status == "pending"
    assert [len(pending(customer)) for customer in customers] == [0, 0]


def test_usage_and_transactions_taken_back_before_production_are_not_billed() -> None:
    acme, call = customer_at("1")
    kept, gone = use(acme, call, 5), use(acme, call, 7)
    fee = TransactionFactory(customer=acme, unit_price=Decimal(3))
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    gone.pending_usage.delete()
    fee.delete()
    assert totals(invoice(produce(run), acme)) == "5.00 + 1.00 = 6.00 USD"
    assert list(UsageCharge.objects.values_list("record_id", flat=True)) == [kept.id]


def test_lines_carry_what_the_product_is_called_now() -> None:
    acme, call = customer_at("1")
    use(acme, call, 5, region="EU")
    RateFactory(rate_card=rate_of(call).rate_card, product=call, region="EU", unit_price=Decimal(2))
    line = invoice(bill(), acme).lines.get()
    call.name = "Renamed"
    call.save()
    line.refresh_from_db()
    assert (line.product_code, line.product_name, line.product_group, line.product_line) == (
        call.code,
        f"Product {call.code}",
        "Voice",
        "Calls",
    )
    assert (line.region, line.usage_type, line.unit, line.unit_price) == ("EU", "Call", "second", Decimal(2))
    assert (line.tax_rate, line.charge_count) == (acme.tax_rate, 1)


@pytest.mark.parametrize(
    ("state", "fault"), [("53100", "disk full"), ("58030", "disk failing"), ("25006", "read-only server")]
)
def test_where_the_server_is_at_fault_nobody_fails_and_all_of_it_is_tried_again(state: str, fault: str) -> None:
    customers, _ = neighbours(2)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION '{fault}' USING ERRCODE = '{state}'; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON usage_charge FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()"
        )
    with pytest.raises(DatabaseError, match=fault):
        produce_next_chunk(run_id=run.pk, at=AT)
    assert [outcome(run, customer) for customer in customers] == [("waiting", "")] * 2
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse ON usage_charge")
    produce(run)
    assert {outcome(run, customer)[0] for customer in customers} == {"invoiced"}


def test_a_run_is_completed_when_its_last_chunk_is_produced_not_when_that_was_begun() -> None:
    neighbours(2)
    run = commence_run(run_id=new_run().pk, at=AT, chunk_records=1, without_preflight=True)
    first, second = run.chunks.order_by("number")
    # The one that was begun first took longest: 90.5 s; the other was done after 20 + 30 s.
    for chunk, begun, milliseconds in ((first, 0, 90_500), (second, 20, 30_000)):
        chunk.produced_at, chunk.duration_ms = AT + timedelta(seconds=begun), milliseconds
        chunk.save()
    assert complete_run(run_id=run.pk, at=AT + timedelta(seconds=20)) is True
    run.refresh_from_db()
    assert run.completed_at == AT + timedelta(seconds=90.5)


def test_a_run_that_is_completed_by_a_sweep_is_so_from_then_on() -> None:
    neighbours(1)
    run = commence_run(run_id=new_run().pk, at=AT, without_preflight=True)
    run.chunks.update(produced_at=AT, duration_ms=1_000)
    assert complete_run(run_id=run.pk, at=AT + timedelta(seconds=15)) is True
    run.refresh_from_db()
    assert run.completed_at == AT + timedelta(seconds=15)


def test_triggers_of_a_session_that_produces_catch_no_error_for_each_row() -> None:
    # Each asks for this setting; where it is no array, it catches the error, and that costs the more the more rows of
    # the transaction have constraints left for its end: to give 5,000 transactions back took 10 s instead of 1 s.
    with transaction.atomic():
        prepare_session()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('pgtrigger.ignore')::text[]")
            assert cursor.fetchone() == ([],)
            # What somebody has let be ignored stays so.
            cursor.execute("SELECT set_config('pgtrigger.ignore', '{some_trigger}', true)")
        prepare_session()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('pgtrigger.ignore')::text[]")
            assert cursor.fetchone() == (["some_trigger"],)
