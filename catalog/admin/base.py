"""What all pages of the admin have in common."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError
from django.db.models import PROTECT, DecimalField, Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from catalog.admin.decimal_field import PlainDecimalField
from catalog.admin.keyset import KeyChangeList
from catalog.admin.paginator import CappedPaginator
from catalog.operations.refusals import refusal
from catalog.queries.keyset import KeyOrder, TookTooLong, time_limit

LIST_TIMEOUT_MS = 5_000

Column = TypeVar("Column", bound=Callable[..., Any])


def column(
    description: str, *, ordering: str | None = None, label: dict[str, str] | None = None, boolean: bool | None = None
) -> Callable[[Column], Column]:
    """Declare a method to be a column of a list or a read-only field; `label` colours its values as a badge."""
    attributes = {"short_description": description, "admin_order_field": ordering, "label": label, "boolean": boolean}

    def declare(method: Column) -> Column:
        for name, value in attributes.items():
            if value is not None:
                setattr(method, name, value)
        return method

    return declare


def list_url(model: str, **query: object) -> str:
    """Address of the list of a model (`app_model`), filtered by `query`."""
    address = reverse(f"admin:{model}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def change_url(obj: Model) -> str:
    """Address of the page of an object."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link(address: str, text: object) -> SafeString:
    """A link inside a table or a form."""
    return format_html('<a class="tb-link" href="{}">{}</a>', address, text)


class CappedChangeList(ChangeList):  # type: ignore[misc]  # unfold has no type hints
    """A list that is counted once and up to a limit. The header's "show all" is for filtered lists only."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class Admin(ModelAdmin):  # type: ignore[misc]  # unfold has no type hints
    """A page that answers in words where the database or an operation refuses, and deletes nothing in bulk.

    `deletable` False takes the delete button away; `refused_by` are the exceptions of operations whose text is
    the sentence for the form; `empty_hint` says on an empty list what to do.
    """

    actions = ()
    deletable: ClassVar[bool] = True
    refused_by: ClassVar[tuple[type[Exception], ...]] = ()
    empty_hint: ClassVar[str] = ""
    list_per_page = 50
    list_filter_submit = True
    show_full_result_count = False
    paginator = CappedPaginator
    warn_unsaved_form = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return CappedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; a NUL character, which no text of the database holds, is in no filter."""
        if any("\0" in text for name, texts in request.GET.lists() for text in (name, *texts)):
            return HttpResponseRedirect(request.path)
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.deletable and bool(super().has_delete_permission(request, obj))

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **kwargs)
        sentence: str | None = getattr(request, "refusal", None)
        if sentence is None:
            return form

        class RefusedForm(form):  # type: ignore[misc, valid-type]  # the class is made by Django
            def clean(self) -> None:
                super().clean()
                raise forms.ValidationError(str(sentence))

        return RefusedForm

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Save; where that is refused, show the form again as it was filled in, with the sentence on top."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Exception as error:
            sentence = refusal(error) if isinstance(error, DatabaseError) else None
            if isinstance(error, self.refused_by):
                sentence = self.refusal_of(error)
            if sentence is None or request.method != "POST":
                raise
            request.refusal = sentence  # type: ignore[attr-defined]  # read by get_form
        return super().changeform_view(request, object_id, form_url, extra_context)

    def refusal_of(self, error: Exception) -> str:
        """What the page says of one of `refused_by`; a SafeString may hold a link."""
        return str(error)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Delete; where the database or an operation refuses, back to the object with the reason."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Exception as error:
            sentence = refusal(error) if isinstance(error, DatabaseError) else None
            if isinstance(error, self.refused_by):
                sentence = self.refusal_of(error)
            if sentence is None:
                raise
        messages.error(request, sentence)
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:  # noqa: ARG002
        """What is deleted, and what stands in the way by kind. Django would load and list every row of it."""
        in_the_way = [
            f"{relation.related_model._meta.verbose_name_plural} that refer to it"
            for relation in self.opts.related_objects
            if relation.on_delete is PROTECT and self._refers(relation, objs)
        ]
        return [str(obj) for obj in objs], {}, set(), in_the_way

    @staticmethod
    def _refers(relation: Any, objs: Iterable[Model]) -> bool:
        rows = relation.related_model._base_manager  # noqa: SLF001  a documented attribute of models
        return bool(rows.filter(**{f"{relation.field.name}__in": list(objs)}).exists())

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, ArrayField) and db_field.base_field.choices:
            return forms.MultipleChoiceField(
                choices=db_field.base_field.choices,
                required=not db_field.blank,
                widget=UnfoldAdminCheckboxSelectMultipleWidget(),
                label=str(db_field.verbose_name).capitalize(),
                help_text=db_field.help_text,
            )
        return super().formfield_for_dbfield(db_field, request, **in_plain_digits(db_field, kwargs))


class ReadOnlyAdmin(Admin):
    """What staff look at and only operations write."""

    deletable = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


class LargeListAdmin(Admin):
    """A table of up to billions of rows: newest first, in pages by key, and never slow.

    `ordered_by` names fields that order the list in place of the key, each with the parameters of the URL that ask for
    it: filters that an index serves in that order only. What no index serves is stopped after `LIST_TIMEOUT_MS`, with
    a message, instead of keeping a connection and the reader waiting.
    """

    ordering = ("-pk",)
    ordered_by: ClassVar[dict[str, tuple[str, ...]]] = {}
    sortable_by = ()
    # Counting every choice of every filter is what no index helps with.
    show_facets = ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return KeyChangeList

    def list_order(self, parameters: dict[str, str]) -> KeyOrder:
        """The order of the list with these parameters of the URL; the search term is `q`."""
        for field, asked_by in self.ordered_by.items():
            if any(parameters.get(parameter) for parameter in asked_by):
                return KeyOrder((field, "pk"), is_descending=True)
        return KeyOrder(("pk",), is_descending=True)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        is_narrowed = bool(request.GET)
        try:
            with time_limit(LIST_TIMEOUT_MS):
                response: Any = super().changelist_view(request, extra_context)
                return response.render() if hasattr(response, "render") else response  # type: ignore[no-any-return]
        except TookTooLong:
            if not is_narrowed:
                raise
        messages.warning(request, "That took too long, so it was stopped. Narrow it down, for example to one customer.")
        return HttpResponseRedirect(request.path)


class LargeTableAdmin(LargeListAdmin, ReadOnlyAdmin):
    """A large table that staff look at and only operations write."""


def in_plain_digits(db_field: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a form's field, so that decimals are shown as people write them."""
    return {"form_class": PlainDecimalField} | kwargs if isinstance(db_field, DecimalField) else kwargs


class TableInline(TabularInline):  # type: ignore[misc]  # unfold has no type hints
    """Rows on the page of what they belong to. No empty rows are offered; one click adds one."""

    extra = 0
    per_page = 20
    hide_title = True

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_dbfield(db_field, request, **in_plain_digits(db_field, kwargs))


class ReadOnlyInline(TableInline):
    """Rows to look at, each with a link to its page where there is one."""

    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False
