"""Report profiles: what they choose, and who has which. A profile in use is not deleted; a stranger is given none."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import QuerySet

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
from reports.queries.profiles import is_for_group, is_inside, left_out, posted_users_of, users_of

NOT_RESTRICTED: tuple[int | None, frozenset[int]] = (None, frozenset())


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
    return _written(_locked(profile_id), changes)


@transaction.atomic
def delete_profile(*, profile_id: int) -> None:
    """Delete a profile that nothing uses. Raises CatalogConflict that names what does."""
    profile = _locked(profile_id)
    posted = posted_users_of(profile)
    users = [*(["it is the default"] if profile.is_default else []), *users_of(profile), *posted]
    if users:
        advice = "Give them another one first, or make it historic."
        if profile.is_default:
            advice = "Make another the default first."
        elif posted:
            advice = "Posted invoices keep theirs, so make it historic."
        raise CatalogConflict(f"The profile {profile} is in use: {'; '.join(users)}. {advice}")
    with database_refusals():
        profile.customer_groups.clear()
        profile.delete()


@transaction.atomic
def give_profile(
    *,
    profile_id: int,
    customer: Customer | None = None,
    group: CustomerGroup | None = None,
    invoice: Invoice | None = None,
) -> None:
    """Give a customer, a group or a draft invoice a profile of its own, in place of the one that it has.

    Raises CatalogRefused where the profile is not for it, or is historic and not its own already, CatalogConflict for a
    posted invoice.
    """
    profile = _locked(profile_id)
    whose = _whose(customer, group, invoice)
    if profile.availability == Availability.HISTORIC and not whose.rows.filter(profile=profile).exists():
        raise CatalogRefused(
            f"The profile {profile} is historic: who has it keeps it, and nobody is given it any more."
        )
    if group is not None and not is_for_group(profile, group):
        raise CatalogRefused(
            f"The profile {profile} is not for all customers of the group {group}. Choose one that is for all, or add "
            "the group to it."
        )
    if whose.customer is not None and not is_inside(profile, whose.customer):
        raise CatalogRefused(
            f"The profile {profile} is not for customer {whose.customer.account_number}: it is kept to "
            f"{_kept_to(profile)}."
        )
    with database_refusals():
        whose.rows.update_or_create(**whose.key, defaults={"profile": profile})


@transaction.atomic
def take_profile(
    *,
    profile_id: int,
    customer: Customer | None = None,
    group: CustomerGroup | None = None,
    invoice: Invoice | None = None,
) -> None:
    """Take its own profile away from a customer, a group or a draft invoice; what comes next counts again.

    Raises CatalogConflict where it has another one or none of its own, and for a posted invoice.
    """
    profile = _locked(profile_id)
    whose = _whose(customer, group, invoice)
    given = whose.rows.filter(profile=profile)
    if not given.exists():
        raise CatalogConflict(f"{whose.said} does not have the profile {profile} of its own.")
    given.delete()


@dataclass(frozen=True, slots=True)
class _Whose:
    """Who is given a profile: the row that says so, the customer that it must be for, and its name in a sentence."""

    rows: QuerySet[Any]
    key: dict[str, Any]
    customer: Customer | None
    said: str


def _whose(customer: Customer | None, group: CustomerGroup | None, invoice: Invoice | None) -> _Whose:
    """Who it is of the three. Raises CatalogConflict for an invoice that is no draft any more."""
    match (customer, group, invoice):
        case (Customer() as who, None, None):
            of_customer = CustomerReportProfile.objects.filter(customer=who)
            return _Whose(of_customer, {"customer": who}, who, f"Customer {who.account_number}")
        case (None, CustomerGroup() as who, None):
            return _Whose(
                GroupReportProfile.objects.filter(group=who), {"group": who}, None, f"The customer group {who}"
            )
        case (None, None, Invoice() as who):
            return _whose_draft(who)
    raise ValueError("A profile is given to a customer, to a group or to an invoice.")


def _whose_draft(invoice: Invoice) -> _Whose:
    drafts = Invoice.objects.select_for_update(of=("self",)).select_related("customer")
    draft = drafts.filter(pk=invoice.pk).first()
    if draft is None:
        raise CatalogConflict("The draft is no longer there: it was discarded meanwhile.")
    if draft.state != InvoiceState.DRAFT:
        raise CatalogConflict(f"Invoice {draft.number} is posted: the profile that it was posted with stays.")
    given = InvoiceReportProfile.objects.filter(invoice=draft)
    return _Whose(given, {"invoice": draft}, draft.customer, f"Draft invoice {draft.pk}")


def _locked(profile_id: int) -> InvoiceUsageReportProfile:
    """The profile, for this transaction only. Raises CatalogConflict where it was deleted meanwhile."""
    profile = InvoiceUsageReportProfile.objects.select_for_update(of=("self",)).filter(id=profile_id).first()
    if profile is None:
        raise CatalogConflict("The profile is no longer there: it was deleted meanwhile.")
    return profile


def _written(profile: InvoiceUsageReportProfile, values: ProfileValues) -> InvoiceUsageReportProfile:
    fields = dict(values)
    group_ids = fields.pop("customer_group_ids", None)
    before = _restriction(profile)
    for name, value in fields.items():
        setattr(profile, name, value)
    try:
        with database_refusals():
            profile.save()
            if isinstance(group_ids, Sequence):
                profile.customer_groups.set([int(group_id) for group_id in group_ids])
    except CatalogConflict as error:
        raise CatalogConflict(_taken(profile) or str(error)) from error
    after = _restriction(profile)
    _require_default_for_all(profile, is_restricted=after != NOT_RESTRICTED)
    if after not in {before, NOT_RESTRICTED} and (outside := left_out(profile)):
        raise CatalogConflict(
            f"The profile {profile} would be kept from who has it: {'; '.join(outside)}. Give them another one first."
        )
    return profile


def _restriction(profile: InvoiceUsageReportProfile) -> tuple[int | None, frozenset[int]]:
    """The only customer, and the only groups, that a profile is for."""
    if profile.pk is None:
        return NOT_RESTRICTED
    return profile.customer_id, frozenset(profile.customer_groups.values_list("id", flat=True))


def _taken(profile: InvoiceUsageReportProfile) -> str:
    """What another profile has already, its name or to be the default, in words; empty where it is neither."""
    others = InvoiceUsageReportProfile.objects.exclude(pk=profile.pk)
    if others.filter(name=profile.name).exists():
        return f"There is a profile named {profile} already."
    if profile.is_default and (other := others.filter(is_default=True).first()):
        return f"The profile {other} is the default already. Switch that off there first."
    return ""


def _require_default_for_all(profile: InvoiceUsageReportProfile, *, is_restricted: bool) -> None:
    if profile.is_default and is_restricted:
        raise CatalogConflict(f"The profile {profile} is the default: it is for all customers.")
    if profile.is_default and profile.availability == Availability.HISTORIC:
        raise CatalogConflict(f"The profile {profile} is the default: it is not historic. Make another the default.")


def _kept_to(profile: InvoiceUsageReportProfile) -> str:
    if profile.customer is not None:
        return f"customer {profile.customer.account_number}"
    return f"the groups {', '.join(profile.customer_groups.order_by('name').values_list('name', flat=True))}"
