"""The landing page of staff: what waits for a person, each with the link to where it is done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Manager, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing.admin.accounts import accounts_url
from billing.admin.completeness import gap_row
from billing.admin.dashboards import landing_context
from billing.admin.run_page import state_in_words
from billing.choices import AccountOutcome, RunStatus
from billing.models import BillingRun, CompletenessDay, RunAccount
from billing.queries.run_figures import RunFigures, figures_of_runs
from billing.queries.shown_completeness import stored_gaps
from catalog.admin.base import change_url, list_url
from catalog.admin.figures import exact, money
from catalog.admin.paginator import CappedPaginator
from catalog.models import Rate
from customers.choices import CustomerStatus
from customers.models import Customer
from invoicing.choices import RenderingState
from invoicing.models import InvoiceDelivery, RenderedInvoice
from reports.choices import ProductionState
from reports.models import ReportProduction
from usage.choices import ConflictDecision, ImportState, QuarantineState
from usage.models import PendingUsage, QuarantinedLine, SourceSystem, UsageConflict, UsageImport

SHOWN_ITEMS = 5
RECENT_RUNS = 10


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do: its name, what there is to know, and where."""

    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """A kind of work: how much of it waits, the first items, and the list of all."""

    title: str
    icon: str
    count: str
    hint: str
    url: str
    link_text: str
    items: list[Item] = field(default_factory=list)
    is_urgent: bool = False


