"""How AWX shows a user: links, summary fields, and what it hides of the password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from tests.targets.awx import access, passwords

RELATED = (
    "teams",
    "organizations",
    "admin_of_organizations",
    "projects",
    "credentials",
    "roles",
    "activity_stream",
    "access_list",
    "tokens",
    "authorized_tokens",
    "personal_tokens",
)


def represent(user: User, viewer: User, *, detail: bool) -> dict[str, Any]:
    """`modified` is a copy of `last_login`; the password key is missing on external accounts."""
    profile = user.profile
    shown = {
        "id": user.pk,
        "type": "user",
        "url": address(user),
        "related": _related(user, detail=detail),
        "summary_fields": _summary(user, viewer),
        "created": user.date_joined,
        "modified": user.last_login,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_superuser": user.is_superuser,
        "is_system_auditor": profile.is_system_auditor,
        "password": passwords.PLACEHOLDER,
        "ldap_dn": profile.ldap_dn,
        "last_login": user.last_login,
        "external_account": profile.external_account,
        "auth": [{"provider": profile.provider, "uid": profile.uid}] if profile.provider else [],
    }
    if profile.external_account:
        del shown["password"]
    return shown


def address(user: User) -> str:
    return f"/api/v2/users/{user.pk}/"


def brief(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
    }


def _related(user: User, *, detail: bool) -> dict[str, str]:
    named = {"named_url": f"/api/v2/users/{user.username}/"} if detail else {}
    return named | {name: f"{address(user)}{name}/" for name in RELATED}


def _summary(user: User, viewer: User) -> dict[str, Any]:
    return {
        "resource": {"ansible_id": str(user.profile.ansible_id), "resource_type": "shared.user"},
        "user_capabilities": {
            "edit": access.may_change(viewer, user, {}),
            "delete": access.may_delete(viewer, user),
        },
    }
