"""The sidebar, by the work that people do. Settings name `sidebar` by its path."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.admin import dashboards, price_differences, what_if
from billing.admin.price_tool import may_ask

# Title, icon and model (`app_model`) of each page, by group.
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Billing": (
        ("Billing runs", "play_circle", "billing_billingrun"),
        ("Run accounts", "fact_check", "billing_runaccount"),
        ("Verifications", "verified", "billing_runverification"),
        ("Invoices", "receipt_long", "invoicing_invoice"),
        ("Transactions", "add_shopping_cart", "invoicing_transaction"),
        ("Usage charges", "calculate", "invoicing_usagecharge"),
        ("Price corrections", "price_change", "invoicing_pricecorrection"),
        ("Credited charges", "undo", "invoicing_creditedcharge"),
        ("Coupons", "confirmation_number", "invoicing_coupon"),
        ("Account credits", "redeem", "invoicing_accountcredit"),
        ("Credits used", "shopping_bag", "invoicing_credituse"),
        ("Run schedules", "event_upcoming", "billing_runschedule"),
        ("Schedule mails", "mail", "billing_schedulemail"),
        ("Invoice messages", "chat", "billing_invoicemessage"),
        ("Billing cycles", "event_repeat", "billing_billingcycle"),
        ("Customers' billing", "tune", "billing_customerbilling"),
        ("PDFs", "picture_as_pdf", "invoicing_renderedinvoice"),
        ("Deliveries", "outgoing_mail", "invoicing_invoicedelivery"),
        ("Legal entities", "apartment", "invoicing_legalentity"),
        ("Customers' sellers", "handshake", "invoicing_customerinvoicing"),
        ("Number series", "tag", "invoicing_numberseries"),
    ),
    "Usage": (
        ("Imports", "upload_file", "usage_usageimport"),
        ("Usage records", "list_alt", "usage_usagedatarecord"),
        ("Pending usage", "inbox", "usage_pendingusage"),
        ("Quarantine", "report", "usage_quarantinedline"),
        ("Conflicts", "call_split", "usage_usageconflict"),
        ("Completeness", "balance", "billing_completenessday"),
        ("Usage types", "category", "usage_usagetype"),
    ),
    "Customers": (
        ("Customers", "groups", "customers_customer"),
        ("Subscriptions", "assignment", "customers_subscription"),
        ("Services", "call", "customers_subscriptionservice"),
        ("Recurring charges", "autorenew", "invoicing_recurringcharge"),
        ("Subscription actions", "history", "customers_subscriptionaction"),
        ("Groups", "group_work", "customers_customergroup"),
        ("Sites", "location_on", "customers_site"),
        ("Campaigns", "campaign", "customers_campaign"),
        ("Accounts receivable", "account_balance", "customers_accountsreceivable"),
    ),
    "Prices": (
        ("Products", "inventory_2", "catalog_product"),
        ("Rate cards", "menu_book", "catalog_ratecard"),
        ("Rates", "sell", "catalog_rate"),
        ("Rate decks", "upload_file", "catalog_ratedeck"),
        ("Examples", "rule", "catalog_rateexample"),
        ("Checks of rate cards", "fact_check", "billing_ratecardcheck"),
        ("Time bands", "schedule", "catalog_timeband"),
        ("Public holidays", "celebration", "catalog_publicholiday"),
        ("Tax rates", "percent", "catalog_taxrate"),
        ("Currencies", "currency_exchange", "catalog_currency"),
    ),
    "Reports": (
        ("Report profiles", "description", "reports_invoiceusagereportprofile"),
        ("Customers' profiles", "assignment_ind", "reports_customerreportprofile"),
        ("Invoices' profiles", "assignment", "reports_invoicereportprofile"),
        ("Usage reports", "draft", "reports_usagereport"),
        ("Revenue by day", "calendar_view_day", "reports_revenueday"),
        ("Usage by day", "bar_chart", "reports_usageday"),
        ("Counted documents", "done_all", "reports_countedinvoice"),
        ("Reports to make", "pending_actions", "reports_reportproduction"),
    ),
    "System": (
        ("Source systems", "dns", "usage_sourcesystem"),
        ("API keys", "key", "customers_apikey"),
        ("Schedules", "schedule", "django_celery_beat_periodictask"),
        ("Intervals", "timer", "django_celery_beat_intervalschedule"),
        ("Times of day", "calendar_month", "django_celery_beat_crontabschedule"),
        ("Single times", "alarm", "django_celery_beat_clockedschedule"),
        ("Users", "person", "auth_user"),
        ("User groups", "shield_person", "auth_group"),
    ),
}
# Pages of no model: title, icon, name of the address, and who may see it; below the others of their group.
TOOLS: dict[str, tuple[tuple[str, str, str, Callable[[HttpRequest], bool]], ...]] = {
    "Prices": (
        ("Price tool", "request_quote", "price-tool", may_ask),
        ("What if", "compare_arrows", "what-if", what_if.may_ask),
        ("Price differences", "difference", "price-differences", price_differences.may_see),
    ),
}
OPEN_GROUPS = {"Billing", "Usage", "Customers"}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups and pages of the sidebar, each page for those who may see it."""
    home = {"title": "What to do next", "icon": "checklist", "link": reverse("admin:index")}
    groups = [
        {
            "title": title,
            "collapsible": title not in OPEN_GROUPS,
            "items": [page(request, *described) for described in pages]
            + [tool(request, *described) for described in TOOLS.get(title, ())],
        }
        for title, pages in PAGES.items()
    ]
    pictures = entry(request, "Dashboards", "monitoring", reverse("dashboards"), dashboards.may_see)
    return [{"items": [home, pictures]}, *groups]


def page(request: HttpRequest, title: str, icon: str, model: str) -> dict[str, Any]:
    """One page of the sidebar."""
    return entry(request, title, icon, reverse(f"admin:{model}_changelist"), may_view(model))


def tool(
    request: HttpRequest, title: str, icon: str, name: str, may_see: Callable[[HttpRequest], bool]
) -> dict[str, Any]:
    """One page of the sidebar that is of no model."""
    return entry(request, title, icon, reverse(name), may_see)


def entry(
    request: HttpRequest, title: str, icon: str, address: str, may_see: Callable[[HttpRequest], bool]
) -> dict[str, Any]:
    """A link as unfold takes it."""
    return {
        "title": title,
        "icon": icon,
        "link": address,
        # By the start of the path: unfold looks for the link anywhere in it.
        "active": lambda _: request.path.startswith(address),
        "permission": may_see,
    }


def may_view(model: str) -> Callable[[HttpRequest], bool]:
    """Whether the user of a request may see the pages of a model (`app_model`)."""
    app_label, model_name = model.rsplit("_", 1)

    def allowed(request: HttpRequest) -> bool:
        user = request.user
        return any(user.has_perm(f"{app_label}.{right}_{model_name}") for right in ("view", "change"))

    return allowed
