"""The users resource as the document describes it: a ModelSerializer, staff only, token auth.

Options (reset request): `page_size` of the listing (100), `enforce_required`: names that a PATCH
must carry too, for servers that take the document's *required* literally.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import User
from rest_framework import serializers, viewsets
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAdminUser
from rest_framework.request import Request

from tests.targets import options
from tests.targets.tokens.models import Token


class KeyAuthentication(TokenAuthentication):
    model = Token

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        """The document names no end of a token; a server that gives it one says so."""
        user, token = super().authenticate_credentials(key)
        if token.is_over():
            raise AuthenticationFailed("Token has expired.")
        return user, token


class Scope(BasePermission):
    """A token for reading only may not write, whoever has it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        del view
        return request.method in SAFE_METHODS or getattr(request.auth, "scope", "write") == "write"


class Pages(PageNumberPagination):
    def get_page_size(self, request: Request) -> int:
        del request
        return int(options.get("page_size", 100))


class UserSerializer(serializers.ModelSerializer[User]):
    """Field for field the document; the password is stored as it comes, as a plain serializer does."""

    class Meta:
        model = User
        fields: ClassVar[list[str]] = [
            "id",
            "password",
            "last_login",
            "is_superuser",
            "username",
            "first_name",
            "last_name",
            "email",
            "is_staff",
            "is_active",
            "date_joined",
            "groups",
            "user_permissions",
        ]
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {"first_name": {"max_length": 30}}

    def to_internal_value(self, data: Any) -> Any:
        if self.partial:
            self._enforce(data)
        return super().to_internal_value(data)

    def _enforce(self, data: Any) -> None:
        missing = [name for name in options.get("enforce_required", []) if name not in data]
        if missing:
            raise serializers.ValidationError({name: ["This field is required."] for name in missing})


class UserViewSet(viewsets.ModelViewSet[User]):
    queryset = User.objects.order_by("id")
    serializer_class = UserSerializer
    pagination_class = Pages
    authentication_classes: ClassVar[list[type]] = [KeyAuthentication]
    permission_classes: ClassVar[list[type]] = [IsAdminUser, Scope]
