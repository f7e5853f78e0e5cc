"""The resources around accounts, in the order of checks that authentik has.

Accept header, token, right to view, existence, right to change, body, fields: what fails first answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from tests.targets.authentik import filters
from tests.targets.authentik.access import ModelRights, TokenAuthentication
from tests.targets.authentik.models import ANONYMOUS, Account, ApiToken, Group
from tests.targets.authentik.paging import Pages
from tests.targets.authentik.parsing import StrictParser
from tests.targets.authentik.serializers import AVATAR, AccountSerializer, GroupSerializer, TokenSerializer

VERSION = "2025.12.4"
LARGEST_ID = 2**63 - 1


class Utf8Renderer(JSONRenderer):
    charset = "utf-8"


class ApiView(GenericAPIView[Any]):
    right: ClassVar[str] = "user"
    parameters: ClassVar[Mapping[str, filters.Parameter]] = {}
    searched: ClassVar[tuple[str, ...]] = ()
    sorted_by: ClassVar[frozenset[str]] = frozenset()
    ordering: ClassVar[tuple[str, ...]] = ()
    authentication_classes: ClassVar[list[type]] = [TokenAuthentication]
    permission_classes: ClassVar[list[type]] = [ModelRights]
    parser_classes: ClassVar[list[type]] = [StrictParser]
    renderer_classes: ClassVar[list[type]] = [Utf8Renderer]
    filter_backends: ClassVar[list[type]] = [
        filters.RightsFilter,
        filters.ParameterFilter,
        filters.SearchFilter,
        filters.Ordering,
    ]
    pagination_class = Pages

    def listing(self) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class AccountView(ApiView):
    serializer_class = AccountSerializer
    parameters = filters.ACCOUNT_FILTERS
    searched = ("email", "name", "uuid", "username")
    sorted_by = filters.SORTED
    ordering = ("username",)

    def get_queryset(self) -> QuerySet[Account]:
        return Account.objects.exclude(username=ANONYMOUS).prefetch_related("groups", "roles")


class AccountList(AccountView):
    def get(self, request: Request) -> Response:
        del request
        return self.listing()

    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data, status=status.HTTP_201_CREATED)


class AccountDetail(AccountView):
    def get_object(self) -> Account:
        """An id beyond the database's integers is nobody's."""
        if not self.kwargs["pk"].removeprefix("-").isdigit():
            self.filter_queryset(self.get_queryset())
            raise NotFound
        if abs(int(self.kwargs["pk"])) > LARGEST_ID:
            self.kwargs["pk"] = "0"
        found: Account = super().get_object()
        return found

    def get(self, request: Request, pk: str) -> Response:
        del request, pk
        return Response(self.get_serializer(self.get_object()).data)

    def put(self, request: Request, pk: str) -> Response:
        del pk
        return self._change(request, partial=False)

    def patch(self, request: Request, pk: str) -> Response:
        del pk
        return self._change(request, partial=True)

    def delete(self, request: Request, pk: str) -> Response:
        del request, pk
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, *, partial: bool) -> Response:
        account = self.get_object()
        serializer = self.get_serializer(account, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(self.get_serializer(Account.objects.get(pk=account.pk)).data)


class Me(ApiView):
    """Whoever is signed in may ask who they are."""

    def get(self, request: Request) -> Response:
        owner: Account = request.user
        groups = [{"name": group.name, "pk": str(group.pk)} for group in owner.groups.all()]
        shown = {
            "pk": owner.pk,
            "username": owner.username,
            "name": owner.name,
            "is_active": owner.is_active,
            "is_superuser": owner.is_superuser,
            "groups": groups,
            "email": owner.email,
            "avatar": AVATAR,
            "uid": f"{owner.uuid.hex}{owner.pk:032x}",
            "settings": {},
            "type": owner.type,
            "system_permissions": [],
        }
        return Response({"user": shown})


class GroupList(ApiView):
    right = "group"
    serializer_class = GroupSerializer
    parameters = filters.GROUP_FILTERS
    searched = ("name",)
    sorted_by = frozenset({"name"})
    ordering = ("name",)

    def get_queryset(self) -> QuerySet[Group]:
        return Group.objects.all()

    def get(self, request: Request) -> Response:
        del request
        return self.listing()


class TokenList(ApiView):
    """Everybody sees their own tokens, superusers see all; never a key."""

    permission_classes: ClassVar[list[type]] = [IsAuthenticated]
    serializer_class = TokenSerializer
    parameters = filters.TOKEN_FILTERS
    ordering = ("pk",)
    filter_backends: ClassVar[list[type]] = [filters.ParameterFilter, filters.Ordering]

    def get_queryset(self) -> QuerySet[ApiToken]:
        tokens = ApiToken.objects.select_related("owner")
        return tokens if self.request.user.is_superuser else tokens.filter(owner=self.request.user)

    def get(self, request: Request) -> Response:
        del request
        return self.listing()


class Version(ApiView):
    permission_classes: ClassVar[list[type]] = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        del request
        return Response(
            {
                "version_current": VERSION,
                "version_latest": VERSION,
                "version_latest_valid": True,
                "build_hash": "",
                "outdated": False,
                "outpost_outdated": False,
            }
        )


def healthy(request: HttpRequest) -> HttpResponse:
    """Both health addresses: nothing to say, 200."""
    del request
    return HttpResponse(b"")
