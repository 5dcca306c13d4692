"""Which report profile invoices and customers have, and by what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    return _profiles_sql("(SELECT id, customer_id FROM invoice WHERE id = ANY (%(invoice_ids)s))")


def profiles_of(invoice_ids: Sequence[int]) -> dict[int, GivenProfile]:
    """The profile of each of these invoices that has one, by one statement, however many they are."""
    with connection.cursor() as cursor:
        cursor.execute(profiles_of_sql(), {"invoice_ids": list(invoice_ids)})
        return {invoice_id: _given(row) for invoice_id, *row in cursor.fetchall()}


def profile_of_customer(customer_id: int) -> GivenProfile | None:
    """The profile of a customer's invoices that are given none of their own."""
    asked = "(SELECT NULL::bigint AS id, id AS customer_id FROM customer WHERE id = %(customer_id)s)"
    with connection.cursor() as cursor:
        cursor.execute(_profiles_sql(asked), {"customer_id": customer_id})
        row = cursor.fetchone()
    return _given(row[1:]) if row else None


def offered(profiles: QuerySet[InvoiceUsageReportProfile]) -> QuerySet[InvoiceUsageReportProfile]:
    """Those that somebody can be given: no historic ones."""
    return profiles.exclude(availability=Availability.HISTORIC)


def usable_by(customer: Customer) -> Q:
    """Profiles that are not kept to other customers or groups than the customer's; profiles_of.sql has the same."""
    for_all = Q(customer__isnull=True, customer_groups__isnull=True)
    return for_all | Q(customer=customer) | Q(customer__isnull=True, customer_groups__in=customer.groups.all())


def is_inside(profile: InvoiceUsageReportProfile, customer: Customer) -> bool:
    """Whether the customer is one that the profile is for."""
    return InvoiceUsageReportProfile.objects.filter(usable_by(customer), pk=profile.pk).exists()


def is_for_group(profile: InvoiceUsageReportProfile, group: CustomerGroup) -> bool:
    """Whether the profile is for all customers of a group."""
    groups = set(profile.customer_groups.values_list("id", flat=True))
    return profile.customer_id is None and (not groups or group.pk in groups)


def left_out(profile: InvoiceUsageReportProfile) -> list[str]:
    """Who has a profile that is kept to others, in words: customers, groups, drafts."""
    customers, groups = Customer.objects.all(), CustomerGroup.objects.all()
    if profile.customer_id is not None:
        inside, groups = customers.filter(pk=profile.customer_id), groups.none()
    else:
        groups = groups.filter(report_profiles=profile)
        inside = customers.filter(groups__in=groups)
    return [
        *_named("customer", _customers_with(profile).exclude(customer__in=inside), "customer__account_number"),
        *_named("customer group", profile.group_profiles.exclude(group__in=groups), "group__name"),
        *_named("draft invoice", _drafts_with(profile).exclude(invoice__customer__in=inside), "invoice_id"),
    ]


def users_of(profile: InvoiceUsageReportProfile) -> list[str]:
    """What has a profile, in words: customers, groups, drafts; empty where nothing does."""
    return [
        *_named("customer", _customers_with(profile), "customer__account_number"),
        *_named("customer group", profile.group_profiles.all(), "group__name"),
        *_named("draft invoice", _drafts_with(profile), "invoice_id"),
    ]


def posted_users_of(profile: InvoiceUsageReportProfile) -> list[str]:
    """The posted invoices that were given a profile, in words, which keep it; empty where there is none."""
    posted = profile.invoice_profiles.exclude(invoice__state=InvoiceState.DRAFT)
    return _named("posted invoice", posted, "invoice__number")


def kept_to_group(group: CustomerGroup) -> list[str]:
    """The profiles that are for customers of this group only, or of this and others, in words."""
    return _named("report profile", group.report_profiles.all(), "name")


NAMED = 5


def _customers_with(profile: InvoiceUsageReportProfile) -> QuerySet[Any]:
    return profile.customer_profiles.all()


def _drafts_with(profile: InvoiceUsageReportProfile) -> QuerySet[Any]:
    return profile.invoice_profiles.filter(invoice__state=InvoiceState.DRAFT)


def _named(kind: str, rows: QuerySet[Any], name: str) -> list[str]:
    """Such as “customers A1, A2 and 3 more”; of very many rows only those that are named are read."""
    shown = [str(text) for text in rows.order_by(name).values_list(name, flat=True)[: NAMED + 1]]
    if not shown:
        return []
    more = f" and {rows.count() - NAMED:,} more" if len(shown) > NAMED else ""
    return [f"{kind}{'s' if len(shown) > 1 else ''} {', '.join(shown[:NAMED])}{more}"]


def _profiles_sql(asked: str) -> str:
    return (SQL / "profiles_of.sql").read_text().replace("{asked}", asked)


def _given(row: Sequence[Any]) -> GivenProfile:
    profile_id, profile_name, group_name, given_by = row
    return GivenProfile(profile_id, profile_name, given_by, group_name)
