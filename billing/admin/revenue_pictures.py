"""Pictures of revenue: by day, product, destination and customer, and whose changed most."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.http import HttpRequest

from billing.admin.dashboard_form import months_before
from billing.admin.pictures import BLUE, GREEN, RED, Picture, Row, Series, lying, upright
from catalog.admin.base import list_url
from catalog.admin.figures import EMPTY, exact
from invoicing.choices import LineKind
from reports.queries.dashboards import (
    TOP,
    Day,
    Part,
    Scope,
    revenue_by_customer,
    revenue_by_day,
    revenue_by_destination,
    revenue_by_product,
    top_movers,
)

NOTHING = "No document was posted in these days, in this currency and group."
KEPT_NOTHING = f"{NOTHING} Documents posted a moment ago are counted in a few minutes."


@dataclass(frozen=True, slots=True)
class Asked:
    """What pictures are made of: the request (whose rights it has), the scope, the decimals of its currency."""

    request: HttpRequest
    scope: Scope
    minor_units: int

    def url(self, permission: str, model: str, **query: object) -> str:
        """Address of a filtered list, for who may view it."""
        return list_url(model, **query) if self.request.user.has_perm(permission) else ""

    def money(self, amount: Decimal) -> str:
        """An amount rounded to the currency's decimals, without its code: the title says which it is."""
        return f"{self.rounded(amount):,f}"

    def rounded(self, amount: Decimal) -> Decimal:
        """An amount with the currency's decimals."""
        return amount.quantize(Decimal(1).scaleb(-self.minor_units), rounding=ROUND_HALF_UP)

    def documents(self, first: date, until: date, **query: object) -> str:
        """Address of the posted documents with invoice dates from `first` on and before `until`."""
        scope = self.scope
        if scope.group_id is not None:
            query["customer__groups__id__exact"] = scope.group_id
        return self.url(
            "invoicing.view_invoice",
            "invoicing_invoice",
            state__exact="POSTED",
            currency__code__exact=scope.currency,
            **days(first, until, "invoice_date"),
            **query,
        )

    def kept(self, model: str, **query: object) -> str:
        """Address of the kept figures of the scope's customers and currency."""
        scope = self.scope
        group = {"group__isnull": "True"} if scope.group_id is None else {"group__id__exact": scope.group_id}
        query |= group | {"currency__code__exact": scope.currency}
        return self.url(f"reports.view_{model}", f"reports_{model}", **query)

    def lines(self, **query: object) -> str:
        """Address of the kept figures of lines in the days of the scope."""
        return self.kept("revenueday", **days(self.scope.first, self.scope.until, "invoice_date"), **query)


def days(first: date, until: date, field: str) -> dict[str, object]:
    """Parameters of a list for the days from `first` on and before `until`."""
    return {f"{field}_from": first.isoformat(), f"{field}_to": (until - timedelta(days=1)).isoformat()}


def bars(scope: Scope) -> list[tuple[date, date]]:
    """The days, or months, of the scope: first and, half-open, last; none is left out for having nothing."""
    found, first = [], scope.first.replace(day=1) if scope.by_month else scope.first
    while first < scope.until:
        after = months_before(first, -1) if scope.by_month else first + timedelta(days=1)
        found.append((max(first, scope.first), min(after, scope.until)))
        first = after
    return found


def bar_label(day: date, scope: Scope) -> str:
    """A day, or a month, below its bar."""
    return f"{day:%b %Y}" if scope.by_month else f"{day:%Y-%m-%d}"


def by_day(
    asked: Asked,
    found: Sequence[Day],
    *,
    key: str,
    title: str,
    hint: str,
    counted: str,
    empty: str,
    url: Callable[[date, date], str],
    has_amounts: bool = True,
) -> Picture:
    """A picture with a bar for each day, or month; by amount, or where these are not for the user, by number."""
    scope = asked.scope
    by_start = {day.day: day for day in found}
    places = [
        (first, after, by_start.get(first.replace(day=1) if scope.by_month else first)) for first, after in bars(scope)
    ]
    urls = [url(first, after) if day else "" for first, after, day in places]
    name = f"Amount ({scope.currency})" if has_amounts else counted
    values = [(asked.rounded(day.amount) if has_amounts else day.count) if day else 0 for _, _, day in places]
    return Picture(
        key=key,
        title=f"{title} by {'month' if scope.by_month else 'day'}{f', {scope.currency}' if has_amounts else ''}",
        hint=hint,
        columns=(counted, name) if has_amounts else (counted,),
        rows=tuple(
            Row(
                bar_label(first, scope),
                address,
                (exact(day.count), asked.money(day.amount)) if has_amounts else (exact(day.count),),
            )
            for (first, _, day), address in zip(places, urls, strict=True)
            if day
        ),
        chart=upright([bar_label(first, scope) for first, _, _ in places], Series(name, BLUE, values, urls))
        if found
        else None,
        empty=empty,
    )


def revenue_days(asked: Asked) -> Picture:
    """The net of posted documents by invoice date."""
    return by_day(
        asked,
        revenue_by_day(asked.scope),
        key="revenue-by-day",
        title="Revenue",
        hint="Net of posted documents by invoice date, credit notes counted off.",
        counted="Documents",
        empty=NOTHING,
        url=asked.documents,
    )


