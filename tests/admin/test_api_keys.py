"""API keys: made by the operation, shown once, revoked for good."""

import hashlib
import re
from datetime import datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from customers.choices import Scope
from customers.models import ApiKey
from tests import factories

pytestmark = pytest.mark.django_db

ADD = "admin:customers_apikey_add"


def text_shown(response: object) -> str:
    (message,) = [str(m) for m in response.context["messages"] if "Copy it now" in str(m)]  # type: ignore[attr-defined]
    found = re.search(r"The key is (\S+) ", message)
    assert found is not None
    return found[1]


def test_key_is_shown_once_and_stored_hashed(admin_client: Client) -> None:
    customer = factories.CustomerFactory()
    fields = {"name": "Portal", "customer": customer.pk, "user": "", "scopes": [Scope.READ]}
    response = admin_client.post(reverse(ADD), fields, follow=True)
    text = text_shown(response)
    key = ApiKey.objects.get()
    assert (key.customer, key.user, key.scopes, key.name) == (customer, None, ["read"], "Portal")
    assert key.key_sha256 == hashlib.sha256(text.encode()).hexdigest()
    page = admin_client.get(reverse("admin:customers_apikey_change", args=[key.pk])).content.decode()
    assert key.prefix in page
    assert text not in page


def test_key_without_an_owner_is_refused_on_the_form(admin_client: Client) -> None:
    response = admin_client.post(reverse(ADD), {"name": "", "user": "", "customer": "", "scopes": [Scope.READ]})
    assert response.status_code == 200
    assert "A key belongs to a user or to a customer: choose one." in response.content.decode()
    assert not ApiKey.objects.exists()


def test_only_a_superuser_makes_keys_for_others(admin_user: User) -> None:
    clerk = factories.UserFactory()
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["add_apikey", "view_apikey"]))
    client = Client()
    client.force_login(clerk)
    response = client.post(reverse(ADD), {"user": admin_user.pk, "scopes": [Scope.WRITE]})
    assert "user" in response.context["adminform"].form.errors
    assert not ApiKey.objects.exists()
    client.post(reverse(ADD), {"user": clerk.pk, "scopes": [Scope.READ]})
    assert ApiKey.objects.get().user == clerk


def test_revoking_asks_first_and_is_final(admin_client: Client) -> None:
    key = factories.ApiKeyFactory()
    address = reverse("admin:customers_apikey_revoke", args=[key.pk])
    assert "cannot be undone" in admin_client.get(address).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None
    admin_client.post(address)
    key.refresh_from_db()
    assert key.revoked_at is not None
    page = admin_client.get(reverse("admin:customers_apikey_change", args=[key.pk])).content.decode()
    assert address not in page


def test_keys_are_not_edited(admin_client: Client, now: datetime) -> None:
    key = factories.ApiKeyFactory(name="Portal")
    admin_client.post(
        reverse("admin:customers_apikey_change", args=[key.pk]), {"name": "Mine", "scopes": [Scope.WRITE]}
    )
    key.refresh_from_db()
    assert key.name == "Portal"


def test_who_may_only_look_revokes_nothing(viewer_client: Client) -> None:
    key = factories.ApiKeyFactory()
    viewer_client.post(reverse("admin:customers_apikey_revoke", args=[key.pk]))
    key.refresh_from_db()
    assert key.revoked_at is None
