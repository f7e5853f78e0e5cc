"""The endpoints of the staff users style: listing, Update User, Update Me, and the fault without the slash.

Options (reset request): `page_size` of the listing (100); `filters`: names that the listing can be
filtered by, which no document promises (none).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework import viewsets
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tests.targets import options
from tests.targets.staff_users.models import Key, Member
from tests.targets.staff_users.serializers import MeSerializer, UserSerializer


class KeyAuthentication(TokenAuthentication):
    model = Key

    def authenticate_credentials(self, key: str) -> tuple[Member, Key]:
        """No document names an end of a key; a server that gives it one says so."""
        member, found = super().authenticate_credentials(key)
        if found.expires is not None and found.expires <= timezone.now():
            raise AuthenticationFailed("Token has expired.")
        return member, found


class StaffOrAdmin(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        del view
        member = request.user
        return isinstance(member, Member) and (member.is_staff or member.is_admin)


class Pages(PageNumberPagination):
    def get_page_size(self, request: Request) -> int:
        del request
        return int(options.get("page_size", 100))


class UserViewSet(viewsets.ModelViewSet[Member]):
    serializer_class = UserSerializer
    pagination_class = Pages
    authentication_classes: ClassVar[list[type]] = [KeyAuthentication]
    permission_classes: ClassVar[list[type]] = [StaffOrAdmin]

    def get_queryset(self) -> QuerySet[Member]:
        asked = self.request.query_params
        chosen = {name: asked[name] for name in options.get("filters", []) if name in asked}
        return Member.objects.filter(**chosen).order_by("id").prefetch_related("groups")


class MeView(RetrieveUpdateAPIView[Member]):
    serializer_class = MeSerializer
    authentication_classes: ClassVar[list[type]] = [KeyAuthentication]
    permission_classes: ClassVar[list[type]] = [StaffOrAdmin]
    http_method_names: ClassVar[list[str]] = ["get", "patch", "head", "options"]

    def get_object(self) -> Member:
        return Member.objects.get(pk=self.request.user.pk)


def slashless(_request: HttpRequest, **_given: Any) -> HttpResponse:
    """The document's note: without the slash at the end the server fails."""
    raise RuntimeError("no slash at the end of the address")
