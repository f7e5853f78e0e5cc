"""Who may see, change, create and delete whom. Pure questions; the views turn a no into 403.

Superusers may everything, auditors see everything, organization administrators change those all
of whose organizations they administer, everybody may change their own names, e-mail and password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from tests.targets import options
from tests.targets.awx.models import Organization

FLAGS = ("is_superuser", "is_system_auditor")
ADMIN_ONLY = ("username", "is_active")


def boolean(value: Any, *, allow_none: bool = False) -> bool | None:
    """AWX's reading of a truth value. The ValueError is not caught: it becomes the HTML 500."""
    text = str(value).lower()
    if text in {"true", "t", "1"}:
        return True
    if text in {"false", "f", "0"}:
        return False
    if allow_none and text in {"none", "null"}:
        return None
    raise ValueError(f"{value!r} is neither true nor false")


def visible(user: User) -> QuerySet[User]:
    if user.is_superuser or user.profile.is_system_auditor:
        return User.objects.all()
    if user.admin_of_organizations.exists():
        return User.objects.all()
    mates = Organization.objects.filter(Q(users=user) | Q(admins=user))
    return User.objects.filter(Q(pk=user.pk) | Q(is_superuser=True) | Q(organizations__in=mates)).distinct()


def may_read(user: User, other: User) -> bool:
    return visible(user).filter(pk=other.pk).exists()


def may_change(user: User, other: User, data: Mapping[str, Any]) -> bool:
    if boolean(data.get("is_superuser", False), allow_none=True) and not user.is_superuser:
        return False
    if boolean(data.get("is_system_auditor", False), allow_none=True) and not (
        user.is_superuser or user == other
    ):
        return False
    if not user.is_superuser and not options.get("MANAGE_ORGANIZATION_AUTH", True):
        return False
    return user == other or may_administer(user, other)


def may_administer(user: User, other: User) -> bool:
    if user.is_superuser:
        return True
    if other.is_superuser or other.profile.is_system_auditor:
        return False
    theirs = set(other.organizations.values_list("pk", flat=True))
    theirs |= set(other.admin_of_organizations.values_list("pk", flat=True))
    return bool(theirs) and theirs <= set(user.admin_of_organizations.values_list("pk", flat=True))


def may_delete(user: User, other: User) -> bool:
    if user == other or _last_superuser(other):
        return False
    return may_administer(user, other)


def _last_superuser(user: User) -> bool:
    return user.is_superuser and not User.objects.filter(is_superuser=True).exclude(pk=user.pk).exists()


def may_add_to(user: User, organization: Organization) -> bool:
    if user.is_superuser:
        return True
    managed = options.get("MANAGE_ORGANIZATION_AUTH", True)
    return bool(managed) and organization.admins.filter(pk=user.pk).exists()


def forbidden_changes(user: User, other: User, data: Mapping[str, Any]) -> list[str]:
    """Fields whose change is beyond `user`, compared with `!=` as AWX does ("false" is a change)."""
    names: tuple[str, ...] = ()
    if not user.is_superuser:
        names += FLAGS
    if not may_administer(user, other):
        names += ADMIN_ONLY
    return [name for name in names if _differs(other, name, data.get(name))]


def _differs(other: User, name: str, wanted: Any) -> bool:
    current = other.profile.is_system_auditor if name == "is_system_auditor" else getattr(other, name)
    return wanted is not None and current != wanted