def landing_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the landing page; settings name it by its path. A card is for those who may see its list."""
    cards: tuple[tuple[str, Callable[[], Card | None]], ...] = (
        ("billing.view_billingrun", runs_to_approve),
        ("billing.view_billingrun", runs_to_commence),
        ("billing.view_runaccount", accounts_to_look_at),
        ("usage.view_quarantinedline", open_quarantine),
        ("usage.view_usageconflict", open_conflicts),
        ("billing.view_completenessday", usage_not_accounted_for),
        ("invoicing.view_invoicedelivery", undelivered_documents),
        ("invoicing.view_renderedinvoice", pdfs_that_failed),
        ("reports.view_reportproduction", usage_reports_that_failed),
        ("usage.view_pendingusage", usage_to_bill),
        ("customers.view_customer", customers_without_tax),
    )
    user = request.user
    made = [card() for permission, card in cards if user.has_perm(permission)]
    context["cards"] = [card for card in made if card is not None]
    context["first_steps"] = first_steps() if user.has_perm("usage.view_sourcesystem") else []
    context["may_upload"] = user.has_perm("usage.add_usageimport")
    context["may_add_run"] = user.has_perm("billing.add_billingrun")
    context["title"] = "What to do next"
    context.update(landing_context(request))
    return context


def counted(queryset: QuerySet[Any]) -> str:
    """How many rows there are, without counting a large table to its end."""
    rows = CappedPaginator(queryset, 1)
    sign = "" if rows.is_exact else ("more than " if rows.is_filtered else "about ")
    return f"{sign}{exact(rows.total)}"


def runs_to_approve() -> Card:
    """Completed runs whose invoices are drafts."""
    waiting = BillingRun.objects.filter(status=RunStatus.COMPLETED, approved_at__isnull=True)
    runs = list(waiting[:SHOWN_ITEMS])
    figures = figures_of_runs(runs)
    return Card(
        title="Runs waiting for approval",
        icon="task_alt",
        count=counted(waiting),
        hint="Every run is approved.",
        url=list_url("billing_billingrun", state="waiting"),
        link_text="All that wait",
        items=[Item(run.name, in_short(figures[run.pk]), change_url(run)) for run in runs],
        is_urgent=bool(runs),
    )


def in_short(figures: RunFigures) -> str:
    """A run in a line: its invoices and their amounts, and what was held or failed."""
    counts = figures.account_counts
    parts = [f"{exact(counts[AccountOutcome.INVOICED])} invoices"]
    parts += [
        money(amount.amount, currency=amount.currency, minor_units=amount.minor_units)
        for amount in figures.invoice_amounts
    ]
    parts += [
        f"{exact(counts[outcome])} {outcome.label.lower()}"
        for outcome in (AccountOutcome.HELD, AccountOutcome.FAILED)
        if counts[outcome]
    ]
    return " · ".join(str(part) for part in parts)


def runs_to_commence() -> Card:
    """Runs that are pending, or at work."""
    open_runs = BillingRun.objects.filter(status__in=[RunStatus.PENDING, RunStatus.COMMENCED])
    return Card(
        title="Runs pending and at work",
        icon="play_circle",
        count=counted(open_runs),
        hint="No run is planned. Add one for the next invoice date.",
        url=list_url("billing_billingrun"),
        link_text="All billing runs",
        items=[
            Item(run.name, f"{state_in_words(run)[0]} · usage before {run.cutoff_date}", change_url(run))
            for run in open_runs[:SHOWN_ITEMS]
        ],
    )


def accounts_to_look_at() -> Card:
    """Customers that the latest runs could not bill."""
    runs = {run.pk: run for run in BillingRun.objects.filter(status=RunStatus.COMPLETED)[:RECENT_RUNS]}
    figures = figures_of_runs(runs.values())
    items = [
        Item(
            runs[run_id].name,
            f"{exact(of_run.account_counts[outcome])} {outcome.label.lower()}",
            accounts_url(run__id__exact=run_id, outcome__exact=outcome.value),
        )
        for run_id, of_run in figures.items()
        for outcome in (AccountOutcome.FAILED, AccountOutcome.HELD)
        if of_run.account_counts[outcome]
    ]
    unbilled = RunAccount.objects.filter(
        run_id__in=list(runs), outcome__in=[AccountOutcome.FAILED, AccountOutcome.HELD]
    )
    return Card(
        title="Accounts held or failed",
        icon="front_hand",
        count=counted(unbilled),
        hint=f"The latest {RECENT_RUNS} runs billed every account that they could.",
        url=accounts_url(outcome__exact=AccountOutcome.HELD.value),
        link_text="All held accounts",
        items=items[:SHOWN_ITEMS],
        is_urgent=bool(items),
    )


def open_quarantine() -> Card | None:
    """Lines of imports that are no records until a person mends or dismisses them."""
    lines = QuarantinedLine.objects.filter(state=QuarantineState.OPEN)
    shown = list(lines.select_related("usage_import").order_by("-pk")[:SHOWN_ITEMS])
    if not shown:
        return None
    return Card(
        title="Open quarantine",
        icon="report",
        count=counted(lines),
        hint="",
        url=list_url("usage_quarantinedline"),
        link_text="All open lines",
        items=[
            Item(f"Line {line.line_number} of {line.usage_import.file_name}", line.detail, change_url(line))
            for line in shown
        ],
        is_urgent=True,
    )


def open_conflicts() -> Card | None:
    """Rows that contradict a record and that nobody has decided on."""
    conflicts = UsageConflict.objects.filter(decision=ConflictDecision.OPEN)
    shown = list(conflicts.select_related("usage_import", "record").order_by("-pk")[:SHOWN_ITEMS])
    if not shown:
        return None
    return Card(
        title="Open conflicts",
        icon="call_split",
        count=counted(conflicts),
        hint="",
        url=list_url("usage_usageconflict"),
        link_text="All open conflicts",
        items=[
            Item(
                f"Line {conflict.line_number} of {conflict.usage_import.file_name}",
                f"Record {conflict.record} says otherwise of {', '.join(conflict.differences)}.",
                change_url(conflict),
            )
            for conflict in shown
        ],
        is_urgent=True,
    )


def usage_not_accounted_for() -> Card | None:
    """What the last check found: days that do not add up, and gaps. No card where all is well."""
    days = CompletenessDay.objects.filter(balances=False).select_related("source_system")
    gaps = stored_gaps().select_related("source_system")
    url = list_url("billing_completenessday")
    items = [
        Item(
            f"{day.day} does not add up",
            day.source_system.name,
            list_url("billing_completenessday", from_day=day.day, to_day=day.day),
        )
        for day in days[:SHOWN_ITEMS]
    ]
    for gap in gaps[:SHOWN_ITEMS]:
        shown = gap_row(gap, {gap.source_system_id: gap.source_system.name})
        items.append(Item(f"{shown.source}: {shown.what}", shown.detail, url))
    if not items:
        return None
    return Card(
        title="Usage that is missing",
        icon="balance",
        count=exact(days.count() + gaps.count()),
        hint="",
        url=url,
        link_text="Completeness and gaps",
        items=items[:SHOWN_ITEMS],
        is_urgent=True,
    )


def undelivered_documents() -> Card | None:
    """Documents that did not reach their customers, or of which nobody knows. No card where all went out."""
    undelivered = InvoiceDelivery.objects.undelivered()
    shown = list(undelivered.select_related("invoice").order_by("-pk")[:SHOWN_ITEMS])
    if not shown:
        return None
    return Card(
        title="Documents not delivered",
        icon="outgoing_mail",
        count=counted(undelivered),
        hint="",
        url=list_url("invoicing_invoicedelivery", undelivered="yes"),
        link_text="All that need somebody",
        items=[
            Item(f"{delivery.invoice}: {delivery.get_state_display().lower()}", sent_to(delivery), change_url(delivery))
            for delivery in shown
        ],
        is_urgent=True,
    )


def sent_to(delivery: InvoiceDelivery) -> str:
    """Whom a delivery is for, and what went wrong."""
    recipient = delivery.recipient or str(delivery.get_channel_display())
    return f"{recipient}: {delivery.error}" if delivery.error else recipient


def pdfs_that_failed() -> Card | None:
    """Documents without a PDF: they are made again from their pages. No card where all were made."""
    return failed_files(
        RenderedInvoice.objects.filter(state=RenderingState.FAILED),
        title="PDFs that failed",
        icon="picture_as_pdf",
        url=list_url("invoicing_renderedinvoice", state__exact=RenderingState.FAILED.value),
    )


def usage_reports_that_failed() -> Card | None:
    """Documents without their usage reports, and so not sent. No card where all were made."""
    return failed_files(
        ReportProduction.objects.filter(state=ProductionState.FAILED),
        title="Usage reports that failed",
        icon="lab_profile",
        url=list_url("reports_reportproduction", state__exact=ProductionState.FAILED.value),
    )


def failed_files(failed: QuerySet[Any], *, title: str, icon: str, url: str) -> Card | None:
    """What was not made of documents, each with the reason, and the document's page, on which it is made again."""
    shown = list(failed.select_related("invoice").order_by("-pk")[:SHOWN_ITEMS])
    if not shown:
        return None
    return Card(
        title=title,
        icon=icon,
        count=counted(failed),
        hint="",
        url=url,
        link_text="All that failed",
        items=[Item(str(one.invoice), one.error, change_url(one.invoice)) for one in shown],
        is_urgent=True,
    )


