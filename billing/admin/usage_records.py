from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from billing.admin.usage_record_forms import AdjustForm, ReasonForm
from billing.admin.usage_record_page import (
    DIRECTIVES,
    STEPS,
    Step,
    consequence,
    explanation_of,
    history_rows,
    offered_steps,
    where_it_stands,
)
from billing.operations.usage_records import adjust_record, cancel_record, set_directive
from billing.queries.usage_records import family, history, standing
from catalog.admin.base import change_url, column, link
from usage.admin.records import STATE_LABELS
from usage.admin.records import UsageDataRecordAdmin as LookedAtAdmin
from usage.models import UsageDataRecord
from usage.operations.errors import RecordConflict, RecordRefused
from usage.operations.records import post_record, reject_record

admin.site.unregister(UsageDataRecord)


@admin.register(UsageDataRecord)
class UsageDataRecordAdmin(LookedAtAdmin):
    """The page of a record with what can be done to it: what is billed already is known here only."""

    change_form_template = "admin/billing/usagedatarecord/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        def view_of(step: Step) -> Callable[..., HttpResponse]:
            def view(request: HttpRequest, record_id: int) -> HttpResponse:
                return self.step_view(request, record_id, step)

            return view

        own = [
            path(f"<int:record_id>/{name}/", self.admin_site.admin_view(view_of(step)), name=_url_name(name))
            for name, step in STEPS.items()
        ]
        return [*own, *super().get_urls()]

    def may_act(self, request: HttpRequest) -> bool:
        """Whether the user has the buttons."""
        return request.user.has_perm("usage.change_usagedatarecord")

    def step_view(self, request: HttpRequest, record_id: int, step: Step) -> HttpResponse:
        """Say what a step will do and ask for its reason, then do it."""
        record = get_object_or_404(UsageDataRecord, id=record_id)
        if not self.may_act(request):
            return HttpResponseRedirect(change_url(record))
        form = _form(request, record, step)
        if request.method == "POST" and form.is_valid():
            try:
                done = _do(step, record, form, request.user.pk)
            except RecordConflict as refused:
                messages.error(request, str(refused))
                return HttpResponseRedirect(change_url(record))
            except RecordRefused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, _told(step, record, done))
                return HttpResponseRedirect(change_url(done))
        now = standing(record)
        if step not in offered_steps(record, now) and request.method != "POST":
            messages.error(request, f"“{step.label}” is not for this record any more. {where_it_stands(record, now)}")
            return HttpResponseRedirect(change_url(record))
        context = {
            **self.admin_site.each_context(request),
            "title": step.title,
            "step": step,
            "record": record,
            "amount": self.amount(record),
            "standing": where_it_stands(record, now),
            "consequence": consequence(step, record, now),
            "form": form,
            "back": change_url(record),
        }
        return render(request, "admin/billing/usagedatarecord/step.html", context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        record = kwargs.get("obj")
        if record:
            now, members = standing(record), family(record)
            steps = offered_steps(record, now) if self.may_act(request) else []
            context.update(
                {
                    "record": record,
                    "state_badge": STATE_LABELS[record.get_life_cycle_state_display()],
                    "where_it_stands": where_it_stands(record, now),
                    "steps": [(step, reverse(f"admin:{_url_name(step.name)}", args=[record.pk])) for step in steps],
                    "standing": now,
                    "explanation": explanation_of(record, now),
                    "family": members if len(members) > 1 else [],
                    "history": history_rows(history(members)),
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)

    @column("Where it stands")
    def billing(self, record: UsageDataRecord) -> str:
        return where_it_stands(record, standing(record))

    @column("Came with")
    def came_with(self, record: UsageDataRecord) -> SafeString | str:
        if record.original is None:
            return super().came_with(record)
        return link(change_url(record.original), f"an adjustment of {record.original}")


def _url_name(step_name: str) -> str:
    return f"usage_usagedatarecord_{step_name}"


def _form(request: HttpRequest, record: UsageDataRecord, step: Step) -> Any:
    data = request.POST if request.method == "POST" else None
    if step.name == "adjust":
        return AdjustForm(data, record=record)
    return ReasonForm(data, needs_reason=step.needs_reason)


def _do(step: Step, record: UsageDataRecord, form: forms.Form, user_id: int | None) -> UsageDataRecord:
    given: Any = {
        "record_id": record.pk,
        "at": timezone.now(),
        "user_id": user_id,
        "reason": form.cleaned_data["reason"],
    }
    if step.name in DIRECTIVES:
        return set_directive(directive=DIRECTIVES[step.name], **given)
    if isinstance(form, AdjustForm):
        return adjust_record(values=form.values(), **given)
    steps: dict[str, Callable[..., UsageDataRecord]] = {
        "post": post_record,
        "reject": reject_record,
        "cancel": cancel_record,
    }
    return steps[step.name](**given)


def _told(step: Step, record: UsageDataRecord, done: UsageDataRecord) -> str:
    if step.name in DIRECTIVES:
        return f"Record {done} is {done.get_billing_directive_display().lower()} now."
    if step.name == "adjust":
        return f"Record {record} is cancelled. This is its successor {done}."
    return f"Record {done} is {done.get_life_cycle_state_display().lower()}."
