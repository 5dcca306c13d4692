from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSingleTimeWidget

from catalog.admin.base import Admin, TableInline, column
from catalog.models import TimeBand, TimeBandHours
from catalog.queries.findings import DAYS, hours_in_words

FROZEN = "Rates are for this band: its hours stay, or prices that were charged would no longer be right."
MINUTES_OF_A_DAY = 24 * 60


class HoursForm(forms.ModelForm):  # type: ignore[type-arg]  # as the admin's own forms
    """Hours of a band, with the days to tick."""

    days = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=[(number, f"{day[0].upper()}{day[1:]}") for number, day in enumerate(DAYS, start=1)],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    start_time = forms.TimeField(label="From", widget=UnfoldAdminSingleTimeWidget(format="%H:%M"))
    end_time = forms.TimeField(
        label="Until",
        required=False,
        widget=UnfoldAdminSingleTimeWidget(format="%H:%M"),
        help_text="Empty: until midnight.",
    )


class HoursFormSet(PaginationInlineFormSet):  # type: ignore[misc]  # unfold has no type hints
    """A band has hours: one row at least."""

    def clean(self) -> None:
        super().clean()
        rows = [form for form in self.forms if form.has_changed() or form.instance.pk]
        if all(form.cleaned_data.get("DELETE") for form in rows if hasattr(form, "cleaned_data")):
            raise forms.ValidationError("A time band has hours: without them it would never hold.")


class HoursInline(TableInline):
    model = TimeBandHours
    form = HoursForm
    formset = HoursFormSet
    fields = ("days", "start_time", "end_time")
    verbose_name = "hours"
    verbose_name_plural = "Hours, by the clock of the rate card or of the customer; over midnight they are two rows"

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:  # noqa: ARG002
        return 0 if obj else 1


@admin.register(TimeBand)
class TimeBandAdmin(Admin):
    """Hours of the week by name. Once rates are for a band, its name is all that changes."""

    list_display = ("name", "shown_hours", "updated_at")
    search_fields = ("name__istartswith",)
    inlines = (HoursInline,)
    empty_hint = "Add hours that have prices of their own, such as peak: Monday to Friday from 08:00 to 18:00."

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimeBand]:
        return super().get_queryset(request).prefetch_related("hours")  # type: ignore[no-any-return]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.is_fixed(request, obj):
            return ((None, {"fields": ("name",)}),)
        return ((None, {"fields": ("name", "shown_hours"), "description": FROZEN if is_used(obj) else ""}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("shown_hours",) if self.is_fixed(request, obj) else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if self.is_fixed(request, obj) else self.inlines

    def is_fixed(self, request: HttpRequest, band: TimeBand | None) -> bool:
        """Whether the hours are only to look at."""
        return band is not None and (is_used(band) or not self.has_change_permission(request, band))

    @column("Hours")
    def shown_hours(self, band: TimeBand) -> str:
        rows = [(day, minute(row.start_time), minute(row.end_time)) for row in band.hours.all() for day in row.days]
        return hours_in_words(rows)


def minute(at: Any) -> int:
    """The minute of the day; no time is midnight at its end."""
    return MINUTES_OF_A_DAY if at is None else at.hour * 60 + at.minute


def is_used(band: TimeBand | None) -> bool:
    """Whether rates are for the band."""
    return band is not None and band.rates.exists()
