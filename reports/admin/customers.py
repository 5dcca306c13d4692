"""The pages of customers and of their groups with what reports know of them: the report profile, and who gave it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from catalog.admin.base import change_url
from customers.admin.customers import CustomerAdmin as CustomersOwnAdmin
from customers.admin.customers import CustomerGroupAdmin as GroupsOwnAdmin
from customers.models import Customer, CustomerGroup
from reports.models import CustomerReportProfile
from reports.queries.profiles import GivenProfile, kept_to_group, profile_of_customer

admin.site.unregister([Customer, CustomerGroup])


@admin.register(Customer)
class CustomerAdmin(CustomersOwnAdmin):
    change_form_outer_before_template = "admin/reports/customer.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        customer = kwargs.get("obj")
        if customer and request.user.has_perm("reports.view_customerreportprofile"):
            context |= customers_profile(request, customer)
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(CustomerGroup)
class CustomerGroupAdmin(GroupsOwnAdmin):
    """A group that a profile is kept to is not deleted: the profile would be for all."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        names, counts, needed, in_the_way = super().get_deleted_objects(objs, request)
        return names, counts, needed, [*in_the_way, *(kept for group in objs for kept in kept_to_group(group))]


def customers_profile(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """What the page of a customer says of its report profile (templates/admin/reports/customer.html)."""
    own = CustomerReportProfile.objects.select_related("profile").filter(customer=customer).first()
    given = profile_of_customer(customer.pk)
    does_count = own is None or (given is not None and given.given_by == "customer")
    address = ""
    if own is not None:
        address = change_url(own)
    elif request.user.has_perm("reports.add_customerreportprofile"):
        address = f"{reverse('admin:reports_customerreportprofile_add')}?customer={customer.pk}"
    return {
        "profile_said": said_of(given, whose="its own"),
        "profile_url": address,
        "has_own_profile": own is not None,
        "uncounted_profile": None if does_count or own is None else own.profile,
    }


def said_of(given: GivenProfile | None, *, whose: str) -> str:
    """The profile, and by what it is had; `whose` names the nearest."""
    if given is None:
        return "None are made: it has no profile, and there is no default."
    by = {
        "invoice": "its own",
        "customer": whose,
        "group": f"that of the customer group {given.group_name}",
        "default": "the default",
    }
    return f"By the profile “{given.profile_name}”, {by[given.given_by]}."
