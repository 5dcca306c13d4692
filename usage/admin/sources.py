from typing import Any

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.base import Admin, column, link, list_url
from usage.engine.date_format import DateFormatFault, parse_date_format
from usage.engine.layout import LayoutFault, columns_named
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


class SourceSystemForm(forms.ModelForm):  # type: ignore[type-arg]  # as the admin's own forms
    """A source system whose mapping and date format can be read, said in words where not."""

    class Meta:
        labels = {"null_text": "Text for nothing", "timezone": "Time zone"}

    def clean_column_mapping(self) -> Any:
        # The field says by itself what is no JSON; nothing at all is no mapping.
        given = self.cleaned_data["column_mapping"]
        mapping = {} if given is None else given
        try:
            columns_named(mapping)
        except LayoutFault as fault:
            raise forms.ValidationError(sentence(fault)) from fault
        return mapping

    def clean_date_format(self) -> str:
        pattern = str(self.cleaned_data["date_format"])
        try:
            parse_date_format(pattern)
        except DateFormatFault as fault:
            raise forms.ValidationError(sentence(fault)) from fault
        return pattern

    def clean_drop_folder(self) -> str:
        return self._unshared("drop_folder", "Files in this drop folder are {other}'s already. Name another folder.")

    def clean_alternative_code(self) -> str:
        return self._unshared("alternative_code", "This is the code of {other} already. Give another one, or none.")

    def _unshared(self, field: str, refusal: str) -> str:
        value = str(self.cleaned_data[field])
        others = SourceSystem.objects.exclude(pk=self.instance.pk)
        other = others.filter(**{field: value}).first() if value else None
        if other is not None:
            raise forms.ValidationError(refusal.format(other=other.name))
        return value


def sentence(fault: Exception) -> str:
    """What an engine says is wrong, as a sentence of its own."""
    text = str(fault)
    return f"{text[:1].upper()}{text[1:]}."


@admin.register(SourceSystem)
class SourceSystemAdmin(Admin):
    form = SourceSystemForm
    list_display = ("name", "alternative_code", "default_usage_type", "timezone", "imports")
    list_select_related = ("default_usage_type",)
    search_fields = ("name__istartswith", "alternative_code__istartswith")
    autocomplete_fields = ("default_usage_type",)
    fieldsets = (
        (None, {"fields": (("name", "alternative_code"), "description", "imports")}),
        (
            "How its files are written",
            {
                "fields": (("delimiter", "decimal_sign"), ("date_format", "timezone"), "null_text"),
                "description": (
                    "The delimiter is that of its CSV files; JSON lines and Excel workbooks have none. The text for "
                    "nothing is how the files spell an empty value, such as NULL. What is set here holds for files "
                    "from now on, and for quarantined lines that are tried again."
                ),
            },
        ),
        (
            "What their columns are",
            {
                "fields": ("default_usage_type", "column_mapping"),
                "description": (
                    "The mapping gives, for a field of a usage record, the column of the file: "
                    '{"number": "{CallId}", "service": "{Calling Number}"}. {A|B} is the first of the two that is '
                    "not empty; all else stands as it is. A field that is not mapped is read from the column of its "
                    "own name. When a file is uploaded, the mapping can be put together from the file's own columns."
                ),
            },
        ),
        (
            "How its files come, and whether all of them came",
            {
                "fields": ("drop_folder", "has_consecutive_numbers"),
                "description": (
                    "Files also come by upload, by the API and by the command line, whatever is set here. Holes in "
                    "consecutive numbers are shown on the completeness page."
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
