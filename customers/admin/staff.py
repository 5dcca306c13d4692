"""Who works here: Django's users and groups, in the look of the other pages."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from catalog.admin.base import Admin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Admin):  # type: ignore[misc, type-arg]  # the two declare their attributes apart
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser")
    search_fields = ("username__istartswith", "email__istartswith", "last_name__istartswith")
    autocomplete_fields = ("groups",)
    deletable = False
    actions = ()


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, Admin):  # type: ignore[misc]  # the two declare their attributes apart
    list_display = ("name",)
    actions = ()
    empty_hint = "A group gives its users their rights: to look only, or to bill."
