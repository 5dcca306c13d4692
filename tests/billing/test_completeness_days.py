"""By day of receipt and source system: received = accepted + duplicates + conflicts + quarantined, and so on."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.operations.usage_records import adjust_record, cancel_record
from billing.queries.completeness import day_figures, scope_of_days
from invoicing.models import Transaction
from tests.billing.received import (
    AT,
    DAY,
    behind_its_back,
    differences,
    faults,
    figures,
    file_of,
    noted,
    recorded,
    shares,
    single,
    switch,
)
from tests.factories import (
    CustomerFactory,
    PendingUsageFactory,
    UsageChargeFactory,
)
from tests.runs import bill, customer_at, post, use
from usage.choices import QuarantineState
from usage.models import QuarantinedLine, UsageImport

pytestmark = pytest.mark.django_db


def test_the_rows_of_a_file_add_up() -> None:
    file_of(5, duplicates=3, conflicts=2, quarantined=1)
    (found,) = figures()
    assert (found.day, found.received_count, found.accepted_count) == (DAY, 11, 5)
    assert (found.duplicate_count, found.conflict_count, found.quarantined_count) == (3, 2, 1)
    assert (found.conflict_row_count, found.quarantined_line_count, found.checked_at) == (2, 1, AT)
    # 5 records of 60 each.
    assert shares(found) == {
        "records": (5, Decimal(300)),
        "pending": (5, Decimal(300)),
        "charged": (0, Decimal(0)),
        "excluded": (0, Decimal(0)),
    }
    assert found.differences == []


def test_each_reason_to_exclude_a_record_is_counted() -> None:
    made = file_of(1)
    recorded(made, billing_directive="NOT_TO_BE_BILLED", usage_amount=2)
    recorded(made, life_cycle_state="CANCELLED", usage_amount=4)
    UsageImport.objects.filter(pk=made.pk).update(received_count=3, accepted_count=3)
    single(life_cycle_state="DRAFT", usage_amount=8)
    single(life_cycle_state="REJECTED", usage_amount=16)
    (found,) = figures()
    assert (found.received_count, found.accepted_count) == (5, 5)
    counts = (found.not_billed_count, found.draft_count, found.rejected_count, found.cancelled_count)
    assert counts == (1, 1, 1, 1)
    assert shares(found)["excluded"] == (4, Decimal(2 + 4 + 8 + 16))
    assert found.balances


def test_a_day_is_a_day_of_utc_and_of_receipt() -> None:
    file_of(1, started_at=datetime(2026, 2, 1, 0, 0, tzinfo=UTC))
    file_of(2, started_at=datetime(2026, 2, 1, 23, 59, 59, tzinfo=UTC))
    file_of(4, started_at=datetime(2026, 2, 2, 0, 0, tzinfo=UTC))
    single(at=datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))
    found = figures(date(2026, 1, 31), to_day=date(2026, 2, 2))
    assert [(each.day.isoformat(), each.received_count) for each in found] == [
        ("2026-02-02", 4),
        ("2026-02-01", 3),
        ("2026-01-31", 1),
    ]


def test_source_systems_have_lines_of_their_own() -> None:
    first, second = switch("First"), switch("Second")
    file_of(1, source_system=first)
    file_of(2, source_system=second)
    single(source_system=second)
    assert [(each.source_system_id, each.received_count) for each in figures()] == [(first.pk, 1), (second.pk, 3)]


def test_days_without_usage_and_files_that_were_refused_have_no_line() -> None:
    file_of(state="FAILED", sha256="")
    assert figures() == []


def test_what_went_in_from_the_quarantine_is_accepted_on_the_day_of_its_file() -> None:
    made = file_of(1, quarantined=2)
    line = QuarantinedLine.objects.order_by("id")[0]
    QuarantinedLine.objects.filter(pk=line.pk).update(state=QuarantineState.RESOLVED, decided_at=AT)
    recorded(made, created_at=AT)
    UsageImport.objects.filter(pk=made.pk).update(accepted_count=2, quarantined_count=1)
    (found,) = figures(to_day=AT.date())
    assert (found.accepted_count, found.quarantined_count, found.quarantined_line_count) == (2, 1, 1)
    assert found.balances


def test_a_dismissed_line_stays_quarantined() -> None:
    file_of(quarantined=1)
    QuarantinedLine.objects.update(state=QuarantineState.DISMISSED, decided_at=AT, note="A test call.")
    (found,) = figures()
    assert (found.quarantined_line_count, found.balances) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_a_record_goes_from_the_inbox_to_an_invoice_and_back() -> None:
    customer, product = customer_at("1")
    made = noted(3)
    use(customer, product, "1.5", usage_import=made)
    credited = use(customer, product, "2", usage_import=made, billing_directive="TO_BE_CREDITED")
    kept = use(customer, product, "4", usage_import=made)
    post(bill())
    (found,) = figures()
    # The charge of what is credited has the quantity -2; what was used is 2.
    assert shares(found)["charged"] == (3, Decimal("7.5"))
    assert found.balances

    cancel_record(record_id=credited.pk, at=AT, user_id=None)
    successor = adjust_record(record_id=kept.pk, values={"usage_amount": Decimal(5)}, at=AT, user_id=None)
    assert Transaction.objects.filter(reversed_charge__isnull=False).count() == 2
    with behind_its_back() as cursor:
        cursor.execute("UPDATE usage_data_record SET created_at = %s WHERE id = %s", [AT, successor.pk])
    first, second = reversed(figures(to_day=AT.date()))
    # The two cancelled ones have charges that were taken back; the successor came on the day on which it was made.
    assert shares(first) == {
        "records": (3, Decimal("7.5")),
        "pending": (0, Decimal(0)),
        "charged": (1, Decimal("1.5")),
        "excluded": (2, Decimal(6)),
    }
    assert (second.day, second.received_count, shares(second)["pending"]) == (date(2026, 2, 3), 1, (1, Decimal(5)))
    assert first.balances
    assert second.balances


def test_records_that_vanished_are_missing() -> None:
    file_of(100)
    with behind_its_back() as cursor:
        cursor.execute("DELETE FROM usage_data_record WHERE id IN (SELECT id FROM usage_data_record LIMIT 12)")
        cursor.execute(
            "DELETE FROM pending_usage p WHERE NOT EXISTS (SELECT FROM usage_data_record WHERE id = record_id)"
        )
    assert differences() == ["12 records are missing: 100 accepted, 88 there."]


def test_records_that_no_import_accepted_are_too_many() -> None:
    recorded(file_of(1))
    assert differences() == ["1 record is too many: 1 accepted, 2 there."]


def test_counts_of_an_import_that_were_changed_are_found() -> None:
    file_of(3, quarantined=2)
    with behind_its_back() as cursor:
        cursor.execute("UPDATE usage_import SET accepted_count = 4, quarantined_count = 1")
    assert differences() == [
        "1 record is missing: 4 accepted, 3 there.",
        "1 quarantined line is too many: 1 noted by imports, 2 kept.",
    ]


def test_quarantined_lines_that_vanished_are_missing() -> None:
    file_of(1, quarantined=3)
    with behind_its_back() as cursor:
        cursor.execute("DELETE FROM quarantined_line WHERE id IN (SELECT id FROM quarantined_line LIMIT 2)")
    assert differences() == ["2 quarantined lines are missing: 3 noted by imports, 1 kept."]


def test_conflicts_that_vanished_are_missing() -> None:
    file_of(1, conflicts=2)
    with behind_its_back() as cursor:
        cursor.execute("DELETE FROM usage_conflict")
    assert differences() == ["2 conflicts are missing: 2 noted by imports, 0 kept."]


def test_pending_usage_that_vanished_leaves_its_record_nowhere() -> None:
    record = recorded(noted(1), number="R-LOST")
    with behind_its_back() as cursor:
        cursor.execute("DELETE FROM pending_usage WHERE record_id = %s", [record.pk])
    assert differences() == [
        "1 record is missing: 1 there, 0 pending, charged or excluded.",
        "A quantity of 60 is missing: the records have 60, pending, charged and excluded are 0.",
        "1 record is not where it belongs.",
    ]
    assert faults() == [("R-LOST", "NOWHERE")]


def test_one_lost_record_is_not_made_up_for_by_one_that_is_in_two_places() -> None:
    made = noted(2)
    recorded(made, number="R-LOST", pending=False)
    twice = recorded(made, number="R-TWICE")
    UsageChargeFactory(line__invoice__customer=twice.customer, record=twice)
    assert differences() == ["2 records are not where they belong."]
    assert faults() == [("R-LOST", "NOWHERE"), ("R-TWICE", "PENDING_AND_CHARGED")]


def test_a_charge_that_vanished_or_names_another_quantity_is_found() -> None:
    made = noted(2)
    for number in ("R-GONE", "R-LESS"):
        record = recorded(made, number=number, pending=False)
        UsageChargeFactory(line__invoice__customer=record.customer, record=record)
    with behind_its_back() as cursor:
        cursor.execute(
            "DELETE FROM usage_charge c USING usage_data_record r WHERE r.id = record_id AND number = 'R-GONE'"
        )
        cursor.execute("UPDATE usage_charge SET quantity = 59")
    # 2 x 60 were used, 59 are charged.
    assert differences() == [
        "1 record is missing: 2 there, 1 pending, charged or excluded.",
        "A quantity of 61 is missing: the records have 120, pending, charged and excluded are 59.",
        "2 records are not where they belong.",
    ]
    assert faults() == [("R-GONE", "NOWHERE"), ("R-LESS", "CHARGED_OTHERWISE")]


def test_a_reversal_that_vanished_leaves_a_cancelled_record_charged() -> None:
    record = recorded(noted(1), number="R-BACK", pending=False)
    UsageChargeFactory(line__invoice__customer=record.customer, record=record)
    with behind_its_back() as cursor:
        cursor.execute("UPDATE usage_data_record SET life_cycle_state = 'CANCELLED'")
    assert faults() == [("R-BACK", "EXCLUDED_BUT_CHARGED")]
    assert "1 record is too many: 1 there, 2 pending, charged or excluded." in differences()


def test_a_charge_that_was_taken_back_from_a_record_that_stands_is_found() -> None:
    record = recorded(noted(1), number="R-STANDS", pending=False)
    charge = UsageChargeFactory(line__invoice__customer=record.customer, record=record)
    with behind_its_back() as cursor:
        cursor.execute(
            "INSERT INTO transaction (customer_id, kind, description, quantity, unit_price, currency_id,"
            " transaction_date, reversed_charge_id) VALUES (%s, 'REVERSAL', 'x', -1, 0.6, 'USD', '2026-02-01', %s)",
            [record.customer_id, charge.pk],
        )
    assert faults() == [("R-STANDS", "REVERSED_BUT_POSTED")]


def test_other_faults_of_place_are_told_apart() -> None:
    made = noted(4)
    excluded = recorded(made, number="A", billing_directive="NOT_TO_BE_BILLED")
    PendingUsageFactory(record=excluded)
    recorded(made, number="B")
    recorded(made, number="C")
    charged = recorded(made, number="D", pending=False)
    UsageChargeFactory(line__invoice__customer=charged.customer, record=charged)
    other = CustomerFactory()
    with behind_its_back() as cursor:
        of = "FROM usage_data_record r WHERE r.id = record_id AND r.number ="
        cursor.execute(f"UPDATE pending_usage p SET customer_id = %s {of} 'B'", [other.pk])
        cursor.execute(f"UPDATE pending_usage p SET billing_effective_date = '2030-01-01' {of} 'C'")
        cursor.execute(f"UPDATE usage_charge c SET customer_id = %s {of} 'D'", [other.pk])
    assert faults() == [
        ("A", "EXCLUDED_BUT_PENDING"),
        ("B", "PENDING_ELSEWHERE"),
        ("C", "PENDING_ELSEWHERE"),
        ("D", "CHARGED_ELSEWHERE"),
    ]


def test_the_first_twenty_misplaced_records_are_named() -> None:
    made = noted(25)
    for number in range(25):
        recorded(made, number=f"R{number:02}", pending=False)
    (found,) = figures()
    assert found.misplaced_count == 25
    assert [record.number for record in found.misplaced] == [f"R{number:02}" for number in range(20)]
    assert found.misplaced[0].detail.startswith("It is to be billed, but it is neither pending nor charged")


def test_quantities_of_more_than_28_digits_are_added_exactly() -> None:
    single(usage_amount=Decimal("12345678901234567890.123456789012345678"))
    single(usage_amount=Decimal("0.000000000000000001"), billing_directive="NOT_TO_BE_BILLED")
    (found,) = figures()
    assert found.record_quantity == Decimal("12345678901234567890.123456789012345679")
    assert found.balances


def test_only_the_days_and_the_source_that_are_asked_for_are_counted() -> None:
    file_of(1, started_at=datetime(2026, 1, 1, tzinfo=UTC))
    single(at=datetime(2026, 1, 1, tzinfo=UTC))
    file_of(1)
    other = switch("Other")
    file_of(2, source_system=other)
    single(source_system=other)
    scope = scope_of_days(from_day=DAY, to_day=DAY, source_system_id=other.pk)
    assert [found.received_count for found in day_figures(scope, at=AT)] == [3]
