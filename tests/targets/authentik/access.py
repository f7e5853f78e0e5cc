"""Who is asking and what they may: everything about it is a 403, never a 401.

A single account is guarded by the filter alone: who may view nobody gets the same 403 for an account that
does not exist. On listings a missing header is told in other words than a missing right.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tests.targets.authentik.models import Account, ApiToken

REFUSED = "Token invalid/expired"
NEEDED = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


class TokenAuthentication(BaseAuthentication):
    """A header of any other scheme is as good as none."""

    def authenticate(self, request: Request) -> tuple[Account, ApiToken] | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return None
        token = ApiToken.objects.select_related("owner").filter(key=key.strip()).first()
        if token is None or not token.is_valid():
            raise AuthenticationFailed(REFUSED)
        return token.owner, token


class ModelRights(BasePermission):
    """`right` of a view is what its model is called in permissions, like `user`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if "pk" in view.kwargs:
            return True
        if isinstance(request.user, AnonymousUser):
            return False
        return request.method not in NEEDED or request.user.may(f"{NEEDED[request.method]}_{view.right}")

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        del obj
        return request.method not in NEEDED or request.user.may(f"{NEEDED[request.method]}_{view.right}")


def require_view(request: Request, right: str) -> None:
    """Raise the 403 of somebody who may view nothing of this kind."""
    if isinstance(request.user, AnonymousUser) or not request.user.may(f"view_{right}"):
        raise PermissionDenied
