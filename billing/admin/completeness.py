"""The page that says whether all usage is accounted for, and what seems not to have come."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing.choices import GapKind
from billing.engine.completeness import DayFigures, MisplacedRecord
from billing.models import CompletenessDay, UsageGap
from billing.queries.shown_completeness import Completeness, shown_completeness, shown_gaps, source_systems
from billing.tasks import queue_check
from catalog.admin.base import ReadOnlyAdmin, list_url
from usage.models import SourceSystem, UsageImport

SHOWN_DAYS = 14
LONGEST_DAYS = 366
# Of so many imports a list of their lines is linked; where a day has more, the list of the imports.
LINKED_IMPORTS = 50
PAGE = "billing_completenessday"


class RangeForm(forms.Form):
    """The days to show, and whose. Days are of UTC; both are included."""

    source_system = forms.ModelChoiceField(
        SourceSystem.objects.order_by("name"), required=False, empty_label="All", widget=UnfoldAdminSelectWidget
    )
    from_day = forms.DateField(label="From", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    to_day = forms.DateField(label="To", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        first, last = given.get("from_day"), given.get("to_day")
        if first and last and last < first:
            raise forms.ValidationError("The last day is before the first.")
        if first and last and (last - first).days >= LONGEST_DAYS:
            raise forms.ValidationError(f"That is {(last - first).days + 1:,} days; at most {LONGEST_DAYS} are shown.")
        return given


@dataclass(frozen=True, slots=True)
class DayRow:
    """One line of the table: the figures, whose they are, and where their files, lines and rows are listed."""

    figures: DayFigures
    source: str
    imports_url: str
    quarantine_url: str
    conflicts_url: str


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A record that is not where it belongs, with the address of its page."""

    record: MisplacedRecord
    day: date
    source: str
    url: str


@dataclass(frozen=True, slots=True)
class GapRow:
    """A gap in words."""

    source: str
    what: str
    detail: str
    is_explained: bool = False


