"""The resources around users that a worker or its tests meet: tokens, memberships, the activity stream."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tests.targets.awx import access
from tests.targets.awx.base import ApiView
from tests.targets.awx.models import Activity, Organization, Team
from tests.targets.awx.representation import address, brief
from tests.targets.awx.views import UserList, create_user
from tests.targets.tokens.models import Token

SCOPES = frozenset({"read", "write"})
HIDDEN = "************"
LIFETIME = timedelta(days=365_000)


class TokenList(ApiView):
    """POST makes a token of whoever asks, also under another user's address."""

    def get_queryset(self) -> QuerySet[Token]:
        """Those of the user in the address, or all; only superusers see tokens of others."""
        number = self.kwargs.get("pk")
        tokens = Token.objects.select_related("user")
        tokens = tokens if number is None else tokens.filter(user=number)
        return tokens if self.request.user.is_superuser else tokens.filter(user=self.request.user)

    def get(self, request: Request, pk: int | None = None) -> Response:
        del request, pk
        return self.listing()

    def represent(self, item: Token) -> dict[str, Any]:
        return _token(item) | {"token": HIDDEN}

    def post(self, request: Request, pk: int | None = None) -> Response:
        del pk
        scope = request.data.get("scope", "write")
        if scope not in SCOPES:
            raise ValidationError({"scope": [f"Must be one of {sorted(SCOPES)}."]})
        token = Token.objects.create(
            key=secrets.token_urlsafe(22),
            user=request.user,
            scope=scope,
            description=request.data.get("description", ""),
        )
        shown = _token(token) | {"token": token.key}  # shown this once
        return Response(shown, status=status.HTTP_201_CREATED, headers={"Location": shown["url"]})


class TokenDetail(ApiView):
    queryset = Token.objects.all()

    def get(self, request: Request, pk: int) -> Response:
        del request, pk
        return Response(_token(self.get_object()) | {"token": HIDDEN})

    def delete(self, request: Request, pk: int) -> Response:
        del pk
        token = self.get_object()
        if token.user != request.user and not request.user.is_superuser:
            raise PermissionDenied
        token.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class Members(UserList):
    """`POST {"id": 7}` joins, with `disassociate` leaves, without an id makes a new member."""

    def group(self) -> Organization | Team:
        raise AssertionError("a subclass names the group")

    def get_queryset(self) -> QuerySet[User]:
        return self.group().users.select_related("profile")

    def get(self, request: Request, pk: int) -> Response:
        del request, pk
        return self.listing()

    def post(self, request: Request, pk: int) -> Response:
        del pk
        group = self.group()
        organization = group if isinstance(group, Organization) else group.organization
        if not access.may_add_to(request.user, organization):
            raise PermissionDenied
        if "id" not in request.data:
            return self._create(request, group)
        self._associate(request, group)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _create(self, request: Request, group: Organization | Team) -> Response:
        answer = create_user(request)
        if answer.status_code == status.HTTP_201_CREATED:
            group.users.add(answer.data["id"])
        return answer

    def _associate(self, request: Request, group: Organization | Team) -> None:
        number = request.data["id"]
        if not isinstance(number, int):
            raise ValidationError({"msg": '"id" field must be an integer.'})
        user = User.objects.filter(pk=number).first()
        if user is None:
            raise ValidationError({"detail": "User matching query does not exist."})
        change = group.users.remove if request.data.get("disassociate") else group.users.add
        change(user)


class OrganizationUsers(Members):
    def group(self) -> Organization:
        return get_object_or_404(Organization, pk=self.kwargs["pk"])


class TeamUsers(Members):
    def group(self) -> Team:
        return get_object_or_404(Team, pk=self.kwargs["pk"])


class UserTeams(ApiView):
    def get_queryset(self) -> QuerySet[Team]:
        return Team.objects.filter(users=self.kwargs["pk"]).select_related("organization")

    def get(self, request: Request, pk: int) -> Response:
        del request, pk
        return self.listing()

    def represent(self, item: Team) -> dict[str, Any]:
        return {
            "id": item.pk,
            "type": "team",
            "url": f"/api/v2/teams/{item.pk}/",
            "name": item.name,
            "organization": item.organization_id,
        }


class UserRoles(ApiView):
    """The roles that come from memberships; they are not settable by PATCH of the user."""

    def get(self, request: Request, pk: int) -> Response:
        del request
        user = get_object_or_404(User, pk=pk)
        roles = [_role("Member", "organization", each) for each in user.organizations.order_by("id")]
        roles += [_role("Admin", "organization", each) for each in user.admin_of_organizations.order_by("id")]
        roles += [_role("Member", "team", each) for each in user.teams.order_by("id")]
        return self.get_paginated_response(self.paginate_queryset(roles))


class ActivityStream(ApiView):
    queryset = Activity.objects.select_related("actor", "user")

    def get(self, request: Request) -> Response:
        del request
        return self.listing()

    def represent(self, item: Activity) -> dict[str, Any]:
        return _activity(item)


class UserActivity(ApiView):
    """Entries by and about one user."""

    def get_queryset(self) -> QuerySet[Activity]:
        number = self.kwargs["pk"]
        about = Activity.objects.filter(Q(user=number) | Q(actor=number))
        return about.select_related("actor", "user")

    def get(self, request: Request, pk: int) -> Response:
        del request, pk
        return self.listing()

    def represent(self, item: Activity) -> dict[str, Any]:
        return _activity(item)


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.pk,
        "type": "o_auth2_access_token",
        "url": f"/api/v2/tokens/{token.pk}/",
        "related": {"user": address(token.user)},
        "summary_fields": {"user": brief(token.user)},
        "created": token.created,
        "modified": token.created,
        "description": token.description,
        "user": token.user_id,
        "refresh_token": None,
        "application": None,
        "expires": token.expires or token.created + LIFETIME,
        "scope": token.scope,
    }


def _role(name: str, kind: str, group: Organization | Team) -> dict[str, Any]:
    summary = {"resource_name": group.name, "resource_type": kind, "resource_id": group.pk}
    return {"type": "role", "name": name, "summary_fields": summary}


def _activity(entry: Activity) -> dict[str, Any]:
    related: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    if entry.user is not None:
        related["user"], summary["user"] = [address(entry.user)], [brief(entry.user)]
    if entry.actor is not None:
        related["actor"], summary["actor"] = address(entry.actor), brief(entry.actor)
    return {
        "id": entry.pk,
        "type": "activity_stream",
        "url": f"/api/v2/activity_stream/{entry.pk}/",
        "related": related,
        "summary_fields": summary,
        "timestamp": entry.timestamp,
        "operation": entry.operation,
        "changes": entry.changes,
        "object1": "user",
        "object2": "",
        "object_association": "",
        "object_type": "",
    }
