"""Who may what: a key's scopes, a customer's own things, a staff user's permissions."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from customers.choices import Scope
from customers.models import ApiKey

if TYPE_CHECKING:  # views import their permission classes
    from rest_framework.views import APIView

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class MayCall(BasePermission):
    """Reads the view's `scope`, permissions of staff and `is_staff_only` (`customers.api.views.ApiView`)."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        api_key = request.auth if isinstance(request.auth, ApiKey) else None
        if api_key is None and not request.user.is_authenticated:
            return False
        method = request.method or "GET"
        if method not in view.allowed_methods:
            return True  # 405 says more than a refusal.
        if api_key is not None:
            _check_scope(api_key, view.scope if method not in SAFE_METHODS else Scope.READ)  # type: ignore[attr-defined]
            if api_key.customer_id is not None:
                return _customer_may(view)
        for permission in (view.staff_permission(method), *view.more_permissions):  # type: ignore[attr-defined]
            if not request.user.has_perm(permission):
                raise PermissionDenied(f"The user {request.user.get_username()} lacks the permission {permission}.")
        return True


def _check_scope(api_key: ApiKey, scope: str) -> None:
    if scope not in api_key.scopes:
        raise PermissionDenied(f"This API key lacks the scope {scope}.", code="scope_missing")


def _customer_may(view: "APIView") -> bool:
    if view.is_staff_only:  # type: ignore[attr-defined]
        raise PermissionDenied("This is for the keys of staff, not of customers.", code="staff_only")
    return True
