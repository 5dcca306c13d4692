"""Profiles in the admin: given and taken away by the operation, so that what it refuses is refused there in words."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from reports.models import (
    CustomerReportProfile,
    GroupReportProfile,
    InvoiceReportProfile,
    InvoiceUsageReportProfile,
)
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    CustomerReportProfileFactory,
    GroupReportProfileFactory,
    InvoiceFactory,
    InvoiceUsageReportProfileFactory,
    UserFactory,
    post,
)
from tests.reports.reported import invoice_of_four_uses

pytestmark = pytest.mark.django_db

PROFILES = "/admin/reports/invoiceusagereportprofile/"


@pytest.fixture
def clerk() -> Client:
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    return client


def filled_in(profile: InvoiceUsageReportProfile | None = None, **fields: Any) -> dict[str, Any]:
    """The form of a profile, with its groups as they are stored; `groups` are those that are added."""
    given = list(profile.group_profiles.order_by("id")) if profile else []
    added = fields.pop("groups", [])
    rows: dict[str, Any] = {}
    for place, row in enumerate(given):
        rows |= {f"group_profiles-{place}-id": row.pk, f"group_profiles-{place}-group": row.group_id}
    for place, group in enumerate(added, start=len(given)):
        rows |= {f"group_profiles-{place}-id": "", f"group_profiles-{place}-group": group.pk}
    forms = {
        "group_profiles-TOTAL_FORMS": len(given) + len(added),
        "group_profiles-INITIAL_FORMS": len(given),
        "group_profiles-MIN_NUM_FORMS": 0,
        "group_profiles-MAX_NUM_FORMS": 1000,
    }
    own = {"name": profile.name if profile else "New", "availability": "Standard", "threshold_amount": "0"}
    return own | forms | rows | fields


def test_a_profile_is_made_with_its_groups_and_given_to_them(clerk: Client) -> None:
    trade = CustomerGroupFactory(name="Trade")
    answer = clerk.post(
        f"{PROFILES}add/", filled_in(customer_groups=[trade.pk], groups=[trade], formats=["csv", "pdf"])
    )
    assert answer.status_code == 302
    profile = InvoiceUsageReportProfile.objects.get()
    assert (profile.formats, list(profile.customer_groups.all())) == (["csv", "pdf"], [trade])
    assert [given.group for given in profile.group_profiles.all()] == [trade]


def test_a_group_outside_is_refused_and_nothing_is_kept(clerk: Client) -> None:
    trade, retail = CustomerGroupFactory(name="Trade"), CustomerGroupFactory(name="Retail")
    answer = clerk.post(f"{PROFILES}add/", filled_in(customer_groups=[trade.pk], groups=[retail]))
    assert "is not for all customers of the group Retail" in answer.content.decode()
    assert not InvoiceUsageReportProfile.objects.exists()


def test_groups_are_taken_away_and_changed(clerk: Client) -> None:
    profile = InvoiceUsageReportProfileFactory(name="Used")
    first, second, third = CustomerGroupFactory(), CustomerGroupFactory(), CustomerGroupFactory()
    for group in (first, second):
        GroupReportProfileFactory(profile=profile, group=group)
    form = filled_in(profile) | {"group_profiles-0-DELETE": "on", "group_profiles-1-group": third.pk}
    assert clerk.post(f"{PROFILES}{profile.pk}/change/", form).status_code == 302
    assert list(GroupReportProfile.objects.values_list("group", flat=True)) == [third.pk]


def test_a_change_that_leaves_somebody_outside_is_refused(clerk: Client) -> None:
    given = CustomerReportProfileFactory(customer=CustomerFactory(account_number="A1"))
    form = filled_in(given.profile, customer=CustomerFactory().pk)
    answer = clerk.post(f"{PROFILES}{given.profile_id}/change/", form)
    assert "Customer A1 has the profile" in answer.content.decode()
    given.profile.refresh_from_db()
    assert given.profile.customer is None


def test_the_default_is_not_deleted(clerk: Client) -> None:
    profile = InvoiceUsageReportProfileFactory(name="Usual", is_default=True)
    answer = clerk.post(f"{PROFILES}{profile.pk}/delete/", {"post": "yes"}, follow=True)
    assert "The profile Usual is in use: it is the default." in answer.content.decode()
    assert InvoiceUsageReportProfile.objects.get() == profile


def test_a_customers_profile_is_given_changed_and_taken_away(clerk: Client) -> None:
    customer, first, second = CustomerFactory(), InvoiceUsageReportProfileFactory(), InvoiceUsageReportProfileFactory()
    address = "/admin/reports/customerreportprofile/"
    clerk.post(f"{address}add/", {"customer": customer.pk, "profile": first.pk})
    given = CustomerReportProfile.objects.get()
    assert (given.customer, given.profile) == (customer, first)
    clerk.post(f"{address}{given.pk}/change/", {"profile": second.pk})
    assert CustomerReportProfile.objects.get().profile == second
    clerk.post(f"{address}{given.pk}/delete/", {"post": "yes"})
    assert not CustomerReportProfile.objects.exists()


def test_a_posted_invoice_is_given_none(clerk: Client) -> None:
    invoice = post(InvoiceFactory())
    form = {"invoice": invoice.pk, "profile": InvoiceUsageReportProfileFactory().pk}
    answer = clerk.post("/admin/reports/invoicereportprofile/add/", form)
    assert "is posted: the profile that it was posted with stays" in answer.content.decode()
    assert not InvoiceReportProfile.objects.exists()


def test_who_may_not_see_usage_sees_no_preview(clerk: Client) -> None:
    invoice_of_four_uses(account_number="A-ACME")
    form = filled_in(customer_usage_reports=["Summary"], preview_customer="A-ACME")
    assert "0.378" in clerk.post(f"{PROFILES}preview/", form).content.decode()
    assert clerk.get(f"{PROFILES}preview/").status_code == 405
    few = UserFactory()
    few.user_permissions.set(Permission.objects.filter(content_type__app_label="reports"))
    clerk.force_login(few)
    page = clerk.get(f"{PROFILES}add/").content.decode()
    assert "threshold_amount" in page
    assert "Preview of the reports" not in page
    assert clerk.post(f"{PROFILES}preview/", form).status_code == 403
