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
from tests.away import take_bucket_away
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    CustomerReportProfileFactory,
    GroupReportProfileFactory,
    InvoiceFactory,
    InvoiceReportProfileFactory,
    InvoiceUsageReportProfileFactory,
    ReportProductionFactory,
    UsageReportFactory,
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
    assert "would be kept from who has it: customer A1. Give them another one first." in answer.content.decode()
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


def test_the_chart_of_a_preview_has_all_groups_where_few_rows_are_shown(
    clerk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.admin.preview.SHOWN_ROWS", 2)
    invoice_of_four_uses(account_number="A-ACME")
    form = filled_in(customer_usage_reports=["By Day"], formats=["pdf"], preview_customer="A-ACME")
    page = clerk.post(f"{PROFILES}preview/", form).content.decode()
    assert page.count("<progress") == 3
    assert "and more rows" in page


def test_a_group_that_has_another_profile_by_now_keeps_it(clerk: Client) -> None:
    first, second, group = (
        InvoiceUsageReportProfileFactory(name="First"),
        InvoiceUsageReportProfileFactory(name="Second"),
        CustomerGroupFactory(),
    )
    given = GroupReportProfileFactory(profile=first, group=group)
    form = filled_in(first) | {"group_profiles-0-DELETE": "on"}
    GroupReportProfile.objects.filter(pk=given.pk).update(profile=second)
    clerk.post(f"{PROFILES}{first.pk}/change/", form)
    assert GroupReportProfile.objects.get().profile == second


def test_who_has_another_profile_is_said_what_to_do(clerk: Client) -> None:
    group, customer = GroupReportProfileFactory().group, CustomerReportProfileFactory().customer
    other = InvoiceUsageReportProfileFactory()
    page = clerk.post(f"{PROFILES}{other.pk}/change/", filled_in(other, groups=[group])).content.decode()
    assert "This group has another profile: take it away there first." in page
    form = {"customer": customer.pk, "profile": other.pk}
    page = clerk.post("/admin/reports/customerreportprofile/add/", form).content.decode()
    assert "This customer has a profile of its own already: change that one." in page


def offered(clerk: Client, model: str, field: str, **asked: str) -> list[str]:
    address = "/admin/autocomplete/"
    query = {"app_label": "reports", "model_name": model, "field_name": field, "term": ""} | asked
    return [found["text"] for found in clerk.get(address, query).json()["results"]]


@pytest.mark.parametrize("model", ["customerreportprofile", "invoicereportprofile"])
def test_a_historic_profile_is_not_offered_but_looked_for(clerk: Client, model: str) -> None:
    InvoiceUsageReportProfileFactory(name="New")
    InvoiceUsageReportProfileFactory(name="Old", availability="Historic")
    assert offered(clerk, model, "profile") == ["New"]
    # The filter of the list finds who has one.
    assert offered(clerk, model, "profile", any="1") == ["New", "Old"]
    assert "/admin/autocomplete/?any=1" in clerk.get(f"/admin/reports/{model}/").content.decode()


def test_who_has_a_historic_profile_keeps_it_when_the_page_is_saved(clerk: Client) -> None:
    given = CustomerReportProfileFactory(profile__availability="Historic")
    address = f"/admin/reports/customerreportprofile/{given.pk}/change/"
    assert clerk.post(address, {"profile": given.profile_id}).status_code == 302
    assert CustomerReportProfile.objects.get() == given


def test_drafts_are_offered_to_be_given_a_profile_and_no_posted_invoices(clerk: Client) -> None:
    draft, posted = InvoiceFactory(), post(InvoiceFactory())
    assert offered(clerk, "invoicereportprofile", "invoice") == [f"draft {draft.pk}"]
    assert offered(clerk, "usagereport", "invoice") == [posted.number, f"draft {draft.pk}"]


def test_a_group_that_a_profile_is_kept_to_is_not_deleted(clerk: Client) -> None:
    group = CustomerGroupFactory(name="Trade")
    profile = InvoiceUsageReportProfileFactory(name="Traders")
    profile.customer_groups.add(group)
    address = f"/admin/customers/customergroup/{group.pk}/delete/"
    assert "report profile Traders" in clerk.get(address).content.decode()
    clerk.post(address, {"post": "yes"})
    assert list(profile.customer_groups.all()) == [group]


def test_the_page_of_a_customer_says_which_profile_it_has_and_by_what(clerk: Client) -> None:
    group = CustomerGroupFactory(name="Trade")
    customer = CustomerFactory(groups=[group])

    def said() -> str:
        page: str = clerk.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
        return page

    assert "None are made: it has no profile, and there is no default." in said()
    InvoiceUsageReportProfileFactory(name="Usual", is_default=True)
    assert "By the profile “Usual”, the default." in said()
    assert f"/admin/reports/customerreportprofile/add/?customer={customer.pk}" in said()
    GroupReportProfileFactory(group=group, profile__name="Group's")
    assert "By the profile “Group&#x27;s”, that of the customer group Trade." in said()
    given = CustomerReportProfileFactory(customer=customer, profile__name="Own")
    assert "By the profile “Own”, its own." in said()
    assert f"/admin/reports/customerreportprofile/{given.pk}/change/" in said()
    given.profile.customer_groups.add(CustomerGroupFactory())
    assert "By the profile “Group&#x27;s”" in said()
    assert "Its own, “Own”, does not count" in said()


def test_the_page_of_a_draft_says_which_profile_it_is_posted_with(clerk: Client) -> None:
    draft = InvoiceFactory()
    InvoiceUsageReportProfileFactory(name="Usual", is_default=True)
    address = f"/admin/invoicing/invoice/{draft.pk}/change/"
    page = clerk.get(address).content.decode()
    assert "By the profile “Usual”, the default." in page
    assert f"/admin/reports/invoicereportprofile/add/?invoice={draft.pk}" in page
    InvoiceReportProfileFactory(invoice=draft, profile__name="Own")
    assert "By the profile “Own”, its own." in clerk.get(address).content.decode()


def test_the_page_of_an_invoice_shows_reports_to_who_may_open_them(clerk: Client) -> None:
    invoice = post(InvoiceFactory())
    report = UsageReportFactory(invoice=invoice, title="Numbers: Summary")
    ReportProductionFactory(invoice=invoice, error="Line 1 differs by 0.01.")
    address, file = f"/admin/invoicing/invoice/{invoice.pk}/change/", f"/admin/reports/usagereport/{report.pk}/file/"
    page = clerk.get(address).content.decode()
    assert file in page
    assert "Line 1 differs by 0.01." in page
    few = UserFactory()
    few.user_permissions.set(Permission.objects.filter(codename="view_invoice"))
    clerk.force_login(few)
    page = clerk.get(address).content.decode()
    assert str(invoice.number) in page
    assert all(text not in page for text in (file, "Numbers: Summary", "Line 1 differs by 0.01."))


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


def test_with_the_storage_away_the_page_of_a_file_says_so(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = UsageReportFactory(invoice=post(InvoiceFactory()))
    take_bucket_away(settings, monkeypatch)
    answer = admin_client.get(f"/admin/reports/usagereport/{report.pk}/file/", follow=True)
    assert answer.redirect_chain == [(f"/admin/reports/usagereport/{report.pk}/change/", 302)]
    assert "The storage of files does not answer. Please try again in some minutes." in answer.content.decode()
