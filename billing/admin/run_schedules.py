"""Schedules of billing runs: what each does, and what comes next, in a sentence."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from billing.choices import PreflightWarning, ScheduleAction
from billing.models import RunSchedule, ScheduleMail
from billing.queries.preflight_checks import listed
from billing.queries.schedules import billing_group_addresses, periods, schedules_with_latest
from catalog.admin.base import Admin, ReadOnlyAdmin, change_url, column, link, list_url


def what_comes_next(schedule: RunSchedule, *, at: datetime) -> str:
    """Such as "next: cutoff 2026-12-01, on 2026-12-01 at 02:00 Europe/Berlin"."""
    if not schedule.is_active:
        return "switched off"
    found = periods(schedule, latest=getattr(schedule, "latest", None), at=at)
    moment = found.next_at.astimezone(ZoneInfo(schedule.timezone))
    sentence = f"next: cutoff {found.next_cutoff}, on {moment:%Y-%m-%d at %H:%M} {schedule.timezone}"
    if not found.due:
        return sentence
    count = len(found.due)
    waiting = "1 period is due" if count == 1 else f"{count:,} periods are due, one by one"
    return f"{waiting}: cutoff {listed([str(day) for day in found.due])}; {sentence}"


def may_commence(request: HttpRequest) -> bool:
    """Whether the user may commence billing runs."""
    return bool(request.user.has_perm("billing.change_billingrun"))


@admin.register(RunSchedule)
class RunScheduleAdmin(Admin):
    list_display = ("name", "billing_cycle", "action", "is_active", "next_run")
    list_filter = ("is_active", "action")
    list_select_related = ("billing_cycle",)
    search_fields = ("name__istartswith",)
    autocomplete_fields = ("billing_cycle", "invoice_message")
    readonly_fields = ("next_run", "runs", "told")
    fieldsets = (
        (None, {"fields": (("name", "is_active"), "next_run", "runs")}),
        ("When", {"fields": (("first_cutoff_date", "months"), ("hour", "timezone"))}),
        ("Whom and what", {"fields": ("billing_cycle", ("due_in_days", "invoice_message"))}),
        ("Then", {"fields": ("action", "confirmed_warnings", "told")}),
    )
    empty_hint = (
        "A schedule makes the billing run of each period: creates it, shows what it would come to, or commences it."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RunSchedule]:  # noqa: ARG002
        return schedules_with_latest()

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else ((None, {"fields": (("name", "is_active"),)}), *fieldsets[1:])

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "confirmed_warnings":
            return forms.MultipleChoiceField(
                choices=PreflightWarning.choices,
                required=False,
                widget=UnfoldAdminCheckboxSelectMultipleWidget(),
                help_text=db_field.help_text,
            )
        return field

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "action" and not may_commence(request):
            kwargs["choices"] = [choice for choice in ScheduleAction.choices if choice[0] != ScheduleAction.COMMENCE]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A schedule that commences runs is changed by those who may commence them."""
        is_theirs = obj is None or obj.action != ScheduleAction.COMMENCE or may_commence(request)
        return is_theirs and bool(super().has_change_permission(request, obj))

    @column("Next run")
    def next_run(self, schedule: RunSchedule) -> str:
        return what_comes_next(schedule, at=timezone.now())

    @column("Runs so far")
    def runs(self, schedule: RunSchedule) -> SafeString | str:
        run = schedule.runs.order_by("-scheduled_for").first()
        count = schedule.runs.count()
        if run is None:
            return "none"
        return format_html("{}, the last one {}", f"{count:,}", link(change_url(run), run.name))

    @column("Who is told what went wrong")
    def told(self, schedule: RunSchedule) -> SafeString | str:  # noqa: ARG002
        addresses = billing_group_addresses()
        if addresses:
            return listed(addresses)
        return format_html(
            "Nobody yet. Add people with an e-mail address to the {}.", link(list_url("auth_group"), "billing group")
        )


@admin.register(ScheduleMail)
class ScheduleMailAdmin(ReadOnlyAdmin):
    list_display = ("subject", "schedule", "kind", "created_at", "sent_at")
    list_filter = ("kind", "schedule")
    list_select_related = ("schedule",)
    search_fields = ("subject__istartswith",)
    fields = ("subject", "text", ("schedule", "run"), ("kind", "day"), ("created_at", "claimed_at", "sent_at"))
    empty_hint = "What the billing group was told about scheduled runs. Nothing went wrong yet."
