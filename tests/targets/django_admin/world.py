"""The accounts of the Django-admin style: seeding, reading back, and who a request is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from tests.targets.journal import readable
from tests.targets.store import wipe
from tests.targets.tokens.models import issue, owner_of_key

DETAIL = re.compile(r"^/admin/users/(?P<id>\d+)/?$")
MANY = ("groups", "user_permissions")


def seed(payload: Mapping[str, Any]) -> None:
    """`users`: model fields, `password` in clear, `groups` and `user_permissions` as ids."""
    with transaction.atomic():
        wipe()
        given = payload.get("users", [])
        for user, fields in zip(
            User.objects.bulk_create([_user(fields) for fields in given]), given, strict=True
        ):
            _relate(user, fields)
        issue(payload.get("tokens", []))


def _user(fields: Mapping[str, Any]) -> User:
    plain = {name: value for name, value in fields.items() if name not in (*MANY, "password")}
    user = User(**plain)
    user.set_password(fields.get("password"))
    return user


def _relate(user: User, fields: Mapping[str, Any]) -> None:
    if groups := fields.get("groups"):
        user.groups.set([_group(number) for number in groups])
    if permissions := fields.get("user_permissions"):
        user.user_permissions.set([_permission(number) for number in permissions])


def _group(number: int) -> Group:
    return Group.objects.get_or_create(pk=number, defaults={"name": f"group {number}"})[0]


def _permission(number: int) -> Permission:
    kind = ContentType.objects.get_or_create(app_label="auth", model="user")[0]
    named = {"name": f"permission {number}", "codename": f"permission_{number}", "content_type": kind}
    return Permission.objects.get_or_create(pk=number, defaults=named)[0]


def rows() -> list[dict[str, Any]]:
    users = User.objects.order_by("id").prefetch_related(*MANY)
    return [_row(user) for user in users]


def _row(user: User) -> dict[str, Any]:
    plain = {field.name: getattr(user, field.name) for field in User._meta.concrete_fields}
    many = {name: sorted(item.pk for item in getattr(user, name).all()) for name in MANY}
    return {**plain, **many}


def owner_of(authorization: str) -> str | None:
    scheme, _, key = authorization.partition(" ")
    return owner_of_key(key) if scheme.lower() == "token" else None


def account_of(path: str, body: bytes) -> str | None:
    if found := DETAIL.match(path):
        return User.objects.filter(pk=found["id"]).values_list("username", flat=True).first()
    given = readable(body)
    return given.get("username") if isinstance(given, dict) else None
