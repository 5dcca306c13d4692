"""Report profiles: what they choose, and who has which. A profile in use is not deleted; a stranger is given none."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

from django.db import transaction

from catalog.operations.refusals import CatalogConflict, CatalogRefused, database_refusals
from customers.models import Customer, CustomerGroup
from invoicing.choices import InvoiceState
from invoicing.models import Invoice
from reports.choices import Availability, ReportFormat
from reports.models import (
    CustomerReportProfile,
    GroupReportProfile,
    InvoiceReportProfile,
    InvoiceUsageReportProfile,
)
from reports.queries.profiles import is_for_group, is_inside, users_of


class ProfileValues(TypedDict, total=False):
    """What a profile says of itself; see `reports.models.InvoiceUsageReportProfile`."""

    name: str
    description: str
    availability: str
    is_default: bool
    customer_id: int | None
    customer_group_ids: Sequence[int]
    customer_usage_reports: Sequence[str]
    site_usage_reports: Sequence[str]
    campaign_usage_reports: Sequence[str]
    number_usage_reports: Sequence[str]
    include_transaction_columns: Sequence[str]
    include_call_columns: Sequence[str]
    call_details: Sequence[str]
    formats: Sequence[str]
    threshold_amount: Decimal
    splits_by: str


@transaction.atomic
def create_profile(*, values: ProfileValues) -> InvoiceUsageReportProfile:
    """Make a profile; as CSV where no format is named. Raises CatalogRefused, CatalogConflict."""
    return _written(InvoiceUsageReportProfile(formats=[ReportFormat.CSV.value]), values)


@transaction.atomic
def update_profile(*, profile_id: int, changes: ProfileValues) -> InvoiceUsageReportProfile:
    """Change what a profile says of itself; what `changes` does not name stays. Invoices that are posted keep theirs.

    Raises CatalogRefused for impossible values, CatalogConflict where one that has it would be left outside.
    """
    return _written(InvoiceUsageReportProfile.objects.select_for_update().get(id=profile_id), changes)


@transaction.atomic
def delete_profile(*, profile_id: int) -> None:
    """Delete a profile that nothing uses. Raises CatalogConflict that names what does."""
    profile = InvoiceUsageReportProfile.objects.select_for_update().get(id=profile_id)
    if users := users_of(profile):
        raise CatalogConflict(
            f"The profile {profile} is in use: {'; '.join(users)}. Give them another one first, or make it historic."
        )
    with database_refusals():
        profile.customer_groups.clear()
        profile.delete()


@transaction.atomic
def give_profile(
    *,
    profile_id: int | None,
    customer: Customer | None = None,
    group: CustomerGroup | None = None,
    invoice: Invoice | None = None,
) -> None:
    """Give a customer, a group or a draft invoice a profile of its own; None takes it away.

    Raises CatalogRefused where the profile is not for it, or is historic and not its own already, CatalogConflict for a
    posted invoice.
    """
    if [customer, group, invoice].count(None) != 2:  # noqa: PLR2004  all but one
        raise ValueError("A profile is given to a customer, to a group or to an invoice.")
    profile = None
    if profile_id is not None:
        profile = InvoiceUsageReportProfile.objects.select_for_update().get(id=profile_id)
    with database_refusals():
        if customer is not None:
            _give_customer(profile, customer)
        elif group is not None:
            _give_group(profile, group)
        elif invoice is not None:
            _give_invoice(profile, invoice)


def _give_customer(profile: InvoiceUsageReportProfile | None, customer: Customer) -> None:
    given = CustomerReportProfile.objects.filter(customer=customer)
    if profile is None:
        given.delete()
        return
    _require_offered(profile, is_there=given.filter(profile=profile).exists())
    _require_inside(profile, customer)
    CustomerReportProfile.objects.update_or_create(customer=customer, defaults={"profile": profile})


def _give_group(profile: InvoiceUsageReportProfile | None, group: CustomerGroup) -> None:
    given = GroupReportProfile.objects.filter(group=group)
    if profile is None:
        given.delete()
        return
    _require_offered(profile, is_there=given.filter(profile=profile).exists())
    if not is_for_group(profile, group):
        raise CatalogRefused(
            f"The profile {profile} is not for all customers of the group {group}. Choose one that is for all, or add "
            "the group to it."
        )
    GroupReportProfile.objects.update_or_create(group=group, defaults={"profile": profile})


def _give_invoice(profile: InvoiceUsageReportProfile | None, invoice: Invoice) -> None:
    draft = Invoice.objects.select_for_update(of=("self",)).select_related("customer").get(pk=invoice.pk)
    if draft.state != InvoiceState.DRAFT:
        raise CatalogConflict(f"Invoice {draft.number} is posted: the profile that it was posted with stays.")
    given = InvoiceReportProfile.objects.filter(invoice=draft)
    if profile is None:
        given.delete()
        return
    _require_offered(profile, is_there=given.filter(profile=profile).exists())
    _require_inside(profile, draft.customer)
    InvoiceReportProfile.objects.update_or_create(invoice=draft, defaults={"profile": profile})


def _written(profile: InvoiceUsageReportProfile, values: ProfileValues) -> InvoiceUsageReportProfile:
    fields = dict(values)
    group_ids = fields.pop("customer_group_ids", None)
    for name, value in fields.items():
        setattr(profile, name, value)
    with database_refusals():
        profile.save()
        if isinstance(group_ids, Sequence):
            profile.customer_groups.set([int(group_id) for group_id in group_ids])
    _require_for_all_who_have_it(profile)
    return profile


def _require_offered(profile: InvoiceUsageReportProfile, *, is_there: bool) -> None:
    if profile.availability == Availability.HISTORIC and not is_there:
        raise CatalogRefused(
            f"The profile {profile} is historic: who has it keeps it, and nobody is given it any more."
        )


def _require_inside(profile: InvoiceUsageReportProfile, customer: Customer) -> None:
    if not is_inside(profile, customer):
        raise CatalogRefused(
            f"The profile {profile} is not for customer {customer.account_number}: it is kept to {_kept_to(profile)}."
        )


def _require_for_all_who_have_it(profile: InvoiceUsageReportProfile) -> None:
    """Raise CatalogConflict where the default, or one that is given, is kept from some who have it."""
    is_restricted = profile.customer_id is not None or profile.customer_groups.exists()
    if profile.is_default and is_restricted:
        raise CatalogConflict(f"The profile {profile} is the default: it is for all customers.")
    if profile.is_default and profile.availability == Availability.HISTORIC:
        raise CatalogConflict(f"The profile {profile} is the default: it is not historic. Make another the default.")
    if not is_restricted:
        return
    for given in profile.customer_profiles.select_related("customer"):
        if not is_inside(profile, given.customer):
            raise CatalogConflict(
                f"Customer {given.customer.account_number} has the profile {profile}: keep it inside."
            )
    for kept in profile.group_profiles.select_related("group"):
        if not is_for_group(profile, kept.group):
            raise CatalogConflict(f"The customer group {kept.group} has the profile {profile}: keep it inside.")


def _kept_to(profile: InvoiceUsageReportProfile) -> str:
    if profile.customer is not None:
        return f"customer {profile.customer.account_number}"
    return f"the groups {', '.join(profile.customer_groups.order_by('name').values_list('name', flat=True))}"
