"""Accounts, groups, roles and tokens of authentik, in tables of their own."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

ANONYMOUS = "AnonymousUser"  # an account that no address shows


class Group(models.Model):
    group_uuid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.TextField()
    is_superuser = models.BooleanField(default=False)

    class Meta:
        app_label = "authentik"
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.TextField()

    class Meta:
        app_label = "authentik"

    def __str__(self) -> str:
        return self.name


class Kind(models.TextChoices):
    INTERNAL = "internal"
    EXTERNAL = "external"
    SERVICE_ACCOUNT = "service_account"
    INTERNAL_SERVICE_ACCOUNT = "internal_service_account"


class Account(models.Model):
    """`rights` are global permissions like `view_user`; a superuser group grants all of them."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    username = models.CharField(max_length=150, unique=True)
    name = models.TextField(default="")
    email = models.EmailField(max_length=254, default="", blank=True)
    is_active = models.BooleanField(default=True)
    last_login = models.DateTimeField(null=True)
    date_joined = models.DateTimeField(default=timezone.now)
    last_updated = models.DateTimeField(auto_now=True)
    password_change_date = models.DateTimeField(default=timezone.now)
    path = models.TextField(default="users")
    type = models.TextField(choices=Kind.choices, default=Kind.INTERNAL)
    attributes = models.JSONField(default=dict)
    groups = models.ManyToManyField(Group, related_name="accounts")
    roles = models.ManyToManyField(Role, related_name="accounts")
    rights = models.JSONField(default=list)

    is_authenticated = True

    class Meta:
        app_label = "authentik"

    def __str__(self) -> str:
        return self.username

    @property
    def is_superuser(self) -> bool:
        return any(group.is_superuser for group in self.groups.all())

    def may(self, right: str) -> bool:
        return self.is_superuser or right in self.rights


class ApiToken(models.Model):
    """Only an `api` token that has not expired, of an active owner, opens anything."""

    key = models.CharField(max_length=200, unique=True)
    owner = models.ForeignKey(Account, on_delete=models.CASCADE)
    intent = models.CharField(max_length=40, default="api")
    expires = models.DateTimeField(null=True)

    class Meta:
        app_label = "authentik"

    def __str__(self) -> str:
        return f"{self.intent} token of {self.owner_id}"

    def is_valid(self) -> bool:
        fresh = self.expires is None or self.expires > timezone.now()
        return fresh and self.intent == "api" and self.owner.is_active


def jsonb(value: Any) -> Any:
    """The order in which PostgreSQL's jsonb keeps keys: the shorter first, then by their bytes."""
    if isinstance(value, dict):
        ordered = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: jsonb(value[key]) for key in ordered}
    return [jsonb(item) for item in value] if isinstance(value, list) else value


def holds_nul(value: Any) -> bool:
    """PostgreSQL's jsonb cannot hold U+0000, neither in a key nor in a text."""
    match value:
        case str():
            return "\x00" in value
        case dict():
            return any(holds_nul(item) for pair in value.items() for item in pair)
        case list():
            return any(holds_nul(item) for item in value)
        case _:
            return False
