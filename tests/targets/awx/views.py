"""The users resource: `/users/`, `/users/{id}/`, `/me/`, in the order of checks that AWX has.

Accept header, authentication, body, object, permission, fields: what fails first answers.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import QuerySet
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from tests.targets import options
from tests.targets.awx import access
from tests.targets.awx.base import ApiView
from tests.targets.awx.errors import DUPLICATE
from tests.targets.awx.models import Activity
from tests.targets.awx.representation import address
from tests.targets.awx.serializers import UserSerializer

GATEWAY = "{} is left to the platform: {} the user there."


def save(serializer: UserSerializer) -> Response | None:
    """Validate and save; a name taken meanwhile by another request answers in its own shape."""
    serializer.is_valid(raise_exception=True)
    try:
        serializer.save()
    except IntegrityError:
        return Response({"detail": DUPLICATE}, status=status.HTTP_400_BAD_REQUEST)
    return None


def create_user(request: Request) -> Response:
    if not options.get("ALLOW_LOCAL_RESOURCE_MANAGEMENT", True):
        raise PermissionDenied(GATEWAY.format("Creation", "create"))
    serializer = UserSerializer(data=request.data, context={"request": request, "detail": True})
    refused = save(serializer)
    if refused is not None:
        return refused
    location = {"Location": address(serializer.instance)}
    return Response(serializer.data, status=status.HTTP_201_CREATED, headers=location)


class UserList(ApiView):
    def get_queryset(self) -> QuerySet[User]:
        return access.visible(self.request.user).select_related("profile")

    def represent(self, item: Any) -> Any:
        return UserSerializer(item, context={"request": self.request, "detail": False}).data

    def get(self, request: Request) -> Response:
        del request
        return self.listing()

    def post(self, request: Request) -> Response:
        if not request.user.is_superuser:
            raise PermissionDenied
        return create_user(request)


class Me(ApiView):
    def get_queryset(self) -> QuerySet[User]:
        return User.objects.filter(pk=self.request.user.pk).select_related("profile")

    def represent(self, item: Any) -> Any:
        return UserSerializer(item, context={"request": self.request, "detail": False}).data

    def get(self, request: Request) -> Response:
        del request
        return self.listing()


class UserDetail(ApiView):
    queryset = User.objects.select_related("profile")

    def get(self, request: Request, pk: int) -> Response:
        user = self.get_object()
        del pk
        if not access.may_read(request.user, user):
            raise PermissionDenied
        return Response(self._serializer(user).data)

    def patch(self, request: Request, pk: int) -> Response:
        del pk
        return self._change(request, partial=True)

    def put(self, request: Request, pk: int) -> Response:
        del pk
        return self._change(request, partial=False)

    def delete(self, request: Request, pk: int) -> Response:
        del pk
        user = self.get_object()
        if not access.may_delete(request.user, user):
            raise PermissionDenied("This user may not be deleted." if request.user.is_superuser else None)
        if not options.get("ALLOW_LOCAL_RESOURCE_MANAGEMENT", True):
            raise PermissionDenied(GATEWAY.format("Deletion", "delete"))
        Activity.objects.filter(user=user).update(user=None)
        user.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, *, partial: bool) -> Response:
        user = self.get_object()
        asked = request.data or {}
        if not access.may_change(request.user, user, asked):
            raise PermissionDenied
        if beyond := access.forbidden_changes(request.user, user, asked):
            raise PermissionDenied(f"Cannot change {', '.join(beyond)}.")
        serializer = self._serializer(user, data=request.data, partial=partial)
        return save(serializer) or Response(serializer.data)

    def _serializer(self, user: User, **given: Any) -> UserSerializer:
        return UserSerializer(user, context={"request": self.request, "detail": True}, **given)
