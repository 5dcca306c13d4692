"""The page that says what a use would cost, and why. Nothing is stored."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.models.runs import EARLIEST, LATEST
from billing.queries.prices_now import Question, price_of
from catalog.choices import ProductKind
from catalog.models import Product
from customers.models import Customer, SubscriptionService
from usage.models import UsageDataRecord

PERMISSIONS = ("catalog.view_rate", "customers.view_customer")
NUMBER = {"max_digits": 38, "decimal_places": 18, "widget": UnfoldAdminTextInputWidget}
LONGEST_SECONDS = 366 * 24 * 60 * 60


def found_by_typing(field: str) -> AutocompleteSelect:
    """The widget that looks among what a usage data record refers to by its field."""
    related: Any = UsageDataRecord._meta.get_field(field)
    return AutocompleteSelect(related, admin.site, attrs={"class": "unfold-filter-autocomplete"})


class PriceForm(forms.Form):
    """A use that is only asked about: whose, of what, where to, when and how much."""

    customer = forms.ModelChoiceField(
        Customer.objects.all(),
        required=False,
        widget=found_by_typing("customer"),
        help_text="Found by the start of its account number or name.",
    )
    service = forms.ModelChoiceField(
        SubscriptionService.objects.select_related("customer", "subscription", "product"),
        required=False,
        widget=found_by_typing("subscription_service"),
        help_text="Found by the start of its identifier. Needed where usage counts per service or subscription.",
    )
    product = forms.ModelChoiceField(
        Product.objects.filter(kind=ProductKind.USAGE),
        required=False,
        widget=found_by_typing("product"),
        help_text="Empty: the service's.",
    )
    destination = forms.CharField(
        max_length=100, required=False, widget=UnfoldAdminTextInputWidget, help_text="Such as +447700900123."
    )
    region = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)
    starts_at = forms.DateTimeField(
        label="Starts at",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-01-31 09:00"}),
        help_text="On the customer's clocks, such as 2026-01-31 09:00. Empty: now.",
        error_messages={"invalid": "Write a day and a time such as 2026-01-31 09:00."},
    )
    quantity = forms.DecimalField(
        min_value=Decimal(0), help_text="In the unit of the usage, such as seconds.", **NUMBER
    )
    duration_seconds = forms.IntegerField(
        label="Lasts",
        required=False,
        min_value=0,
        max_value=LONGEST_SECONDS,
        widget=UnfoldAdminTextInputWidget,
        help_text="In seconds, for cards that split at the border of a time band. Empty: the quantity.",
    )
    used_before = forms.DecimalField(
        label="Used before in the month",
        required=False,
        help_text="For tiers, packages and included quantities. Empty: what is charged so far.",
        **NUMBER,
    )

    class Media:
        js = ("admin/js/jquery.init.js", "unfold/js/select2.init.js")

    def clean_starts_at(self) -> datetime | None:
        starts_at: datetime | None = self.cleaned_data["starts_at"]
        if starts_at is not None and not EARLIEST.year <= starts_at.year < LATEST.year:
            raise forms.ValidationError(f"Give a year from {EARLIEST.year} to {LATEST.year - 1}.")
        return starts_at

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        customer, service = given.get("customer"), given.get("service")
        if service and customer is None:
            given["customer"] = service.customer
        elif service and customer and service.customer_id != customer.pk:
            self.add_error("service", f"The service {service} is not {customer}'s but {service.customer}'s.")
        elif customer is None and not {"customer", "service"} & set(self.errors):
            self.add_error("customer", "Choose a customer, or a service, which says whose it is.")
        if given.get("product") is None and "product" not in self.errors:
            given["product"] = service.product if service else None
            if given["product"] is None:
                self.add_error(
                    "product", "Choose a product: the service does not say one." if service else "Choose one."
                )
        return given

    def question(self, *, at: datetime) -> Question:
        """What is asked. A start is a time on the clocks of the customer; `at` is now."""
        given = self.cleaned_data
        zone = ZoneInfo(given["customer"].timezone)
        starts_at = given["starts_at"]
        # The form read it as UTC.
        start = at if starts_at is None else starts_at.astimezone(UTC).replace(tzinfo=zone)
        return Question(
            customer=given["customer"],
            service=given["service"],
            product=given["product"],
            destination=given["destination"],
            region=given["region"],
            started_at=start,
            ended_at=end_of(start, given["quantity"], given["duration_seconds"]),
            quantity=given["quantity"],
            used_before=given["used_before"],
        )


def end_of(start: datetime, quantity: Decimal, seconds: int | None) -> datetime | None:
    """When a use ends that lasts so many seconds, by default as many as its quantity; None where that is too long."""
    lasts = Decimal(seconds) if seconds is not None else quantity
    if lasts > LONGEST_SECONDS:
        return None
    return start.astimezone(UTC) + timedelta(microseconds=int(lasts * 1_000_000))


def may_ask(request: HttpRequest) -> bool:
    """Whether the user may see prices of customers."""
    return request.user.has_perms(PERMISSIONS)


def price_tool(request: HttpRequest) -> HttpResponse:
    """The form and, once it is filled in, the price and its explanation. An address with a question can be kept."""
    if not may_ask(request):
        raise PermissionDenied
    asked = {name for name in request.GET if name in PriceForm.base_fields}
    form = PriceForm(request.GET if asked else None)
    explanation = question = None
    if asked and form.is_valid():
        question = form.question(at=timezone.now())
        explanation = price_of(question)
    context = {
        **admin.site.each_context(request),
        "title": "Price tool",
        "form": form,
        "question": question,
        "explanation": explanation,
        # As text: a template would turn it into UTC.
        "local_start": question
        and f"{question.started_at.astimezone(ZoneInfo(question.customer.timezone)):%A %Y-%m-%d %H:%M:%S}",
    }
    return render(request, "admin/billing/prices/tool.html", context)
