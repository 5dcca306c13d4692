"""What Celery beat starts by the clock."""

from django.contrib import admin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.widgets import SELECT_CLASSES, UnfoldAdminTextInputWidget

from catalog.admin.base import Admin, column

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


class ScheduledTaskForm(PeriodicTaskForm):  # type: ignore[misc]  # django-celery-beat has no type hints
    """A task by its name, chosen from those that the worker has, and its arguments as JSON."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
            self.fields["regtask"].widget = TaskSelectWidget(attrs={"class": " ".join(SELECT_CLASSES)})


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(Admin):
    form = ScheduledTaskForm
    list_display = ("name", "task", "schedule", "enabled", "last_run_at")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab", "clocked", "solar")
    search_fields = ("name__istartswith", "task__istartswith")
    fieldsets = (
        (None, {"fields": ("name", "description", ("regtask", "task"), "enabled")}),
        ("When: one of these", {"fields": ("interval", "crontab", "clocked", "start_time", "one_off")}),
        ("With what", {"fields": (("args", "kwargs"),)}),
        ("Record", {"fields": (("last_run_at", "total_run_count"),)}),
    )
    readonly_fields = ("last_run_at", "total_run_count")
    empty_hint = "The sweeper of billing runs adds itself when beat starts. Add here what else is to run by the clock."

    @column("When")
    def schedule(self, task: PeriodicTask) -> str:
        return str(task.scheduler)


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(Admin):
    list_display = ("__str__", "every", "period")
    empty_hint = "Every so many seconds, minutes, hours or days."


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(Admin):
    list_display = ("__str__", "human_readable")
    fields = (("minute", "hour"), ("day_of_month", "month_of_year", "day_of_week"), "timezone")
    empty_hint = "At times of the day, the week and the month."


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(Admin):
    list_display = ("clocked_time",)
    empty_hint = "Once, at a time."
