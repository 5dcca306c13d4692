"""The list of rates over 100,000 of one card: every filter is served by an index, no page costs more than the first."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from catalog.admin.keyset import place_text
from catalog.models import Product, Rate, RateCard, TimeBand
from customers.choices import Scope
from customers.operations.api_keys import create_api_key
from tests.api.caller import Caller
from tests.factories import UserFactory
from tests.page_costs import BITMAP, INDEXED, Cost
from tests.page_costs import cost_of as page_cost

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("many")]

RATES, WHOLESALE, REGIONS = 100_000, 50_000, 2_000
LIST = "admin:catalog_rate_changelist"
# Blocks that a page of 51 rows may touch, each in its own, and the way there; an API page has 101.
PAGE_BLOCKS = 130
MORE_BLOCKS = 20
# Of a rare thing there are as many rows as a page has, or fewer.
RARE = 20
# From PostgreSQL 18 on an index that begins with the card leads to a prefix of any card, too.
BY_PREFIX = {"rate_prefix_of_card", "rate_prefix"}

# Rates to 10000, 10001 and so on; the first ones have ended, the next start later, the next are for a band. The cloud's
# card has regions in place of destinations.
ROWS = """
INSERT INTO product (code, name, kind, is_prorated, description, product_group, product_line)
VALUES ('P0', 'Rare', 'USAGE', false, '', '', ''), ('P1', 'Calls', 'USAGE', false, '', '', '');
INSERT INTO rate_card (name, currency_id, is_default, description)
VALUES ('Retail', 'USD', false, ''), ('Wholesale', 'USD', false, ''), ('Cloud', 'USD', false, '');
INSERT INTO time_band (name) VALUES ('Peak');
INSERT INTO rate (rate_card_id, product_id, region, destination_prefix, destination_name, time_band_id, pricing_model,
  unit_price, rounding_mode, start_date, end_date, created_at, updated_at)
SELECT c.id, p.id, '', 10000 + n, 'Country ' || n / 100, CASE WHEN n BETWEEN 60 AND 79 THEN b.id END, 'perUnit', 0.01,
  'halfUp', CASE WHEN n BETWEEN 30 AND 49 THEN date '2999-01-01' ELSE '2020-01-01' END,
  CASE WHEN n < %(rare)s THEN date '2021-01-01' END,
  timestamptz '2026-01-01' + n * interval '1 second', timestamptz '2026-01-01' + n * interval '1 second'
FROM generate_series(0, %(rates)s - 1) n, rate_card c, time_band b, product p
WHERE c.name = 'Retail' AND p.code = CASE WHEN n >= %(rates)s - %(rare)s THEN 'P0' ELSE 'P1' END
ORDER BY n;
INSERT INTO rate (rate_card_id, product_id, region, destination_prefix, pricing_model, unit_price, rounding_mode,
  start_date, created_at, updated_at)
SELECT c.id, p.id, 'zone-' || n, '', 'perUnit', 0.01, 'halfUp', '2020-01-01', '2025-01-01', '2025-01-01'
FROM generate_series(0, %(regions)s - 1) n, rate_card c, product p WHERE c.name = 'Cloud' AND p.code = 'P1' ORDER BY n;
INSERT INTO rate (rate_card_id, product_id, region, destination_prefix, pricing_model, unit_price, rounding_mode,
  start_date, created_at, updated_at)
SELECT c.id, p.id, '', 200000 + n, 'perUnit', 0.01, 'halfUp', '2020-01-01', '2025-01-01', '2025-01-01'
FROM generate_series(1, %(wholesale)s) n, rate_card c, product p
WHERE c.name = 'Wholesale' AND p.code = 'P1' ORDER BY n;
"""


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The rates, for the tests of this module. After it they are gone, and PostgreSQL has counted anew."""
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            # What other tests have rolled back would be passed over on the way to a page.
            cursor.execute("VACUUM rate")
        with transaction.atomic(), connection.cursor() as cursor:
            # History and checks of prices cost more than all else here, and are tested elsewhere.
            cursor.execute("ALTER TABLE rate DISABLE TRIGGER USER")
            cursor.execute(ROWS, {"rates": RATES, "wholesale": WHOLESALE, "regions": REGIONS, "rare": RARE})
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE rate ENABLE TRIGGER USER")
            cursor.execute("ANALYZE rate, rate_card, product, time_band")
            yield
            transaction.set_rollback(True)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) rate")


def cost_of(ask: Callable[[], Any]) -> Cost:
    return page_cost(ask, table="rate", scans=INDEXED | BITMAP)


def parameters(filters: dict[str, str]) -> dict[str, Any]:
    """The filters with the ids of what they name."""
    ids: dict[str, Callable[[str], int]] = {
        "rate_card__id__exact": lambda name: RateCard.objects.get(name=name).pk,
        "product__id__exact": lambda code: Product.objects.get(code=code).pk,
        "time_band__id__exact": lambda name: TimeBand.objects.get(name=name).pk,
    }
    return {name: ids[name](value) if name in ids else value for name, value in filters.items()}


