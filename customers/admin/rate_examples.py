"""The examples of price lists, and the page that checks a list: whom it is for is known here, not in the catalogue."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from catalog.admin.base import Admin, change_url, column, link
from catalog.admin.card_links import CARD_LINKS, CardLink
from catalog.admin.checks import shown_check
from catalog.admin.figures import exact_in
from catalog.choices import EARLIEST_YEAR, LATEST_YEAR, time_zones
from catalog.engine.wording import plain
from catalog.models import RateCard, RateExample
from catalog.operations.rate_examples import set_example_amount
from catalog.queries.examples import example_in_words, run_examples
from customers.queries.lint import lint_rate_card

LOCAL = "%Y-%m-%dT%H:%M:%S"


def check_url(card: RateCard) -> str:
    """The page that checks a rate card."""
    return reverse("admin:catalog_rateexample_check", args=[card.pk])


CARD_LINKS.append(CardLink("Check this price list", check_url, "catalog.view_ratecard"))


class ExampleForm(forms.ModelForm):  # type: ignore[type-arg]  # as the admin's own forms
    """What a use is to cost, in the order in which it is said. The time is that of the customer's zone."""

    starts_at = forms.DateTimeField(
        label="Starts at",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"}),
        help_text="Local time in the customer's time zone.",
    )
    timezone = forms.ChoiceField(
        label="Customer's time zone",
        choices=lambda: [(zone, zone) for zone in time_zones()],
        widget=UnfoldAdminSelect2Widget,
        initial="UTC",
    )

    class Meta:
        model = RateExample
        exclude = ("used_at",)  # noqa: DJ006  the admin names the fields
        labels = {"amount": "Costs", "quantity_before": "Used before in the month", "duration_seconds": "Lasts"}
        help_texts = {
            "quantity": "In the unit of the usage, such as seconds: 60.",
            "destination": "Such as 447700900123. Empty: no destination.",
            "region": "Empty: none.",
            "amount": "Exactly, in the card's currency, without tax: 0.12.",
            "quantity_before": "For tiers, packages and included quantities.",
            "duration_seconds": "In seconds, for cards that split at the border of a time band. Empty: the quantity.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            local = self.instance.used_at.astimezone(ZoneInfo(self.instance.timezone))
            self.initial["starts_at"] = local.strftime(LOCAL)
            for name in {"quantity", "quantity_before", "amount"} & set(self.initial):
                self.initial[name] = plain(self.initial[name])

    def clean_starts_at(self) -> datetime:
        starts_at: datetime = self.cleaned_data["starts_at"]
        if not EARLIEST_YEAR <= starts_at.year <= LATEST_YEAR:
            raise forms.ValidationError(f"Give a year from {EARLIEST_YEAR} to {LATEST_YEAR}.")
        return starts_at

    def clean_quantity(self) -> Decimal:
        quantity: Decimal = self.cleaned_data["quantity"]
        if quantity < 0:
            raise forms.ValidationError("A use is of 0 or more.")
        return quantity

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "starts_at" in self.cleaned_data and "timezone" in self.cleaned_data:
            zone = ZoneInfo(self.cleaned_data["timezone"])
            self.instance.used_at = self.cleaned_data["starts_at"].replace(tzinfo=zone)
        return cleaned


class DayForm(forms.Form):
    """The day whose prices are checked."""

    on = forms.DateField(label="Prices of", widget=UnfoldAdminSingleDateWidget)

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        if not EARLIEST_YEAR <= on.year <= LATEST_YEAR:
            raise forms.ValidationError(f"Give a year from {EARLIEST_YEAR} to {LATEST_YEAR}.")
        return on


@admin.register(RateExample)
class RateExampleAdmin(Admin):
    form = ExampleForm
    list_display = ("what", "costs", "card")
    list_filter = (("rate_card", AutocompleteSelectFilter), ("product", AutocompleteSelectFilter))
    list_select_related = ("rate_card", "product")
    search_fields = ("destination__startswith",)
    search_help_text = "Start of the destination"
    ordering = ("-pk",)
    sortable_by = ()
    autocomplete_fields = ("rate_card", "product")
    empty_hint = (
        "An example says what a use is to cost by a rate card. It is tried when the card is checked, when a rate deck "
        "is activated, and before each billing run."
    )
    fieldsets = (
        (None, {"fields": ("rate_card",)}),
        (
            "What a use costs",
            {
                "fields": (
                    ("quantity", "product"),
                    ("destination", "region"),
                    ("starts_at", "timezone"),
                    ("quantity_before", "duration_seconds"),
                    "amount",
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None or self.has_change_permission(request, obj) else ("starts_at",)

    @column("Starts at")
    def starts_at(self, example: RateExample) -> str:
        """For those who may only look: the form's field is none of the model's."""
        return f"{example.used_at.astimezone(ZoneInfo(example.timezone)):%A %Y-%m-%d %H:%M}"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.check_view)
        return [path("check/<int:card_id>/", view, name="catalog_rateexample_check"), *super().get_urls()]

    def check_view(self, request: HttpRequest, card_id: int) -> HttpResponse:
        """What is wrong with a card's prices on a day, and what its examples cost; take over what one costs."""
        card = get_object_or_404(RateCard.objects.select_related("currency"), id=card_id)
        if not request.user.has_perm("catalog.view_ratecard"):
            raise PermissionDenied
        form = DayForm(request.GET if "on" in request.GET else {"on": timezone.localdate().isoformat()})
        on = form.cleaned_data["on"] if form.is_valid() else timezone.localdate()
        may_change = self.has_change_permission(request)
        if request.method == "POST" and may_change:
            self._accept(request, card)
            return HttpResponseRedirect(request.get_full_path())
        outcomes = run_examples(rate_card_id=card_id, on=on)
        context = {
            **self.admin_site.each_context(request),
            **shown_check(lint_rate_card(rate_card_id=card_id, on=on, outcomes=outcomes), outcomes),
            "title": f"Check of {card.name}",
            "card": card,
            "on": on,
            "form": form,
            "may_accept": may_change,
            "may_add": self.has_add_permission(request),
            "add_url": f"{reverse('admin:catalog_rateexample_add')}?rate_card={card_id}",
            "back": change_url(card),
        }
        return render(request, "admin/catalog/rateexample/check.html", context)

    def _accept(self, request: HttpRequest, card: RateCard) -> None:
        form = AcceptedForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Nothing was changed: there is no such example and amount.")
            return
        found = get_object_or_404(RateExample, id=form.cleaned_data["example"], rate_card=card)
        example = set_example_amount(example_id=found.pk, amount=form.cleaned_data["amount"])
        costs = exact_in(example.amount, card.currency_id)
        messages.success(request, f"{example_in_words(example)} is to cost {costs} from now on.")

    @column("Example")
    def what(self, example: RateExample) -> str:
        return example_in_words(example)

    @column("Costs")
    def costs(self, example: RateExample) -> str:
        return exact_in(example.amount, example.rate_card.currency_id)

    @column("Rate card")
    def card(self, example: RateExample) -> SafeString:
        return link(check_url(example.rate_card), example.rate_card)


class AcceptedForm(forms.Form):
    """Which example is to cost what from now on."""

    example = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    amount = forms.DecimalField(max_digits=38, decimal_places=18)
