from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalog.admin.base import Admin, change_url, column
from customers.models import ApiKey
from customers.operations.api_keys import ApiKeyRefused, create_api_key, revoke_api_key

LABELS = {"Valid": "success", "Expired": "warning", "Revoked": "danger"}


@admin.register(ApiKey)
class ApiKeyAdmin(Admin):
    """Keys are made and revoked, never edited, and their text is shown once."""

    list_display = ("prefix", "name", "owner", "shown_scopes", "state", "created_at", "expires_at")
    list_display_links = ("prefix", "name")
    list_select_related = ("user", "customer")
    search_fields = ("prefix__startswith", "name__istartswith")
    autocomplete_fields = ("customer",)
    change_form_template = "admin/customers/apikey/change_form.html"
    deletable = False
    refused_by = (ApiKeyRefused,)
    empty_hint = "A key lets another system use the REST APIs, as a staff user or as one customer."

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[Any, ...]:  # noqa: ARG002
        if obj is None:
            return ("name", ("user", "customer"), "scopes", "expires_at")
        return (("prefix", "state"), "name", "owner", "shown_scopes", "created_at", ("expires_at", "revoked_at"))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:  # noqa: ARG002
        if obj is None:
            return ()
        return ("prefix", "state", "name", "owner", "shown_scopes", "created_at", "expires_at", "revoked_at")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and obj is None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        if db_field.name == "user":
            # Only a superuser hands out what another user may do.
            own = Q() if request.user.is_superuser else Q(pk=request.user.pk)
            kwargs["queryset"] = get_user_model().objects.filter(own, is_active=True, is_staff=True)
        field: forms.Field | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:  # noqa: ARG002
        api_key, text = create_api_key(
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            user_id=obj.user_id,
            customer_id=obj.customer_id,
            expires_at=obj.expires_at,
        )
        # The form's object becomes the stored key: what follows the save (its log entry, its page) asks for it.
        obj.__dict__.update(api_key.__dict__)
        messages.warning(request, f"The key is {text} Copy it now: it is not shown again.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revoke_view)
        return [path("<int:api_key_id>/revoke/", view, name="customers_apikey_revoke"), *super().get_urls()]

    def revoke_view(self, request: HttpRequest, api_key_id: int) -> HttpResponse:
        """Ask, then end the key for good."""
        api_key = get_object_or_404(ApiKey, id=api_key_id)
        if not request.user.has_perm("customers.change_apikey"):
            return HttpResponseRedirect(change_url(api_key))
        if request.method == "POST":
            revoke_api_key(api_key_id=api_key_id, at=timezone.now())
            messages.success(request, f"The key {api_key} is revoked.")
            return HttpResponseRedirect(reverse("admin:customers_apikey_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Revoke the key {api_key}?",
            "question": "Whoever uses it gets an answer of 401 from now on. It cannot be undone.",
            "verb": "Revoke the key",
            "back": change_url(api_key),
        }
        return render(request, "admin/confirmation.html", context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["may_revoke"] = request.user.has_perm("customers.change_apikey")
        return super().render_change_form(request, context, *args, **kwargs)

    @column("Belongs to")
    def owner(self, api_key: ApiKey) -> str:
        return str(api_key.customer or api_key.user)

    @column("May")
    def shown_scopes(self, api_key: ApiKey) -> str:
        return ", ".join(api_key.scopes)

    @column("State", label=LABELS)
    def state(self, api_key: ApiKey) -> str:
        if api_key.revoked_at:
            return "Revoked"
        return "Expired" if api_key.expires_at and api_key.expires_at <= timezone.now() else "Valid"
