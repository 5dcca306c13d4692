"""Who asks: an API key in a header, or staff that is logged in to the admin."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from customers.models import ApiKey
from customers.queries.api_keys import api_key_by_text


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY` or `Fastly-Key: KEY`.

    `request.auth` is the key then, and `request.user` the key's user; for a customer's key nobody.
    """

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser | AnonymousUser, ApiKey] | None:
        text = _key_text(request)
        if text is None:
            return None
        api_key = api_key_by_text(text)
        if api_key is None:
            raise AuthenticationFailed("There is no such API key.", code="key_unknown")
        _check_it_holds(api_key)
        return api_key.user or AnonymousUser(), api_key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  the framework passes it
        return "Bearer"


class StaffSessionAuthentication(SessionAuthentication):
    """The admin's login, for the browsable page. Users who are not staff count as not logged in."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        found = super().authenticate(request)
        return found if found is not None and found[0].is_staff else None


def _key_text(request: Request) -> str | None:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return request.headers.get("Fastly-Key")


def _check_it_holds(api_key: ApiKey) -> None:
    if api_key.revoked_at is not None:
        raise AuthenticationFailed("This API key is revoked.", code="key_revoked")
    if api_key.expires_at is not None and api_key.expires_at <= timezone.now():
        raise AuthenticationFailed("This API key has expired.", code="key_expired")
    user = api_key.user
    if user is not None and not (user.is_active and user.is_staff):
        raise AuthenticationFailed("The user of this API key is not active staff.", code="key_user_inactive")
