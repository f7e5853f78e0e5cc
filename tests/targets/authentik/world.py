"""The accounts of the authentik style: seeding, reading back, and who a request is about.

A reset may carry `groups` ({name, pk, is_superuser}). Of a user: `groups` by name (made where nobody
named them), `rights` like `["view_user", "change_user", "view_group"]`, `type`, `path`, `attributes`;
`is_superuser` puts them into a group of superusers. Of a token: `intent`, `expires`. Options:
`database_down`, `max_page_size`, and `meet_before_save` (see `tests.targets.meeting`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from tests.targets.authentik.models import Account, ApiToken, Group, jsonb
from tests.targets.journal import readable
from tests.targets.store import wipe

ADDRESSED = re.compile(r"^/api/v3/core/users/(?P<id>\d+)")
SUPERUSERS = "authentik Admins"
PLAIN = ("username", "email", "is_active", "last_login", "path", "type", "uuid", "rights")
SHOWN = ("id", "username", "name", "email", "is_active", "last_login", "path", "type", "attributes")


def seed(payload: Mapping[str, Any]) -> None:
    """`users`: fields of an account; `first_name` and `last_name` make a name where there is none."""
    with transaction.atomic():
        wipe()
        for fields in payload.get("groups", []):
            Group.objects.create(**fields)
        given = payload.get("users", [])
        accounts = Account.objects.bulk_create([_account(fields) for fields in given])
        _join(zip(accounts, given, strict=True))
        for token in payload.get("tokens", []):
            _issue(token)


def _account(fields: Mapping[str, Any]) -> Account:
    plain = {name: fields[name] for name in PLAIN if name in fields}
    names = [fields.get("first_name", ""), fields.get("last_name", "")]
    name = fields.get("name", " ".join(filter(None, names)))
    attributes = jsonb(fields.get("attributes", {}))
    return Account(id=fields.get("id"), name=name, attributes=attributes, **plain)


def _join(members: Any) -> None:
    """All memberships at once: a large world is seeded in one statement."""
    groups: dict[str, Group] = {group.name: group for group in Group.objects.all()}
    rows = []
    for account, fields in members:
        names = [*fields.get("groups", []), *([SUPERUSERS] if fields.get("is_superuser") else [])]
        for name in names:
            if name not in groups:
                groups[name] = Group.objects.create(name=name, is_superuser=name == SUPERUSERS)
            rows.append(Account.groups.through(account_id=account.pk, group_id=groups[name].pk))
    Account.groups.through.objects.bulk_create(rows)


def _issue(given: Mapping[str, Any]) -> None:
    owner = Account.objects.filter(username=given["username"]).first()
    if owner is None:
        raise ValueError(f"tokens: no user {given['username']!r}")
    expires = parse_datetime(given["expires"]) if given.get("expires") else None
    ApiToken.objects.create(
        key=given["token"], owner=owner, intent=given.get("intent", "api"), expires=expires
    )


def rows() -> list[dict[str, Any]]:
    return [_row(account) for account in Account.objects.order_by("id").prefetch_related("groups")]


def _row(account: Account) -> dict[str, Any]:
    plain = {name: getattr(account, name) for name in SHOWN}
    more = {"uuid": str(account.uuid), "last_updated": account.last_updated}
    return {**plain, **more, "groups": sorted(group.name for group in account.groups.all())}


def owner_of(authorization: str) -> str | None:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = ApiToken.objects.select_related("owner").filter(key=key).first()
    return None if token is None else token.owner.username


def account_of(path: str, body: bytes) -> str | None:
    if found := ADDRESSED.match(path):
        return Account.objects.filter(pk=found["id"]).values_list("username", flat=True).first()
    given = readable(body)
    return given.get("username") if isinstance(given, dict) else None
