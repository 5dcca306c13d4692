from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.base import Admin, column, link, list_url
from usage.models import SourceSystem, UsageType


@admin.register(UsageType)
class UsageTypeAdmin(Admin):
    list_display = ("name", "alternative_code", "unit", "description")
    search_fields = ("name__istartswith", "alternative_code__istartswith")
    fields = (("name", "alternative_code"), "unit", "description")
    deletable = False
    empty_hint = (
        "Add the kinds of use that are billed, such as calls or storage, and the unit that they are counted in."
    )


@admin.register(SourceSystem)
class SourceSystemAdmin(Admin):
    list_display = ("name", "alternative_code", "default_usage_type", "timezone", "imports")
    list_select_related = ("default_usage_type",)
    search_fields = ("name__istartswith", "alternative_code__istartswith")
    autocomplete_fields = ("default_usage_type",)
    fieldsets = (
        (None, {"fields": (("name", "alternative_code"), "description", "imports")}),
        (
            "How its files are read",
            {
                "fields": (("default_usage_type", "timezone"), "column_mapping", "null_text"),
                "description": (
                    "The mapping gives, for a field of a usage record, the column of the file: "
                    '{"number": "{CallId}", "service": "{Calling Number}"}. {A|B} is the first of the two that is '
                    "not empty; all else stands as it is. A field that is not mapped is read from the column of its "
                    "own name. The text for nothing is how the files spell an empty value, such as NULL."
                ),
            },
        ),
    )
    readonly_fields = ("imports",)
    deletable = False
    empty_hint = "Add who sends usage. Then upload a file from it, or let it send records to the API."

    @column("Imports")
    def imports(self, source: SourceSystem) -> SafeString | str:
        if source.pk is None:
            return "Save the source system first, then upload a file from it."
        return format_html(
            "{} · {}",
            link(list_url("usage_usageimport", source_system__id__exact=source.pk), "Its imports"),
            link(f"{reverse('admin:usage_usageimport_upload')}?source_system={source.pk}", "Upload a file"),
        )
