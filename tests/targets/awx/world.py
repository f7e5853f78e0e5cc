"""The accounts of the AWX style: seeding, reading back, and who a request is about.

A reset may carry `organizations` ({id, name, users, admins}: usernames), `teams` ({id, name,
organization, users}) and `options`, named like AWX's settings: `MANAGE_ORGANIZATION_AUTH`,
`AUTH_BASIC_ENABLED`, `ALLOW_LOCAL_RESOURCE_MANAGEMENT`, `AUTH_LDAP_SERVER_URI`,
`AUTH_LDAP_USER_ATTR_MAP`, `AUTH_LDAP_USER_FLAGS_BY_GROUP`, `LOCAL_PASSWORD_MIN_*`, and
`meet_before_save` (see `tests.targets.meeting`), which makes concurrent writes a real race.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from tests.targets.awx.models import Organization, Profile, Team
from tests.targets.journal import readable
from tests.targets.store import wipe
from tests.targets.tokens.models import issue, owner_of_key

ADDRESSED = re.compile(r"^/api/v2/+users/(?P<name>[^/]+)")
PROFILE = ("ldap_dn", "provider", "uid", "is_system_auditor")


def seed(payload: Mapping[str, Any]) -> None:
    """`users`: model fields, `password` in clear, and those of the profile."""
    with transaction.atomic():
        wipe()
        given = payload.get("users", [])
        users = User.objects.bulk_create([_user(fields) for fields in given])
        Profile.objects.bulk_create(
            [_profile(user, fields) for user, fields in zip(users, given, strict=True)]
        )
        for fields in payload.get("organizations", []):
            _organization(fields)
        for fields in payload.get("teams", []):
            _team(fields)
        issue(payload.get("tokens", []))


def _user(fields: Mapping[str, Any]) -> User:
    plain = {name: value for name, value in fields.items() if name not in (*PROFILE, "password")}
    user = User(**plain)
    user.set_password(fields.get("password"))
    return user


def _profile(user: User, fields: Mapping[str, Any]) -> Profile:
    return Profile(user=user, **{name: fields[name] for name in PROFILE if name in fields})


def _organization(fields: Mapping[str, Any]) -> None:
    organization = Organization.objects.create(pk=fields.get("id"), name=fields["name"])
    organization.users.set(_called(fields.get("users", [])))
    organization.admins.set(_called(fields.get("admins", [])))


def _team(fields: Mapping[str, Any]) -> None:
    team = Team.objects.create(
        pk=fields.get("id"), name=fields["name"], organization_id=fields["organization"]
    )
    team.users.set(_called(fields.get("users", [])))


def _called(names: Iterable[str]) -> QuerySet[User]:
    return User.objects.filter(username__in=list(names))


def rows() -> list[dict[str, Any]]:
    return [_row(user) for user in User.objects.order_by("id").select_related("profile")]


def _row(user: User) -> dict[str, Any]:
    plain = {field.name: getattr(user, field.name) for field in User._meta.concrete_fields}
    return {**plain, **{name: getattr(user.profile, name) for name in PROFILE}}


def owner_of(authorization: str) -> str | None:
    scheme, _, value = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return owner_of_key(value)
        case "basic":
            return _basic_name(value)
        case _:
            return None


def _basic_name(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None


def account_of(path: str, body: bytes) -> str | None:
    if not (found := ADDRESSED.match(path)):
        given = readable(body)
        return given.get("username") if isinstance(given, dict) else None
    name = found["name"]
    wanted = {"pk": int(name)} if name.isdigit() else {"username": name}
    return User.objects.filter(**wanted).values_list("username", flat=True).first()
