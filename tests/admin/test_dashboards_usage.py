"""Pictures of usage: what is behind each bar is what the bar says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test import Client

from billing.admin.usage_pictures import unbilled, unbilled_ages, unbilled_customers
from catalog.admin.base import list_url
from invoicing.models import CreditedCharge, UsageCharge
from reports.admin.figures import UsageDayAdmin
from reports.models import UsageDay
from reports.operations.figures import count_figures
from reports.queries.dashboards import UnbilledUsage
from tests import factories
from tests.admin.pictures import behind, listed, pictures, table
from tests.factories import post
from tests.factories.credit_notes import draft_note, note_line
from tests.pictured import charged

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


def test_usage_is_shown_by_its_day_and_leads_to_its_figures_and_charges(admin_client: Client) -> None:
    calls = factories.ProductFactory()
    charged(factories.CustomerFactory(), "0.60", "0.015", used="2026-02-03", product=calls)
    charged(factories.CustomerFactory(), "2.00", used="2026-02-03", product=factories.ProductFactory())
    charged(factories.CustomerFactory(), "4.00", used="2026-02-04", product=calls)
    # What is not behind the bar: waiting, in another currency, on a draft.
    factories.UsageDataRecordFactory(billing_effective_date=date(2026, 2, 3))
    charged(factories.CustomerFactory(currency__code="EUR"), "8.00", used="2026-02-03", product=calls)
    factories.UsageChargeFactory(record__billing_effective_date=date(2026, 2, 3), record__product=calls)
    count_figures(at=AT)
    picture = pictures(admin_client, "usage", currency="USD")["usage-by-day"]
    # 0.60 + 0.015 + 2.00 = 2.615, half up.
    assert table(picture) == [("2026-02-03", "3", "2.62"), ("2026-02-04", "1", "4.00")]
    figures = listed(admin_client, picture.rows[0].url)
    assert sorted(row.amount for row in figures) == [Decimal("0.615"), Decimal("2.00")]
    of_calls = next(row for row in figures if row.product_id == calls.pk)
    charges = listed(admin_client, charges_url(of_calls))
    assert sorted(charge.amount for charge in charges) == [Decimal("0.015"), Decimal("0.60")]


def charges_url(row: UsageDay) -> str:
    """Where the row of the list of figures leads to."""
    return unescape(str(UsageDayAdmin(UsageDay, site).used(row)).split('"')[3])


def test_the_charges_of_a_day_are_those_of_the_group_that_were_not_taken_back(admin_client: Client) -> None:
    group, calls = factories.CustomerGroupFactory(), factories.ProductFactory()
    invoice = charged(factories.CustomerFactory(groups=[group]), "0.60", "0.40", used="2026-02-03", product=calls)
    charged(factories.CustomerFactory(), "2.00", used="2026-02-03", product=calls)
    charge = UsageCharge.objects.get(amount=Decimal("0.60"))
    note = draft_note(invoice, invoice_date=date(2026, 2, 10), net_amount=Decimal("-0.60"), tax_amount=Decimal(0))
    CreditedCharge.objects.create(charge=charge, line=note_line(charge, invoice=note))
    count_figures(at=AT)

    def shown() -> list[tuple[Any, ...]]:
        picture = pictures(admin_client, "usage", group=group.pk)["usage-by-day"]
        (row,) = listed(admin_client, picture.rows[0].url)
        amounts = [charge.amount for charge in listed(admin_client, charges_url(row))]
        return [(*line, sorted(amounts)) for line in table(picture)]

    # As long as the credit note is a draft, nothing was taken back.
    assert shown() == [("2026-02-03", "2", "1.00", [Decimal("0.40"), Decimal("0.60")])]
    post(note)
    count_figures(at=AT)
    assert shown() == [("2026-02-03", "1", "0.40", [Decimal("0.40")])]


def test_a_day_that_is_none_is_no_fault(admin_client: Client) -> None:
    url = list_url("invoicing_usagecharge", record__billing_effective_date__exact="yesterday")
    assert admin_client.get(url).status_code == 302


def test_unbilled_usage_leads_to_the_inbox(admin_client: Client) -> None:
    service = factories.SubscriptionServiceFactory(customer__name="Waits")
    for _ in range(2):
        factories.UsageDataRecordFactory(subscription_service=service, billing_effective_date=date(2020, 1, 1))
    factories.UsageDataRecordFactory(subscription_service=service, billing_effective_date=date(2900, 1, 1))
    shown = pictures(admin_client, "usage")
    ages = shown["unbilled-by-age"]
    assert table(ages)[0] == ("up to 30 days", "1", "1")
    assert table(ages)[-1] == ("over 180 days", "1", "2")
    assert [row.url == "" for row in ages.rows] == [False, True, True, True, False]
    assert [behind(admin_client, ages.rows[place].url) for place in (0, -1)] == [1, 2]
    assert table(shown["waiting-longest"]) == [("Waits", "3", "2020-01-01")]
    assert behind(admin_client, shown["waiting-longest"].rows[0].url) == 3


def too_long() -> UnbilledUsage | None:
    """What is found of unbilled usage while the inbox cannot be counted in time."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE pending_usage")
        return unbilled(on=date(2026, 2, 1), group_id=None, timeout_ms=50)
    finally:
        other.close()


def test_an_inbox_that_takes_too_long_to_count_is_said_to() -> None:
    found = too_long()
    assert found is None
    ages = unbilled_ages(found, on=date(2026, 2, 1))
    assert (ages.rows, ages.chart, "takes too long" in ages.empty) == ((), None, True)


def test_an_inbox_that_takes_too_long_to_count_is_shown_as_it_was_counted() -> None:
    factories.PendingAgeFactory(customer__name="Waits", record_count=7, from_days=31, counted_at=AT)
    found = too_long()
    assert found is not None
    ages = unbilled_ages(found, on=date(2026, 3, 1))
    # By the age on the day of the count, 1 February: from 2025-12-03 (60 days) to 2026-01-01 (31 days).
    assert table(ages)[1] == ("31 to 60 days", "1", "7")
    assert parse_qs(urlsplit(ages.rows[1].url).query) == {
        "billing_effective_date__gte": ["2025-12-03"],
        "billing_effective_date__lte": ["2026-01-01"],
    }
    customers = unbilled_customers(found)
    assert table(customers) == [("Waits", "7", "2026-01-15")]
    for picture in (ages, customers):
        assert "shown as it was counted at 2026-02-01 09:00 UTC" in picture.hint