def usage_to_bill() -> Card:
    """The inbox of billing."""
    failed = UsageImport.objects.filter(state=ImportState.FAILED).select_related("source_system")[:SHOWN_ITEMS]
    return Card(
        title="Pending usage",
        icon="inbox",
        count=counted(PendingUsage.objects.all()),
        hint="It waits for a billing run, or for more usage where it comes to less than an invoice.",
        url=list_url("usage_pendingusage"),
        link_text="All pending usage",
        items=[Item(f"Import failed: {each.file_name}", each.error, change_url(each)) for each in failed],
    )


def customers_without_tax() -> Card:
    """Customers that every run will hold."""
    without = Customer.objects.filter(tax_rate__isnull=True, status=CustomerStatus.ACTIVE)
    shown = list(without[:SHOWN_ITEMS])
    return Card(
        title="Customers without a tax rate",
        icon="percent",
        count=counted(without),
        hint="Every active customer has a tax rate.",
        url=list_url("customers_customer", tax_rate__isnull="True"),
        link_text="All without one",
        items=[Item(customer.name, customer.account_number, change_url(customer)) for customer in shown],
        is_urgent=bool(shown),
    )


def first_steps() -> list[Item]:
    """What a new installation lacks before it can bill, in the order to do it; empty once it has all."""
    steps: tuple[tuple[Manager[Any], str, str, str], ...] = (
        (
            SourceSystem.objects,
            "Add a source system",
            "Who sends usage, and how its files are read.",
            "usage_sourcesystem",
        ),
        (Customer.objects, "Add customers", "Who is billed, with their services.", "customers_customer"),
        (Rate.objects, "Add prices", "A rate card, and the rates of your products on it.", "catalog_ratecard"),
        (UsageImport.objects, "Upload usage", "A file from a source system.", "usage_usageimport"),
        (BillingRun.objects, "Add a billing run", "Preview it, commence it, approve it.", "billing_billingrun"),
    )
    return [
        Item(title, detail, reverse(f"admin:{model}_changelist"))
        for rows, title, detail, model in steps
        if not rows.exists()
    ]