@admin.register(CompletenessDay)
class CompletenessAdmin(ReadOnlyAdmin):
    """Not a list of rows but one page of figures: counted now where that is quick, else as last checked."""

    empty_hint = "Nothing was received on these days."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.check_view)
        return [path("check/", view, name=f"{PAGE}_check"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The figures of the days asked for, by default the last 14, and the gaps of now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        asked = RangeForm(default_range(now.date()) | request.GET.dict())
        is_valid = asked.is_valid()
        form = asked if is_valid else RangeForm(default_range(now.date()))
        form.full_clean()
        source = form.cleaned_data["source_system"]
        source_id = source.pk if source else None
        completeness = shown_completeness(
            from_day=form.cleaned_data["from_day"],
            to_day=form.cleaned_data["to_day"],
            source_system_id=source_id,
            at=now,
        )
        gaps = shown_gaps(source_system_id=source_id, at=now)
        names = {found.pk: found.name for found in source_systems().values()}
        context = {
            **self.admin_site.each_context(request),
            "title": "Completeness",
            "form": form,
            "errors": [] if is_valid else [error for errors in asked.errors.values() for error in errors],
            "completeness": completeness,
            "rows": day_rows(completeness, names),
            "misplaced": misplaced_rows(completeness, names),
            "unbalanced_count": sum(not day.balances for day in completeness.days),
            "gaps": gaps,
            "gap_rows": [gap_row(gap, names) for gap in gaps.found],
            "may_check": may_check(request),
            "empty_hint": self.empty_hint,
            **(extra_context or {}),
        }
        return render(request, "admin/billing/completenessday/page.html", context)

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """Have a worker check the days that are shown."""
        if not may_check(request):
            raise PermissionDenied
        form = RangeForm(request.POST)
        if request.method == "POST" and form.is_valid():
            if queue_check(from_day=form.cleaned_data["from_day"], to_day=form.cleaned_data["to_day"]):
                messages.success(request, "A worker checks these days. Load the page again to see what it found.")
            else:
                messages.error(request, "The broker is away. The check runs by itself every hour.")
            source = form.cleaned_data["source_system"]
            shown = {name: str(form.cleaned_data[name]) for name in ("from_day", "to_day")}
            return HttpResponseRedirect(list_url(PAGE, **shown, **({"source_system": source.pk} if source else {})))
        return HttpResponseRedirect(list_url(PAGE))


def may_check(request: HttpRequest) -> bool:
    """Whether the user may have a check made."""
    return request.user.has_perm("billing.change_completenessday")


def default_range(today: date) -> dict[str, Any]:
    """The last days, as the form takes them."""
    return {"from_day": (today - timedelta(days=SHOWN_DAYS - 1)).isoformat(), "to_day": today.isoformat()}


def day_rows(completeness: Completeness, names: dict[int, str]) -> list[DayRow]:
    """The lines of the table."""
    with_lines = imports_with_lines(completeness)
    rows = []
    for figures in completeness.days:
        key = (figures.source_system_id, figures.day)
        imports = imports_url(*key)
        rows.append(
            DayRow(
                figures=figures,
                source=names[figures.source_system_id],
                imports_url=imports,
                quarantine_url=lines_url("usage_quarantinedline", with_lines[key], state="all") or imports,
                conflicts_url=lines_url("usage_usageconflict", with_lines[key], decision="all") or imports,
            )
        )
    return rows


def misplaced_rows(completeness: Completeness, names: dict[int, str]) -> list[Misplaced]:
    """The first misplaced records of each day."""
    return [
        Misplaced(
            record=record,
            day=day.day,
            source=names[day.source_system_id],
            url=reverse("admin:usage_usagedatarecord_change", args=[record.id]),
        )
        for day in completeness.days
        for record in day.misplaced
    ]


def gap_row(gap: UsageGap, names: dict[int, str]) -> GapRow:
    """A gap in words."""
    if gap.kind == GapKind.NUMBERS:
        is_one = gap.missing_count == 1
        numbers = gap.first_number if is_one else f"{gap.first_number} to {gap.last_number}"
        what = f"{gap.missing_count:,} {'number is' if is_one else 'numbers are'} missing"
        quarantined = f"{gap.quarantined_count:,} of them in open quarantined lines" if gap.quarantined_count else ""
        is_explained = gap.quarantined_count >= gap.missing_count
        return GapRow(
            names[gap.source_system_id], what, f"{numbers}{' · ' * bool(quarantined)}{quarantined}", is_explained
        )
    hours = "1 silent hour" if gap.missing_count == 1 else f"{gap.missing_count:,} silent hours"
    span = f"{gap.starts_at:%Y-%m-%d %H:%M} to {gap.ends_at:%Y-%m-%d %H:%M} UTC"
    return GapRow(names[gap.source_system_id], hours, f"{span}, with usage in each of the four weeks before")


def imports_with_lines(completeness: Completeness) -> dict[tuple[int, date], list[int]]:
    """By source system and day the ids of imports with conflicts or quarantined lines."""
    first = datetime.combine(completeness.from_day, time.min, tzinfo=UTC)
    last = datetime.combine(completeness.to_day, time.max, tzinfo=UTC)
    imports = UsageImport.objects.filter(
        Q(quarantined_count__gt=0) | Q(conflict_count__gt=0), started_at__gte=first, started_at__lte=last
    )
    found: dict[tuple[int, date], list[int]] = defaultdict(list)
    for source_id, started_at, import_id in imports.order_by("id").values_list("source_system_id", "started_at", "id"):
        found[source_id, started_at.astimezone(UTC).date()].append(import_id)
    return found


def imports_url(source_id: int, day: date) -> str:
    """The list of a source system's imports of a day."""
    return list_url(
        "usage_usageimport",
        source_system__id__exact=source_id,
        started_at__gte=f"{day}T00:00:00Z",
        started_at__lte=f"{day}T23:59:59.999999Z",
    )


def lines_url(model: str, import_ids: list[int], **query: str) -> str:
    """The list of lines of these imports; nothing where there are none, or too many to name."""
    if not 0 < len(import_ids) <= LINKED_IMPORTS:
        return ""
    return list_url(model, usage_import__id__in=",".join(str(number) for number in import_ids), **query)
