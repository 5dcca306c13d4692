"""Real cloud usage: the FOCUS sample that the demo bills."""

import csv
from decimal import Decimal

import pytest
from django.db.models import Sum

from config.demo.load import FILE, load_company
from tests.usage.taking import counts, take
from usage.models import PendingUsage, QuarantinedLine, UsageDataRecord

pytestmark = pytest.mark.django_db


def test_all_of_the_sample_goes_in_but_the_credit() -> None:
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    source = load_company()
    with FILE.open("rb") as file_again:
        taken = take(file_again, source=source, name=FILE.name)
    assert taken.received_count == len(rows) == 1_000
    assert counts(taken) == {"accepted": 999, "quarantined": 1}

    line = QuarantinedLine.objects.get()
    ((position, credit),) = [(n, row) for n, row in enumerate(rows) if row["ChargeCategory"] == "Credit"]
    assert (line.line_number, line.reason, line.field, line.detail) == (
        position + 2,
        "UNKNOWN_PRODUCT",
        "product",
        "No usage product has the code “S78KHHH96AJF23KZ / Hours”.",
    )
    assert next(csv.reader([line.raw_text])) == list(credit.values())

    billable = [row for row in rows if row is not credit]
    quantities = [Decimal(row["PricingQuantity"]) for row in billable]
    assert min(quantities) < Decimal("0.000001"), "such small ones are what this is about"
    assert UsageDataRecord.objects.aggregate(sum=Sum("usage_amount")) == {"sum": sum(quantities)}
    stored = UsageDataRecord.objects.values_list("number", "usage_amount", "region", "subscription_service__identifier")
    assert set(stored) == {
        (
            row["Id"],
            Decimal(row["PricingQuantity"]),
            "" if row["RegionName"] == "NULL" else row["RegionName"],
            row["SubAccountId"] if row["ResourceId"] == "NULL" else row["ResourceId"],
        )
        for row in billable
    }
    assert PendingUsage.objects.count() == 999
