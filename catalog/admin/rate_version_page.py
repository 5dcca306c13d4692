"""The page that asks for a new version of a rate: every term, as it is now and as it is to be."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.forms import BaseForm, BoundField, formset_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path

from catalog.admin.base import Admin, change_url
from catalog.admin.figures import exact
from catalog.admin.price_words import price_in_words
from catalog.admin.rate_forms import LABELS_OF_TIERS, RateForm, TierForm, plain_values, tiers_of
from catalog.engine.rates import Tier
from catalog.models import Rate, RateTier
from catalog.operations.rates import TERMS, RateRefused, RateTerms, add_rate_version

MORE_TIERS = 3
TierFormSet = formset_factory(TierForm, extra=MORE_TIERS, max_num=200)


@dataclass(frozen=True, slots=True)
class Row:
    """A term: what it is now, and the field for what it is to be."""

    field: BoundField
    now: str


class RateVersionAdmin(Admin):
    """`ID/new-version/`, for those who may change rates."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.new_version_view)
        return [path("<int:rate_id>/new-version/", view, name="catalog_rate_new_version"), *super().get_urls()]

    def new_version_view(self, request: HttpRequest, rate_id: int) -> HttpResponse:
        """Ask for a date and the terms; end this version then and add one with them."""
        rate = get_object_or_404(Rate.objects.select_related("rate_card", "product", "time_band"), id=rate_id)
        if not self.has_change_permission(request, rate):
            return HttpResponseRedirect(change_url(rate))
        tiers = list(rate.tiers.all())
        form_class = self.get_form(request, fields=("start_date", *TERMS), form=RateForm)
        form = form_class(request.POST or None, initial=plain_values(rate, TERMS))
        rows = TierFormSet(request.POST or None, prefix="tiers", initial=[tier_values(tier) for tier in tiers])
        if form.is_valid() and rows.is_valid():
            try:
                terms = changed_terms(rate, tiers, form, rows)
                added = add_rate_version(rate_id=rate_id, start_date=form.cleaned_data["start_date"], terms=terms)
            except RateRefused as refused:
                form.add_error(None, str(refused))
            else:
                price = price_in_words(added, currency=rate.rate_card.currency_id, tiers=added.tiers.all())
                messages.success(request, f"From {added.start_date} on it costs {price}.")
                return HttpResponseRedirect(change_url(added))
        context = {
            **self.admin_site.each_context(request),
            "title": "New version of a rate",
            "rate": rate,
            "price": price_in_words(rate, currency=rate.rate_card.currency_id, tiers=tiers),
            "form": form,
            "start": form["start_date"],
            "rows": [Row(form[name], shown(rate, name)) for name in TERMS],
            "tiers": rows,
            "tier_labels": LABELS_OF_TIERS,
            "tier_rows": [
                (row, tiers[number] if number < len(tiers) else None) for number, row in enumerate(rows.forms)
            ],
            "media": form.media + rows.media,
            "back": change_url(rate),
        }
        return render(request, "admin/catalog/rate/new_version.html", context)


def changed_terms(rate: Rate, tiers: list[RateTier], form: BaseForm, rows: Any) -> RateTerms:
    """The terms that are not as the rate has them."""
    given = form.cleaned_data
    terms: dict[str, Any] = {name: given[name] for name in TERMS if given[name] != getattr(rate, name)}
    asked = tiers_of(rows)
    if asked != [Tier(tier.from_quantity, tier.unit_price) for tier in tiers]:
        terms["tiers"] = asked
    return cast("RateTerms", terms)


def tier_values(tier: RateTier) -> dict[str, str]:
    """A tier as a person would type it."""
    return {name: exact(getattr(tier, name)).replace(",", "") for name in LABELS_OF_TIERS}


def shown(rate: Rate, name: str) -> str:
    """A term as it is now."""
    value = getattr(rate, name)
    if value in {None, ""}:
        return "empty"
    if hasattr(value, "as_tuple"):
        return exact(value)
    return str(getattr(rate, f"get_{name}_display", lambda: value)())
