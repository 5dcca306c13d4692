"""Dashboards: pictures of revenue, of usage and of billing runs, each for those who may see the rows behind it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing.admin import revenue_pictures as revenue
from billing.admin import usage_pictures as usage
from billing.admin.dashboard_form import DashboardForm, currencies_in_use, months_before
from billing.admin.pictures import Picture
from billing.admin.revenue_pictures import Asked
from billing.tasks import queue_figures
from reports.queries.dashboards import UNCOUNTED, Scope, kept_figures, latest_document_before

MAY_SEE_REVENUE = "invoicing.view_invoice"
MAY_SEE_CUSTOMERS = "customers.view_customer"
MAY_SEE_GROUPS = "customers.view_customergroup"
MAY_SEE_RECORDS = "usage.view_usagedatarecord"
MAY_SEE_PENDING = "usage.view_pendingusage"
MAY_SEE_RUNS = "billing.view_billingrun"
# Title, and what of it is enough to see the page.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "revenue": ("Revenue", (MAY_SEE_REVENUE,)),
    "usage": ("Usage", (MAY_SEE_RECORDS, MAY_SEE_PENDING)),
    "runs": ("Billing runs", (MAY_SEE_RUNS,)),
}


def pages_for(request: HttpRequest) -> list[str]:
    """The pages that the user may see something on."""
    return [name for name, (_, enough) in PAGES.items() if any(request.user.has_perm(right) for right in enough)]


def may_see(request: HttpRequest) -> bool:
    """Whether there is a page for the user."""
    return bool(pages_for(request))


def dashboard_page(request: HttpRequest, name: str | None = None) -> HttpResponse:
    """One page of pictures; the first that the user may see where none is named."""
    allowed = pages_for(request)
    if not allowed or (name is not None and name not in allowed):
        raise PermissionDenied
    shown = name or allowed[0]
    today = timezone.localdate()
    currencies = currencies_in_use()
    has_groups = request.user.has_perm(MAY_SEE_GROUPS)
    form = DashboardForm(request.GET, currencies=currencies, today=today, has_groups=has_groups)
    pictures: list[Picture] = []
    if currencies and form.is_valid():
        asked = Asked(request, form.scope, currencies[form.scope.currency])
        pictures = MADE_BY[shown](asked, form, today)
    query = request.GET.urlencode()
    context = {
        **admin.site.each_context(request),
        "title": f"Dashboards: {PAGES[shown][0].lower()}",
        "form": form,
        "pages": [
            {
                "title": PAGES[each][0],
                "url": f"{reverse('dashboard', args=[each])}{f'?{query}' if query else ''}",
                "is_shown": each == shown,
            }
            for each in allowed
        ],
        "has_customers": bool(currencies),
        "scope": form.scope if pictures else None,
        "earlier": earlier(form.scope) if pictures and shown != "runs" and not pictures[0].rows else None,
        "pictures": pictures,
        "lacks_customers": shown == "revenue" and not request.user.has_perm(MAY_SEE_CUSTOMERS),
        "kept": kept_figures() if pictures and shown != "runs" else None,
        "uncounted_limit": UNCOUNTED,
        "time_zone": settings.TIME_ZONE,
        "today": today,
        "here": request.get_full_path(),
    }
    return render(request, "admin/billing/dashboards/page.html", context)


def earlier(scope: Scope) -> dict[str, Any] | None:
    """Where there is nothing to see in the days that are asked for: the last day before them that has a document.

    The query of the twelve months to its own comes with it. None where no document is earlier.
    """
    latest = latest_document_before(scope)
    if latest is None:
        return None
    month = latest.replace(day=1)
    asked = {
        "period": "own",
        "from_day": months_before(month, 11).isoformat(),
        "to_day": (months_before(month, -1) - timedelta(days=1)).isoformat(),
        "currency": scope.currency,
    }
    return {"day": latest, "query": urlencode(asked | ({"group": scope.group_id} if scope.group_id else {}))}


@require_POST
def count_figures_view(request: HttpRequest) -> HttpResponse:
    """Have a worker count what was posted since; back to where the button is."""
    if not may_see(request):
        raise PermissionDenied
    if queue_figures():
        messages.success(request, "A worker counts the documents posted since. Look again in a moment.")
    else:
        messages.warning(request, "The broker is away: the documents posted since are counted when it is back.")
    return HttpResponseRedirect(reverse("dashboards"))


def revenue_page(asked: Asked, form: DashboardForm, today: date) -> list[Picture]:  # noqa: ARG001
    """Revenue; by customer for those who may see customers."""
    pictures = [revenue.revenue_days(asked), revenue.revenue_products(asked), revenue.revenue_destinations(asked)]
    if asked.request.user.has_perm(MAY_SEE_CUSTOMERS):
        pictures += [revenue.revenue_customers(asked), revenue.movers(asked, before_first=form.before_first)]
    return pictures


def usage_page(asked: Asked, form: DashboardForm, today: date) -> list[Picture]:  # noqa: ARG001
    """Usage that was charged, and usage that was not."""
    user, pictures = asked.request.user, []
    if user.has_perm(MAY_SEE_RECORDS):
        pictures.append(usage.usage_days(asked, has_amounts=user.has_perm(MAY_SEE_REVENUE)))
    if user.has_perm(MAY_SEE_PENDING):
        found = usage.unbilled(on=today, group_id=asked.scope.group_id)
        pictures.append(usage.unbilled_ages(found, on=today, of_group=asked.scope.group_id is not None))
        if found is not None and user.has_perm(MAY_SEE_CUSTOMERS):
            pictures.append(usage.unbilled_customers(found))
    return pictures


def runs_page(asked: Asked, form: DashboardForm, today: date) -> list[Picture]:  # noqa: ARG001
    """Runs over time; their amounts for those who may see revenue."""
    return usage.run_pictures(asked, has_amounts=asked.request.user.has_perm(MAY_SEE_REVENUE))


MADE_BY: dict[str, Callable[[Asked, DashboardForm, date], list[Picture]]] = {
    "revenue": revenue_page,
    "usage": usage_page,
    "runs": runs_page,
}


def landing_pictures(request: HttpRequest) -> list[Picture]:
    """The most telling pictures: the last twelve months' revenue, unbilled usage, what the last runs held."""
    currencies = currencies_in_use() if may_see(request) else {}
    if not currencies:
        return []
    user, today = request.user, timezone.localdate()
    this_month = today.replace(day=1)
    currency = next(iter(currencies))
    year = Scope(months_before(this_month, 11), months_before(this_month, -1), currency, by_month=True)
    asked = Asked(request, year, currencies[currency])
    pictures: list[Picture] = []
    if user.has_perm(MAY_SEE_REVENUE):
        pictures.append(revenue.revenue_days(asked))
    if user.has_perm(MAY_SEE_PENDING):
        found = usage.unbilled(on=today, group_id=None)
        pictures.append(usage.unbilled_ages(found, on=today))
    if user.has_perm(MAY_SEE_RUNS):
        pictures.append(usage.run_troubles_of(asked))
    return pictures


def landing_context(request: HttpRequest) -> dict[str, Any]:
    """What the landing page shows of dashboards."""
    return {"pictures": landing_pictures(request), "may_see_dashboards": may_see(request)}
