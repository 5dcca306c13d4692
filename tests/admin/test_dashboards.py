"""Dashboards: what each picture says, where its bars lead to, and who sees it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.admin.dashboard_form import DashboardForm
from billing.choices import AccountOutcome
from reports.operations.figures import count_figures
from tests import factories
from tests.admin.pictures import FEBRUARY, bars, behind, client_who_may, listed, pictures, table
from tests.pictured import billed, charged

pytestmark = pytest.mark.django_db

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
REVENUE = ["revenue-by-day", "revenue-by-product", "revenue-by-destination"]
BY_CUSTOMER = ["revenue-by-customer", "top-movers"]


def test_revenue_is_shown_by_day_with_its_documents_behind(admin_client: Client) -> None:
    customer = factories.CustomerFactory()
    billed(customer, "10.00", on="2026-02-01")
    billed(customer, "2.50", on="2026-02-01")
    billed(customer, "1.00", on="2026-02-03")
    factories.InvoiceFactory(customer=customer)  # a draft
    picture = pictures(admin_client, "revenue")["revenue-by-day"]
    assert picture.title == "Revenue by day, USD"
    assert table(picture) == [("2026-02-01", "2", "12.50"), ("2026-02-03", "1", "1.00")]
    assert len(bars(picture)) == 28
    assert [bars(picture)[day] for day in ("2026-02-01", "2026-02-02", "2026-02-03")] == ["12.50", "0", "1.00"]
    assert [behind(admin_client, row.url) for row in picture.rows] == [2, 1]


def test_a_long_period_is_shown_by_month(admin_client: Client) -> None:
    customer = factories.CustomerFactory()
    billed(customer, "10.00", on="2026-02-01")
    billed(customer, "2.00", on="2026-03-31")
    billed(customer, "4.00", on="2026-04-20")
    picture = pictures(admin_client, "revenue", from_day="2026-02-01", to_day="2026-04-15")["revenue-by-day"]
    assert picture.title == "Revenue by month, USD"
    assert bars(picture) == {"Feb 2026": "10.00", "Mar 2026": "2.00", "Apr 2026": "0"}
    assert [behind(admin_client, row.url) for row in picture.rows] == [1, 1]


def test_the_bars_of_a_group_lead_to_its_documents(admin_client: Client) -> None:
    group = factories.CustomerGroupFactory()
    billed(factories.CustomerFactory(groups=[group]), "10.00")
    billed(factories.CustomerFactory(), "5.00")
    count_figures(at=AT)
    shown = pictures(admin_client, "revenue", group=group.pk)
    assert table(shown["revenue-by-day"]) == [("2026-02-01", "1", "10.00")]
    assert table(shown["revenue-by-destination"]) == [("Without a destination", "3", "10.00")]
    assert behind(admin_client, shown["revenue-by-day"].rows[0].url) == 1
    assert behind(admin_client, shown["revenue-by-destination"].rows[0].url) == 1


def test_products_and_destinations_lead_to_their_figures(admin_client: Client) -> None:
    customer, calls = factories.CustomerFactory(), factories.ProductFactory(name="Calls")
    france = factories.RateFactory(product=calls, destination_prefix="33", destination_name="France")
    billed(customer, "10.00", product=calls, rate=france)
    billed(customer, "2.00", product=calls, on="2026-02-10")
    billed(customer, "7.00", kind="FEE", charge_count=0)
    billed(customer, "9.00", product=calls, on="2026-03-01")
    count_figures(at=AT)
    shown = pictures(admin_client, "revenue")
    products, destinations = shown["revenue-by-product"], shown["revenue-by-destination"]
    assert table(products) == [("Calls", "6", "12.00"), ("Low-usage fee", "0", "7.00")]
    assert [behind(admin_client, row.url) for row in products.rows] == [2, 1]
    assert table(destinations) == [("France", "3", "10.00"), ("Without a destination", "3", "2.00")]
    assert [behind(admin_client, row.url) for row in destinations.rows] == [1, 1]
    # All lines of these days, and those of usage.
    assert [behind(admin_client, picture.link) for picture in (products, destinations)] == [3, 2]


def test_what_is_behind_the_first_ten_is_a_row_and_no_bar(admin_client: Client) -> None:
    for number in range(11):
        billed(factories.CustomerFactory(name=f"Customer {number}"), f"{number + 1}.00")
    picture = pictures(admin_client, "revenue")["revenue-by-customer"]
    assert table(picture)[0] == ("Customer 10", "3", "11.00")
    assert table(picture)[10] == ("1 other customer", "-", "1.00")
    assert len(bars(picture)) == 10
    assert behind(admin_client, picture.rows[0].url) == 1
    # A list of all would not be what the row says.
    assert picture.rows[10].url == ""
    assert behind(admin_client, picture.link) == 11


def test_movers_are_held_against_as_many_days_before(admin_client: Client) -> None:
    customer = factories.CustomerFactory(name="Mover")
    billed(customer, "10.00", on="2026-01-04")
    billed(customer, "4.00", on="2026-02-28")
    billed(customer, "100.00", on="2026-01-03")
    picture = pictures(admin_client, "revenue")["top-movers"]
    # February has 28 days; the 28 before it begin on 4 January.
    assert "2026-02-01 to 2026-02-28 against 2026-01-04 to 2026-01-31" in picture.hint
    assert table(picture) == [("Mover", "10.00", "4.00", "-6.00")]
    assert behind(admin_client, picture.rows[0].url) == 2
    of_each = [[one.net_amount for one in listed(admin_client, url)] for url in picture.rows[0].cell_urls if url]
    assert of_each == [[Decimal("10.00")], [Decimal("4.00")]]


def test_amounts_have_the_decimals_of_their_currency(admin_client: Client) -> None:
    billed(factories.CustomerFactory(currency__code="JPY"), "1200")
    billed(factories.CustomerFactory(currency__code="USD"), "5.00")
    assert table(pictures(admin_client, "revenue", currency="JPY")["revenue-by-day"]) == [("2026-02-01", "1", "1,200")]
    assert table(pictures(admin_client, "revenue", currency="USD")["revenue-by-day"]) == [("2026-02-01", "1", "5.00")]


def test_runs_are_shown_over_time(admin_client: Client) -> None:
    run = factories.BillingRunFactory(
        completed=True,
        name="January",
        commenced_at=datetime(2026, 2, 1, 9, 0, tzinfo=UTC),
        completed_at=datetime(2026, 2, 1, 9, 12, 30, tzinfo=UTC),
    )
    chunk = factories.RunChunkFactory(run=run)
    draft = factories.InvoiceFactory(net_amount=Decimal("10.00"))
    factories.RunAccountFactory(chunk=chunk, customer=draft.customer, outcome=AccountOutcome.INVOICED, invoice=draft)
    factories.RunAccountFactory(chunk=chunk, outcome=AccountOutcome.HELD, reason="No tax rate.", held_for="tax")
    shown = pictures(admin_client, "runs")
    assert [table(shown[key]) for key in ("run-amounts", "run-invoices", "run-durations", "run-troubles")] == [
        [("January", "10.00")],
        [("January", "1")],
        [("January", "0:12:30")],
        [("January", "1", "0")],
    ]
    assert bars(shown["run-durations"]) == {"2026-02-01": "12.50"}
    (row,) = shown["run-troubles"].rows
    assert row.url == reverse("admin:billing_billingrun_change", args=[run.pk])
    assert [behind(admin_client, url) for url in row.cell_urls] == [1, 0]


def test_where_the_rows_behind_are_of_more_than_the_group_it_is_said(admin_client: Client) -> None:
    group = factories.CustomerGroupFactory()
    factories.CustomerFactory(groups=[group])
    said = "of all customers, not of the group only"
    for name, key in (("usage", "unbilled-by-age"), ("runs", "run-troubles")):
        assert said in pictures(admin_client, name, group=group.pk)[key].hint
        assert said not in pictures(admin_client, name)[key].hint


def test_where_there_is_nothing_a_sentence_says_so(admin_client: Client) -> None:
    factories.CustomerFactory()
    for name in ("revenue", "usage", "runs"):
        shown = pictures(admin_client, name)
        assert shown
        assert all(picture.empty and not picture.rows and picture.chart is None for picture in shown.values())
    assert "No document was posted in these days" in pictures(admin_client, "revenue")["revenue-by-day"].empty


def test_a_new_installation_is_told_what_to_do(admin_client: Client) -> None:
    response = admin_client.get(reverse("dashboards"))
    assert "There are no customers yet" in response.content.decode()
    assert response.context["pictures"] == []


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"from_day": ""}, "from_day", "Own dates need a first and a last day."),
        ({"to_day": "2026-01-31"}, "to_day", "The last day is before the first."),
        ({"from_day": "1800-01-01"}, "from_day", "Give a year from 1900 to 8999."),
        ({"to_day": "2040-01-01"}, "to_day", "That is 5,083 days: ask for 3,660 at most."),
        ({"currency": "XXX"}, "currency", "Select a valid choice. XXX is not one of the available choices."),
    ],
)
def test_what_cannot_be_shown_is_refused_at_its_field(
    admin_client: Client, asked: dict[str, str], field: str, sentence: str
) -> None:
    factories.CustomerFactory()
    response = admin_client.get(reverse("dashboard", args=["revenue"]), FEBRUARY | asked)
    assert response.context["form"].errors[field] == [sentence]
    assert response.context["pictures"] == []


@pytest.mark.parametrize(
    ("period", "first", "until", "before"),
    [
        ("this-month", date(2026, 1, 1), date(2026, 2, 1), date(2025, 12, 1)),
        ("last-month", date(2025, 12, 1), date(2026, 1, 1), date(2025, 11, 1)),
        ("12-months", date(2025, 2, 1), date(2026, 2, 1), date(2024, 2, 1)),
    ],
)
def test_periods_are_whole_months(period: str, first: date, until: date, before: date) -> None:
    asked = QueryDict(f"period={period}")
    form = DashboardForm(asked, currencies={"USD": 2, "EUR": 2}, today=date(2026, 1, 31))
    assert form.is_valid()
    assert (form.scope.first, form.scope.until, form.scope.currency) == (first, until, "USD")
    assert form.before_first == before


def test_the_last_twelve_months_are_shown_where_nothing_is_asked(admin_client: Client) -> None:
    factories.CustomerFactory()
    response = admin_client.get(reverse("dashboards"))
    scope = response.context["scope"]
    assert (scope.by_month, (scope.until - scope.first).days in {365, 366}) == (True, True)
    assert "by the calendar of UTC" in response.content.decode()


def test_documents_that_are_not_counted_yet_are_said_to_be(admin_client: Client) -> None:
    billed(factories.CustomerFactory(), "1.00")
    page = admin_client.get(reverse("dashboards")).content.decode()
    assert "1 document that was posted is not yet in the figures" in " ".join(page.split())
    count_figures(at=AT)
    page = admin_client.get(reverse("dashboards")).content.decode()
    assert "have all posted documents; the last one was counted at 2026-02-01 09:00 UTC" in " ".join(page.split())
    assert "Count them now" not in page


def test_counting_at_once_is_asked_of_a_worker(admin_client: Client) -> None:
    response = admin_client.post(reverse("dashboards-count"), follow=True)
    said = [str(message) for message in response.context["messages"]]
    assert len(said) == 1
    assert "posted since" in said[0]
    assert admin_client.get(reverse("dashboards-count")).status_code == 405
    assert client_who_may("view_product").post(reverse("dashboards-count")).status_code == 403


def test_each_page_is_for_those_who_may_see_what_is_behind() -> None:
    factories.CustomerFactory()
    allowed = {
        "view_invoice": ["revenue"],
        "view_usagedatarecord": ["usage"],
        "view_pendingusage": ["usage"],
        "view_billingrun": ["runs"],
        "view_customer": [],
    }
    for codename, names in allowed.items():
        client = client_who_may(codename)
        statuses = {
            name: client.get(reverse("dashboard", args=[name])).status_code for name in ("revenue", "usage", "runs")
        }
        assert [name for name, status in statuses.items() if status == 200] == names, codename
        assert client.get(reverse("dashboards")).status_code == (200 if names else 403)
    assert client_who_may("view_invoice").get(reverse("dashboard", args=["weather"])).status_code == 403


def test_customers_are_named_only_to_those_who_may_see_them() -> None:
    billed(factories.CustomerFactory(name="Secret Ltd"), "1.00")
    service = factories.SubscriptionServiceFactory(customer__name="Secret Ltd")
    factories.UsageDataRecordFactory(subscription_service=service)
    client = client_who_may("view_invoice", "view_pendingusage")
    response = client.get(reverse("dashboard", args=["revenue"]), FEBRUARY)
    assert [picture.key for picture in response.context["pictures"]] == REVENUE
    assert "Secret Ltd" not in response.content.decode()
    assert "for those who may view customers" in response.content.decode()
    assert list(pictures(client, "usage")) == ["unbilled-by-age"]
    assert "Secret Ltd" not in client.get(reverse("dashboard", args=["usage"]), FEBRUARY).content.decode()
    shown = pictures(client_who_may("view_invoice", "view_customer"), "revenue")
    assert list(shown) == REVENUE + BY_CUSTOMER
    assert shown["revenue-by-customer"].rows[0].label == "Secret Ltd"


def test_groups_are_named_only_to_those_who_may_see_them(admin_client: Client) -> None:
    group = factories.CustomerGroupFactory(name="Secret partners")
    billed(factories.CustomerFactory(groups=[group]), "1.00")
    billed(factories.CustomerFactory(), "2.00")
    url = reverse("dashboard", args=["revenue"])
    asked = FEBRUARY | {"group": str(group.pk)}
    response = client_who_may("view_invoice").get(url, asked)
    assert "Secret partners" not in response.content.decode()
    assert table(response.context["pictures"][0]) == [("2026-02-01", "2", "3.00")]
    response = admin_client.get(url, asked)
    assert "Secret partners" in response.content.decode()
    assert table(response.context["pictures"][0]) == [("2026-02-01", "1", "1.00")]


def test_amounts_are_only_for_those_who_may_see_invoices() -> None:
    charged(factories.CustomerFactory(), "0.60", used="2026-02-03")
    count_figures(at=AT)
    factories.BillingRunFactory(completed=True)
    client = client_who_may("view_usagedatarecord", "view_billingrun")
    usage = pictures(client, "usage")["usage-by-day"]
    assert (usage.title, usage.columns, table(usage)) == (
        "Charged usage by day",
        ("Records",),
        [("2026-02-03", "1")],
    )
    assert bars(usage)["2026-02-03"] == "1"
    assert list(pictures(client, "runs")) == ["run-invoices", "run-durations", "run-troubles"]


def test_rows_that_the_user_may_not_look_at_are_not_linked() -> None:
    billed(factories.CustomerFactory(), "1.00")
    count_figures(at=AT)
    shown = pictures(client_who_may("view_invoice"), "revenue")
    assert shown["revenue-by-day"].rows[0].url != ""
    assert shown["revenue-by-product"].rows[0].url == ""


@pytest.mark.parametrize("name", ["revenue", "usage", "runs"])
def test_a_page_takes_as_many_queries_for_three_of_all_as_for_one(admin_client: Client, name: str) -> None:
    def one_more() -> None:
        charged(factories.CustomerFactory(), "0.60", used="2026-02-03")
        factories.UsageDataRecordFactory()
        factories.BillingRunFactory(completed=True)
        count_figures(at=AT)

    one_more()
    pictures(admin_client, name)
    with CaptureQueriesContext(connection) as for_one:
        pictures(admin_client, name)
    one_more()
    one_more()
    with CaptureQueriesContext(connection) as for_three:
        pictures(admin_client, name)
    assert len(for_three) == len(for_one)


def test_the_landing_page_has_the_most_telling_pictures_and_leads_to_all(admin_client: Client) -> None:
    factories.CustomerFactory()
    response = admin_client.get(reverse("admin:index"))
    shown = [picture.key for picture in response.context["pictures"]]
    assert shown == ["revenue-by-day", "unbilled-by-age", "run-troubles"]
    assert reverse("dashboards") in response.content.decode()
    assert reverse("admin:index") in admin_client.get(reverse("dashboards")).content.decode()


def test_the_landing_page_shows_pictures_only_of_what_may_be_seen() -> None:
    factories.CustomerFactory()
    index = reverse("admin:index")
    assert client_who_may("view_customer").get(index).context["pictures"] == []
    shown = client_who_may("view_billingrun").get(index).context["pictures"]
    assert [picture.key for picture in shown] == ["run-troubles"]


def test_pages_keep_what_was_asked(admin_client: Client) -> None:
    factories.CustomerFactory()
    response = admin_client.get(reverse("dashboard", args=["revenue"]), FEBRUARY)
    for page in response.context["pages"]:
        assert parse_qs(urlsplit(page["url"]).query) == {name: [value] for name, value in FEBRUARY.items()}


def test_where_the_period_has_no_document_the_last_ones_are_a_click_away(admin_client: Client) -> None:
    group = factories.CustomerGroupFactory()
    billed(factories.CustomerFactory(groups=[group]), "10.00", on="2020-02-10")
    billed(factories.CustomerFactory(), "3.00", on="2020-05-10")

    def page(query: str) -> str:
        return admin_client.get(f"{reverse('dashboard', args=['revenue'])}?{query}").content.decode()

    assert "The last document before these days is of 2020-05-10." in page("")
    shown = page(f"group={group.pk}")
    assert "The last document before these days is of 2020-02-10." in shown
    # The twelve months whose last is February 2020, a leap year's.
    query = f"period=own&amp;from_day=2019-03-01&amp;to_day=2020-02-29&amp;currency=USD&amp;group={group.pk}"
    assert f'href="?{query}"' in shown
    shown = page(query.replace("&amp;", "&"))
    assert "10.00" in shown
    assert "The last document before these days" not in shown
    # Nothing is before the first.
    assert "The last document before" not in page("period=own&from_day=2019-01-01&to_day=2019-02-01")