@pytest.mark.parametrize(
    ("filters", "indexes", "row_count"),
    [
        ({}, {"rate_pkey"}, 50),
        ({"rate_card__id__exact": "Retail"}, {"rate_prefix_of_card"}, 50),
        ({"rate_card__id__exact": "Cloud"}, {"rate_prefix_of_card"}, 50),
        ({"rate_card__id__exact": "Retail", "q": "10470"}, {"rate_prefix_of_card"}, 11),
        ({"rate_card__id__exact": "Retail", "holding": "now"}, {"rate_prefix_of_card"}, 50),
        ({"q": "+10 470"}, BY_PREFIX, 11),
        ({"q": "1"}, {"rate_prefix"}, 50),
        ({"q": "p0"}, {"rate_of_product"}, 20),
        ({"q": "ZONE-199"}, {"rate_region", "rate_destination_name"}, 11),
        ({"q": "country 999"}, {"rate_region", "rate_destination_name"}, 50),
        ({"q": "country 9", "rate_card__id__exact": "Cloud"}, None, 0),
        ({"product__id__exact": "P0"}, {"rate_of_product"}, 20),
        ({"product__id__exact": "P1"}, {"rate_pkey"}, 50),
        ({"time_band__id__exact": "Peak"}, {"rate_time_band_id_"}, 20),
        ({"holding": "later"}, {"rate_start"}, 20),
        ({"holding": "ended"}, {"rate_end"}, 20),
        ({"holding": "now"}, {"rate_pkey"}, 50),
    ],
    ids=lambda value: urlencode(value) if isinstance(value, dict) else None,
)
def test_each_filter_is_served_by_an_index(
    admin_client: Client, filters: dict[str, str], indexes: set[str] | None, row_count: int
) -> None:
    query = parameters(filters)
    assert len(admin_client.get(reverse(LIST), query).context["cl"].result_list) == row_count
    cost = cost_of(lambda: admin_client.get(reverse(LIST), query))
    if indexes is not None:
        assert {re.sub("_[0-9a-f]{8}$", "_", name) for name in cost.indexes} <= indexes
    assert cost.removed_rows <= RARE * 4
    assert cost.block_count < PAGE_BLOCKS


@pytest.mark.parametrize(
    "filters", [{}, {"rate_card__id__exact": "Retail"}, {"q": "1"}, {"product__id__exact": "P1"}], ids=urlencode
)
def test_a_deep_page_costs_what_the_first_does(admin_client: Client, filters: dict[str, str]) -> None:
    query = parameters(filters)

    def page(**place: str) -> Any:
        return admin_client.get(reverse(LIST), {**query, **place})

    deep = Rate.objects.get(destination_prefix="15000")
    order = page().context["cl"].order
    place = place_text(order.place(deep))
    shown = [rate.destination_prefix for rate in page(after=place).context["cl"].result_list]
    # By their digits 15000 is followed by 15001; by age it is followed by the one made before it, 14999.
    assert shown[:2] == (["14999", "14998"] if order.is_descending else ["15001", "15002"])
    first = cost_of(page).block_count
    for where in ({"after": place}, {"before": place}, {"before": "end"}):
        assert cost_of(lambda where=where: page(**where)).block_count <= first + MORE_BLOCKS  # type: ignore[misc]


def test_prefixes_are_listed_in_their_order(admin_client: Client) -> None:
    listed = admin_client.get(reverse(LIST), parameters({"rate_card__id__exact": "Retail", "q": "10470"}))
    shown = [rate.destination_prefix for rate in listed.context["cl"].result_list]
    assert shown == ["10470", *(f"10470{digit}" for digit in range(10))]


def test_a_large_list_is_not_counted(admin_client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        admin_client.get(reverse(LIST))
    assert [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"]] == []


@pytest.mark.parametrize(
    ("query", "index", "row_count"),
    [
        ({}, "rate_pkey", 100),
        ({"rateCard": "Retail"}, "rate_of_card", 100),
        ({"rateCard": "Cloud"}, "rate_of_card", 100),
        ({"product": "P0"}, "rate_of_product", 20),
        ({"destinationPrefix": "10470"}, "rate_prefix", 1),
        ({"rateCard": "Retail", "destinationPrefix": "10470"}, "rate_prefix", 1),
        ({"updatedSince": "2026-01-02T03:46:20Z"}, "rate_updated", 20),
    ],
    ids=lambda value: urlencode(value) if isinstance(value, dict) else None,
)
def test_each_filter_of_the_api_is_served_by_an_index(query: dict[str, str], index: str, row_count: int) -> None:
    staff = Caller(create_api_key(scopes=[Scope.READ], user_id=UserFactory(is_superuser=True).id)[1])
    address = f"/backend/api/v1/rates?{urlencode(query)}"
    assert len(staff.ask(address)) == row_count
    cost = cost_of(lambda: staff.get(address))
    assert cost.indexes == {index}
    assert cost.block_count < PAGE_BLOCKS * 2
