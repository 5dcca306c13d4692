"""Who has which report profile: the invoice's own, else the customer's, else its group's, else the default."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.operations.refusals import CatalogConflict, CatalogRefused
from customers.models import Customer
from invoicing.models import Invoice
from reports.models import CustomerReportProfile, GroupReportProfile, InvoiceUsageReportProfile
from reports.operations.profiles import create_profile, delete_profile, give_profile, take_profile, update_profile
from reports.queries.profiles import GivenProfile, profile_of_customer, profiles_of
from tests.factories import (
    CustomerFactory,
    CustomerGroupFactory,
    CustomerReportProfileFactory,
    InvoiceFactory,
    InvoiceUsageReportProfileFactory,
    post,
)

pytestmark = pytest.mark.django_db


def named(name: str, **fields: object) -> InvoiceUsageReportProfile:
    return InvoiceUsageReportProfileFactory(name=name, **fields)


def of(invoice: Invoice) -> tuple[str, str, str | None]:
    found = profiles_of([invoice.pk])[invoice.pk]
    return found.profile_name, found.given_by, found.group_name


def test_the_nearest_profile_counts() -> None:
    group = CustomerGroupFactory(name="Trade")
    invoice = InvoiceFactory(customer=CustomerFactory(groups=[group]))
    assert profiles_of([invoice.pk]) == {}
    named("Default", is_default=True)
    assert of(invoice) == ("Default", "default", None)
    groups, customers, own = named("Group's"), named("Customer's"), named("Invoice's")
    give_profile(profile_id=groups.pk, group=group)
    assert of(invoice) == ("Group's", "group", "Trade")
    give_profile(profile_id=customers.pk, customer=invoice.customer)
    assert of(invoice) == ("Customer's", "customer", None)
    give_profile(profile_id=own.pk, invoice=invoice)
    assert of(invoice) == ("Invoice's", "invoice", None)
    assert profile_of_customer(invoice.customer_id) == GivenProfile(customers.pk, "Customer's", "customer", None)
    take_profile(profile_id=own.pk, invoice=invoice)
    assert of(invoice) == ("Customer's", "customer", None)
    take_profile(profile_id=customers.pk, customer=invoice.customer)
    assert of(invoice) == ("Group's", "group", "Trade")
    take_profile(profile_id=groups.pk, group=group)
    assert of(invoice) == ("Default", "default", None)


def test_only_the_profile_that_one_has_is_taken_away() -> None:
    customer, group, posted = CustomerFactory(account_number="A1"), CustomerGroupFactory(name="Trade"), InvoiceFactory()
    had, other = named("Had"), named("Other")
    for whose in ({"customer": customer}, {"group": group}, {"invoice": posted}):
        give_profile(profile_id=had.pk, **whose)
    with pytest.raises(CatalogConflict, match="Customer A1 does not have the profile Other of its own"):
        take_profile(profile_id=other.pk, customer=customer)
    with pytest.raises(CatalogConflict, match="The customer group Trade does not have the profile Other of its own"):
        take_profile(profile_id=other.pk, group=group)
    post(posted)
    with pytest.raises(CatalogConflict, match="is posted: the profile that it was posted with stays"):
        take_profile(profile_id=had.pk, invoice=posted)
    with pytest.raises(ValueError, match="to a customer, to a group or to an invoice"):
        take_profile(profile_id=had.pk, customer=customer, group=group)
    assert CustomerReportProfile.objects.get().profile == GroupReportProfile.objects.get().profile == had


def test_who_left_the_group_that_a_profile_is_kept_to_does_not_have_it_any_more() -> None:
    trade = CustomerGroupFactory(name="Trade")
    invoice = InvoiceFactory(customer=CustomerFactory(groups=[trade]))
    named("Default", is_default=True)
    for profile, whose in ((named("A"), {"customer": invoice.customer}), (named("B"), {"invoice": invoice})):
        profile.customer_groups.set([trade])
        give_profile(profile_id=profile.pk, **whose)
    assert of(invoice) == ("B", "invoice", None)
    invoice.customer.groups.clear()
    assert of(invoice) == ("Default", "default", None)
    # What is not about whom it is for can still be changed.
    assert update_profile(profile_id=profile.pk, changes={"description": "For the trade"}).description
    invoice.customer.groups.set([trade])
    assert of(invoice) == ("B", "invoice", None)


def test_what_was_deleted_meanwhile_is_a_conflict() -> None:
    customer, profile, draft = CustomerFactory(), named("Gone"), InvoiceFactory()
    give_profile(profile_id=named("There").pk, invoice=draft)
    profile_id = profile.pk
    delete_profile(profile_id=profile_id)
    for change in (
        lambda: give_profile(profile_id=profile_id, customer=customer),
        lambda: update_profile(profile_id=profile_id, changes={"name": "Back"}),
        lambda: delete_profile(profile_id=profile_id),
    ):
        with pytest.raises(CatalogConflict, match="is no longer there: it was deleted meanwhile"):
            change()
    Invoice.objects.filter(pk=draft.pk).delete()
    with pytest.raises(CatalogConflict, match="is no longer there: it was discarded meanwhile"):
        give_profile(profile_id=InvoiceUsageReportProfile.objects.get().pk, invoice=draft)


def test_of_several_groups_the_first_by_name_counts_that_has_a_profile() -> None:
    without, second, third = (CustomerGroupFactory(name=name) for name in ("A", "b", "B"))
    invoice = InvoiceFactory(customer=CustomerFactory(groups=[third, second, without]))
    give_profile(profile_id=named("of b").pk, group=second)
    give_profile(profile_id=named("of B").pk, group=third)
    # Capital letters come before small ones, on every server.
    assert of(invoice) == ("of B", "group", "B")


def test_many_invoices_are_asked_for_at_once() -> None:
    named("Default", is_default=True)
    invoices = [InvoiceFactory() for _ in range(3)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = profiles_of([invoice.pk for invoice in invoices])
    assert (len(found), len(queries)) == (3, 1)


def test_a_customer_outside_is_not_given_a_profile() -> None:
    inside, outside = CustomerFactory(), CustomerFactory(account_number="A-OUT")
    own = named("Own", customer=inside)
    give_profile(profile_id=own.pk, customer=inside)
    with pytest.raises(
        CatalogRefused, match=f"Own is not for customer A-OUT: it is kept to customer {inside.account_number}"
    ):
        give_profile(profile_id=own.pk, customer=outside)
    with pytest.raises(CatalogRefused, match="is not for customer A-OUT"):
        give_profile(profile_id=own.pk, invoice=InvoiceFactory(customer=outside))
    assert not CustomerReportProfile.objects.filter(customer=outside).exists()


def test_a_profile_of_groups_is_for_their_customers_only() -> None:
    trade, retail = CustomerGroupFactory(name="Trade"), CustomerGroupFactory(name="Retail")
    profile = named("Traders")
    profile.customer_groups.set([trade])
    give_profile(profile_id=profile.pk, customer=CustomerFactory(groups=[trade, retail]))
    give_profile(profile_id=profile.pk, group=trade)
    with pytest.raises(CatalogRefused, match="it is kept to the groups Trade"):
        give_profile(profile_id=profile.pk, customer=CustomerFactory(groups=[retail]))
    with pytest.raises(CatalogRefused, match="is not for all customers of the group Retail"):
        give_profile(profile_id=profile.pk, group=retail)
    assert list(GroupReportProfile.objects.values_list("group__name", flat=True)) == ["Trade"]


def test_a_historic_profile_is_kept_and_not_given() -> None:
    customer, profile = CustomerFactory(), named("Old")
    give_profile(profile_id=profile.pk, customer=customer)
    update_profile(profile_id=profile.pk, changes={"availability": "Historic"})
    give_profile(profile_id=profile.pk, customer=customer)
    with pytest.raises(CatalogRefused, match="The profile Old is historic"):
        give_profile(profile_id=profile.pk, customer=CustomerFactory())
    # Who has it keeps it.
    assert of(InvoiceFactory(customer=customer)) == ("Old", "customer", None)


def test_a_posted_invoice_keeps_the_profile_that_it_was_posted_with() -> None:
    invoice = post(InvoiceFactory())
    with pytest.raises(CatalogConflict, match=f"Invoice {invoice.number} is posted"):
        give_profile(profile_id=named("Late").pk, invoice=invoice)


def customer_with(profile: InvoiceUsageReportProfile) -> str:
    customer: Customer = CustomerFactory(account_number="A1")
    give_profile(profile_id=profile.pk, customer=customer)
    return "customer A1"


def group_with(profile: InvoiceUsageReportProfile) -> str:
    give_profile(profile_id=profile.pk, group=CustomerGroupFactory(name="Trade"))
    return "customer group Trade"


def draft_with(profile: InvoiceUsageReportProfile) -> str:
    invoice = InvoiceFactory()
    give_profile(profile_id=profile.pk, invoice=invoice)
    return f"draft invoice {invoice.pk}"


def posted_with(profile: InvoiceUsageReportProfile) -> str:
    invoice = InvoiceFactory()
    give_profile(profile_id=profile.pk, invoice=invoice)
    return f"posted invoice {post(invoice).number}. Posted invoices keep theirs, so make it historic"


def default_with(profile: InvoiceUsageReportProfile) -> str:
    update_profile(profile_id=profile.pk, changes={"is_default": True})
    return "it is the default. Make another the default first"


@pytest.mark.parametrize("use", [customer_with, group_with, draft_with, posted_with, default_with])
def test_a_profile_in_use_is_not_deleted(use: Callable[[InvoiceUsageReportProfile], str]) -> None:
    profile = named("Used")
    said = use(profile)
    with pytest.raises(CatalogConflict, match=f"The profile Used is in use: {said}."):
        delete_profile(profile_id=profile.pk)
    assert InvoiceUsageReportProfile.objects.filter(pk=profile.pk).exists()


def test_a_profile_that_nothing_uses_is_deleted() -> None:
    profile = create_profile(values={"name": "New", "customer_group_ids": [CustomerGroupFactory().pk]})
    assert profile.formats == ["csv"]
    delete_profile(profile_id=profile.pk)
    assert not InvoiceUsageReportProfile.objects.exists()


def test_who_has_a_profile_is_not_left_outside_of_it() -> None:
    profile, group = named("Used"), CustomerGroupFactory(name="Trade")
    give_profile(profile_id=profile.pk, customer=CustomerFactory(account_number="A1"))
    with pytest.raises(CatalogConflict, match="Used would be kept from who has it: customer A1"):
        update_profile(profile_id=profile.pk, changes={"customer_id": CustomerFactory().pk})
    CustomerReportProfile.objects.all().delete()
    give_profile(profile_id=profile.pk, group=group)
    with pytest.raises(CatalogConflict, match="Used would be kept from who has it: customer group Trade"):
        update_profile(profile_id=profile.pk, changes={"customer_group_ids": [CustomerGroupFactory().pk]})
    GroupReportProfile.objects.all().delete()
    draft = InvoiceFactory()
    give_profile(profile_id=profile.pk, invoice=draft)
    with pytest.raises(CatalogConflict, match=f"Used would be kept from who has it: draft invoice {draft.pk}"):
        update_profile(profile_id=profile.pk, changes={"customer_id": CustomerFactory().pk})
    update_profile(profile_id=profile.pk, changes={"customer_id": draft.customer_id})


def test_however_many_have_a_profile_a_few_are_named_by_as_many_queries() -> None:
    profile, inside = named("Used"), CustomerGroupFactory()

    def asked() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries, pytest.raises(CatalogConflict) as caught:
            update_profile(profile_id=profile.pk, changes={"customer_group_ids": [inside.pk]})
        return len(queries), str(caught.value)

    CustomerReportProfileFactory(profile=profile, customer=CustomerFactory(account_number="A0", groups=[inside]))
    for number in range(1, 7):
        CustomerReportProfileFactory(profile=profile, customer__account_number=f"A{number}")
    six, _ = asked()
    for number in (7, 8):
        CustomerReportProfileFactory(profile=profile, customer__account_number=f"A{number}")
    eight, said = asked()
    assert "customers A1, A2, A3, A4, A5 and 3 more." in said
    assert six == eight


def test_there_is_one_default_and_one_of_a_name() -> None:
    named("Usual", is_default=True)
    with pytest.raises(CatalogConflict, match="The profile Usual is the default already"):
        create_profile(values={"name": "Second", "is_default": True})
    with pytest.raises(CatalogConflict, match="There is a profile named Usual already"):
        create_profile(values={"name": "Usual"})


@pytest.mark.parametrize("changes", [{"availability": "Historic"}, {"customer_id": 1}])
def test_the_default_is_for_all(changes: dict[str, object]) -> None:
    customer = CustomerFactory()
    profile = named("Default", is_default=True)
    with pytest.raises(CatalogConflict, match="is the default"):
        update_profile(
            profile_id=profile.pk,
            changes={"customer_id": customer.pk} if "customer_id" in changes else {"availability": "Historic"},
        )
