"""API keys: made once, shown once, revoked for good."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth import get_user_model

from customers.choices import Scope
from customers.models import ApiKey, Customer
from customers.queries.api_keys import key_digest

KEY_PREFIX = "tb_"
# 32 random bytes: nobody guesses one, so the plain SHA-256 of it can be stored.
KEY_BYTES = 32
SHOWN_CHARACTERS = 10


class ApiKeyRefused(Exception):
    """A key that may not be made. The text is a sentence for people."""


def create_api_key(
    *,
    scopes: Sequence[str],
    user_id: int | None = None,
    customer_id: int | None = None,
    name: str = "",
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for one staff user or one customer; gives the stored key and its text, which is kept nowhere.

    Raises `ApiKeyRefused` for an unknown scope or none, no owner or two, an owner that is not there, and a user who
    is not active staff.
    """
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown:
        raise ApiKeyRefused(f"There is no scope {', '.join(unknown)}: choose from {', '.join(Scope.values)}.")
    if not scopes:
        raise ApiKeyRefused(f"A key needs a scope: choose from {', '.join(Scope.values)}.")
    _check_owner(user_id=user_id, customer_id=customer_id)
    text = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    api_key = ApiKey.objects.create(
        prefix=text[:SHOWN_CHARACTERS],
        key_sha256=key_digest(text),
        name=name,
        user_id=user_id,
        customer_id=customer_id,
        scopes=[scope for scope in Scope.values if scope in scopes],
        expires_at=expires_at,
    )
    return api_key, text


def revoke_api_key(*, api_key_id: int, at: datetime) -> ApiKey:
    """End a key for good, from `at` on. One that is revoked keeps its first time. Raises `ApiKey.DoesNotExist`."""
    ApiKey.objects.filter(id=api_key_id, revoked_at__isnull=True).update(revoked_at=at)
    return ApiKey.objects.get(id=api_key_id)


def _check_owner(*, user_id: int | None, customer_id: int | None) -> None:
    if (user_id is None) == (customer_id is None):
        raise ApiKeyRefused("A key belongs to a user or to a customer: choose one.")
    if customer_id is not None:
        if not Customer.objects.filter(id=customer_id).exists():
            raise ApiKeyRefused(f"There is no customer with the id {customer_id}.")
        return
    user = get_user_model().objects.filter(id=user_id or 0).first()
    if user is None:
        raise ApiKeyRefused(f"There is no user with the id {user_id}.")
    if not (user.is_active and user.is_staff):
        raise ApiKeyRefused(f"The user {user.get_username()} is not active staff: only staff get a key of their own.")
