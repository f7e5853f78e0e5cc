"""The accounts of the staff users style: seeding, reading back, and who a request is about.

A reset may carry `groups` ({id, name, notes}); a group that only an account names is called `group N`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from tests.targets.staff_users.models import Group, Key, Member, media
from tests.targets.store import wipe

DETAIL = re.compile(r"^/api/users/(?P<id>\d+)/?$")
FOREIGN = ("is_superuser",)  # a flag of the other styles' common accounts that this API does not have
SECRETS = ("password",)


def seed(payload: Mapping[str, Any]) -> None:
    """`users`: model fields, `password` in clear, `groups` as ids; no pictures."""
    with transaction.atomic():
        wipe()
        for fields in payload.get("groups", []):
            Group.objects.create(pk=fields["id"], name=fields["name"], notes=fields.get("notes", ""))
        for fields in payload.get("users", []):
            _member(fields)
        for given in payload.get("tokens", []):
            _key(given)
    shutil.rmtree(media().location, ignore_errors=True)


def _member(fields: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in fields.items() if name not in (*FOREIGN, *SECRETS, "groups")}
    member = Member(**plain)
    member.set_password(fields.get("password"))
    member.save(force_insert=True)
    member.groups.set([_group(number) for number in fields.get("groups", [])])


def _group(number: int) -> Group:
    return Group.objects.get_or_create(pk=number, defaults={"name": f"group {number}"})[0]


def _key(given: Mapping[str, Any]) -> None:
    owner = Member.objects.filter(username=given["username"]).first()
    if owner is None:
        raise ValueError(f"tokens: no user {given['username']!r}")
    expires = parse_datetime(given["expires"]) if given.get("expires") else None
    Key.objects.create(key=given["token"], user=owner, expires=expires)


def rows() -> list[dict[str, Any]]:
    members = Member.objects.order_by("id").prefetch_related("groups")
    return [_row(member) for member in members]


def _row(member: Member) -> dict[str, Any]:
    plain = {field.name: getattr(member, field.name) for field in Member._meta.concrete_fields}
    many = sorted(group.pk for group in member.groups.all())
    return {**plain, "avatar": member.avatar.name or None, "avatar_sha256": _digest(member), "groups": many}


def _digest(member: Member) -> str | None:
    """Of the file on disk."""
    if not member.avatar:
        return None
    with member.avatar.storage.open(member.avatar.name, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def owner_of(authorization: str) -> str | None:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "token":
        return None
    return Key.objects.filter(key=key).values_list("user__username", flat=True).first()


def account_of(path: str, body: bytes) -> str | None:
    """None for `me`: whose that is, the address does not say."""
    del body
    if found := DETAIL.match(path):
        return Member.objects.filter(pk=found["id"]).values_list("username", flat=True).first()
    return None
