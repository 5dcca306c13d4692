"""Which report profile invoices and customers have, and by what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.db.models import Q, QuerySet

from customers.models import Customer, CustomerGroup
from invoicing.choices import InvoiceState
from reports.choices import Availability
from reports.models import InvoiceUsageReportProfile

SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class GivenProfile:
    """The profile of an invoice, and by what it has it: invoice, customer, group (which one), or default."""

    profile_id: int
    profile_name: str
    given_by: str
    group_name: str | None


def profiles_of_sql() -> str:
    """The statement that gives the profiles of `invoice_ids`, with a row for each that has one."""
    return (SQL / "profiles_of.sql").read_text()


def profiles_of(invoice_ids: Sequence[int]) -> dict[int, GivenProfile]:
    """The profile of each of these invoices that has one, by one statement, however many they are."""
    with connection.cursor() as cursor:
        cursor.execute(profiles_of_sql(), {"invoice_ids": list(invoice_ids)})
        return {
            invoice_id: GivenProfile(profile_id, profile_name, given_by, group_name if given_by == "group" else None)
            for invoice_id, profile_id, profile_name, group_name, given_by in cursor.fetchall()
        }


def profiles_offered(customer: Customer) -> QuerySet[InvoiceUsageReportProfile]:
    """The profiles that a customer can be given: of those for all, for it, and for its groups; no historic ones."""
    profiles = InvoiceUsageReportProfile.objects.exclude(availability=Availability.HISTORIC)
    return profiles.filter(usable_by(customer)).distinct()


def usable_by(customer: Customer) -> Q:
    """Profiles that are not kept to other customers or groups than the customer's."""
    for_all = Q(customer__isnull=True, customer_groups__isnull=True)
    return for_all | Q(customer=customer) | Q(customer__isnull=True, customer_groups__in=customer.groups.all())


def is_inside(profile: InvoiceUsageReportProfile, customer: Customer) -> bool:
    """Whether the customer is one that the profile is for."""
    return InvoiceUsageReportProfile.objects.filter(usable_by(customer), pk=profile.pk).exists()


def is_for_group(profile: InvoiceUsageReportProfile, group: CustomerGroup) -> bool:
    """Whether the profile is for all customers of a group."""
    groups = set(profile.customer_groups.values_list("id", flat=True))
    return profile.customer_id is None and (not groups or group.pk in groups)


def users_of(profile: InvoiceUsageReportProfile) -> list[str]:
    """What has a profile, in words: as the default, customers, groups, drafts; empty where nothing does."""
    drafts = profile.invoice_profiles.filter(invoice__state=InvoiceState.DRAFT)
    posted = profile.invoice_profiles.exclude(invoice__state=InvoiceState.DRAFT)
    return [
        *(["it is the default"] if profile.is_default else []),
        *_named("customer", list(profile.customer_profiles.values_list("customer__account_number", flat=True))),
        *_named("customer group", list(profile.group_profiles.values_list("group__name", flat=True))),
        *_named("draft invoice", [str(pk) for pk in drafts.values_list("invoice_id", flat=True)]),
        *_named("invoice", [str(number) for number in posted.values_list("invoice__number", flat=True)]),
    ]


NAMED = 5


def _named(kind: str, names: list[str]) -> list[str]:
    """Such as “customers A1, A2 and 3 more”."""
    if not names:
        return []
    shown = sorted(names)[:NAMED]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"{kind}{'s' if len(names) > 1 else ''} {', '.join(shown)}{more}"]