def of_parts(asked: Asked, parts: Sequence[Part], urls: Sequence[str], labels: Sequence[str], **fields: Any) -> Picture:
    """A picture with a lying bar for each part, the largest first."""
    name = f"Revenue ({asked.scope.currency})"
    return Picture(
        columns=("Records", name),
        rows=tuple(
            Row(
                label,
                url,
                (EMPTY if part.record_count is None else exact(part.record_count), asked.money(part.amount)),
                part.account_number,
            )
            for part, url, label in zip(parts, urls, labels, strict=True)
        ),
        # Not the others together: beside their bar nobody would see the rest.
        chart=lying(
            [label for label, part in zip(labels, parts, strict=True) if part.name is not None],
            Series(
                name,
                BLUE,
                [asked.rounded(part.amount) for part in parts if part.name is not None],
                [url for url, part in zip(urls, parts, strict=True) if part.name is not None],
            ),
        )
        if parts
        else None,
        **fields,
    )


def others(part: Part, what: str) -> str:
    """The name of what is behind the first ones."""
    return f"{exact(part.part_count)} other {what}{'' if part.part_count == 1 else 's'}"


def revenue_products(asked: Asked) -> Picture:
    """Revenue by product; what has none, by the kind of line."""
    parts = revenue_by_product(asked.scope)
    labels = [
        str(LineKind(part.kind).label) if part.kind else others(part, "product") if part.name is None else part.name
        for part in parts
    ]
    urls = [
        asked.lines(product__isnull="True", kind__exact=part.kind)
        if part.kind
        else asked.lines(product__id__exact=part.id)
        if part.id is not None
        else ""
        for part in parts
    ]
    return of_parts(
        asked,
        parts,
        urls,
        labels,
        key="revenue-by-product",
        title=f"Revenue by product, {asked.scope.currency}",
        hint="Lines of posted documents by invoice date, and the usage records that they are for.",
        empty=KEPT_NOTHING,
        link=asked.lines() if parts else "",
        link_text="All figures by day and product",
    )


def revenue_destinations(asked: Asked) -> Picture:
    """Revenue of usage by destination."""
    parts = revenue_by_destination(asked.scope)
    labels = [
        others(part, "destination") if part.name is None else part.name or "Without a destination" for part in parts
    ]
    urls = [
        "" if part.name is None else asked.lines(kind__exact=LineKind.USAGE.value, destination__exact=part.name)
        for part in parts
    ]
    return of_parts(
        asked,
        parts,
        urls,
        labels,
        key="revenue-by-destination",
        title=f"Revenue of usage by destination, {asked.scope.currency}",
        hint="As the rate names the destination, else the region of the usage.",
        empty="No usage was on a posted document in these days, in this currency and group.",
        link=asked.lines(kind__exact=LineKind.USAGE.value) if parts else "",
        link_text="All figures by day and destination",
    )


def revenue_customers(asked: Asked) -> Picture:
    """Revenue by customer, for who may see customers."""
    scope = asked.scope
    parts = revenue_by_customer(scope)
    labels = [others(part, "customer") if part.name is None else part.name for part in parts]
    urls = [
        "" if part.id is None else asked.documents(scope.first, scope.until, customer__id__exact=part.id)
        for part in parts
    ]
    return of_parts(
        asked,
        parts,
        urls,
        labels,
        key="revenue-by-customer",
        title=f"Revenue by customer, {scope.currency}",
        hint=f"Net of posted documents: the {TOP} customers with the most, then all others.",
        empty=NOTHING,
        link=asked.documents(scope.first, scope.until) if parts else "",
        link_text="All documents of these days",
    )


def movers(asked: Asked, *, before_first: date) -> Picture:
    """The customers whose revenue changed most against the period before."""
    scope = asked.scope
    found = top_movers(scope, before_first=before_first)
    urls = [asked.documents(before_first, scope.until, customer__id__exact=one.customer_id) for one in found]
    of_each = [
        (
            asked.documents(before_first, scope.first, customer__id__exact=one.customer_id),
            asked.documents(scope.first, scope.until, customer__id__exact=one.customer_id),
            "",
        )
        for one in found
    ]
    before = f"{before_first} to {scope.first - timedelta(days=1)}"
    now = f"{scope.first} to {scope.until - timedelta(days=1)}"
    return Picture(
        key="top-movers",
        title=f"Top movers, {scope.currency}",
        hint=f"Customers whose revenue changed most: {now} against {before}.",
        columns=("Before", "Now", "Change"),
        rows=tuple(
            Row(
                one.name,
                url,
                (asked.money(one.before), asked.money(one.after), signed(asked, one.difference)),
                one.account_number,
                of_period,
            )
            for one, url, of_period in zip(found, urls, of_each, strict=True)
        ),
        chart=lying(
            [one.name for one in found],
            Series(
                f"Change ({scope.currency})",
                [GREEN if one.difference > 0 else RED for one in found],
                [asked.rounded(one.difference) for one in found],
                urls,
            ),
        )
        if found
        else None,
        empty="No customer's revenue changed against the period before.",
    )


def signed(asked: Asked, amount: Decimal) -> str:
    """An amount with its sign, a plus too."""
    return f"{'+' if amount > 0 else ''}{asked.money(amount)}"
