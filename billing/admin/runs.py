from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from billing.admin.accounts import accounts_url
from billing.admin.run_buttons import buttons
from billing.admin.run_page import checklist, first_accounts, next_step, run_progress, state_in_words
from billing.admin.run_pages import RunPagesAdmin
from billing.admin.run_proof import proof_of
from billing.choices import RunStatus
from billing.models import BillingRun
from billing.operations.errors import RunConflict, RunRefused
from billing.operations.runs import create_run, update_run
from catalog.admin.base import column

STATE_LABELS = {
    "Pending": "info",
    "Commenced": "info",
    "Paused": "warning",
    "Waiting for approval": "warning",
    "Posted": "success",
    "Cancelled": "danger",
}
LOCKED = ("invoice_message", "invoice_date", "cutoff_date", "transaction_cutoff_date", "due_date")
UNUSUAL = ("unusual_percent", "unusual_amount")
FORM_FIELDS = ("name", "subrun", *LOCKED, "bill_unpriced", *UNUSUAL)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [
            ("pending", "Pending"),
            ("commenced", "Commenced"),
            ("paused", "Paused"),
            ("waiting", "Waiting for approval"),
            ("posted", "Posted"),
            ("cancelled", "Cancelled"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BillingRun]) -> QuerySet[BillingRun]:  # noqa: ARG002
        state = self.value()
        if state in {"waiting", "posted"}:
            return queryset.filter(status=RunStatus.COMPLETED, approved_at__isnull=state == "waiting")
        if state in {"commenced", "paused"}:
            return queryset.filter(status=RunStatus.COMMENCED, paused_at__isnull=state == "commenced")
        return queryset.filter(status=state) if state else queryset


@admin.register(BillingRun)
class BillingRunAdmin(RunPagesAdmin):
    """Billing runs and what to do next with each."""

    list_display = (
        *("name", "state", "subrun", "invoice_date", "cutoff_date", "due_date"),
        *("commenced_at", "completed_at", "approved_at"),
    )
    list_filter = (StateFilter, "subrun")
    search_fields = ("name__istartswith",)
    ordering = ("-pk",)
    sortable_by = ()
    deletable = False
    refused_by = (RunConflict, RunRefused)
    change_form_template = "admin/billing/billingrun/change_form.html"
    autocomplete_fields = ("invoice_message",)
    empty_hint = "A billing run makes the invoices of a date from the usage before its cutoff date. Add the first one."

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:  # noqa: ARG002
        times = (
            ("Record", {"fields": (("commenced_at", "commenced_by"), "completed_at", ("approved_at", "approved_by"))}),
        )
        return (
            (None, {"fields": (("name", "subrun"),)}),
            (
                "What it bills",
                {"fields": (("cutoff_date", "transaction_cutoff_date"), "bill_unpriced")},
            ),
            ("On the invoices", {"fields": (("invoice_date", "due_date"), "invoice_message")}),
            ("Held for a decision", {"fields": (UNUSUAL,)}),
            *(times if obj else ()),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        times = ("commenced_at", "commenced_by", "completed_at", "approved_at", "approved_by")
        if obj is None or obj.status == RunStatus.PENDING:
            return times
        return (*times, *LOCKED, "subrun", "bill_unpriced", *UNUSUAL)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {str(name): value for name, value in request.GET.items()}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:  # noqa: ARG002
        given = {name: form.cleaned_data[name] for name in FORM_FIELDS if name in form.cleaned_data}
        if "invoice_message" in given:
            message = given.pop("invoice_message")
            given["invoice_message_id"] = message.pk if message else None
        saved = update_run(run_id=obj.pk, changes=given) if change else create_run(**given)
        # The form's object becomes the saved run: what follows the save (its log entry, its page) asks for it.
        obj.__dict__.update(saved.__dict__)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        run = kwargs.get("obj")
        if run:
            progress = run_progress(run)
            # While workers produce them, the figures that move say more than accounts as they were a moment ago.
            accounts = [] if progress.seen.is_moving else first_accounts(run)
            context.update(
                {
                    "run": run,
                    "state_badge": STATE_LABELS[progress.state],
                    "next_step": next_step(run, progress.seen),
                    "buttons": buttons(run, progress.seen, may_act=self.may_act(request)),
                    "progress": progress,
                    "checklist": checklist(run, request) if run.status == RunStatus.PENDING else [],
                    "proof": proof_of(run) if progress.seen.posted_count else None,
                    "accounts": accounts,
                    "has_more": len(accounts) < progress.seen.account_count,
                    "accounts_url": accounts_url(run__id__exact=run.pk),
                    "show_save_and_add_another": False,
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)

    @column("State", label=STATE_LABELS)
    def state(self, run: BillingRun) -> str:
        return state_in_words(run)[0]
