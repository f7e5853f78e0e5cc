"""What AWX keeps beside `django.contrib.auth` users: profiles, organizations, teams, the activity stream."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import models


class Profile(models.Model):
    """`ldap_dn` or `provider` make an account external: it has no password of its own."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    ldap_dn = models.CharField(max_length=1024, default="", blank=True)
    provider = models.CharField(max_length=32, default="", blank=True)
    uid = models.CharField(max_length=255, default="", blank=True)
    is_system_auditor = models.BooleanField(default=False)
    ansible_id = models.UUIDField(default=uuid.uuid4)

    class Meta:
        app_label = "awx"

    def __str__(self) -> str:
        return f"profile of {self.user_id}"

    @property
    def external_account(self) -> str | None:
        if self.ldap_dn:
            return "ldap"
        return "social" if self.provider else None


class Organization(models.Model):
    name = models.CharField(max_length=512, unique=True)
    users = models.ManyToManyField(User, related_name="organizations")
    admins = models.ManyToManyField(User, related_name="admin_of_organizations")

    class Meta:
        app_label = "awx"

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    name = models.CharField(max_length=512)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    users = models.ManyToManyField(User, related_name="teams")

    class Meta:
        app_label = "awx"

    def __str__(self) -> str:
        return self.name


class Activity(models.Model):
    """One entry of the activity stream. `actor` is empty for changes of the auditor role."""

    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="acted")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="activity")
    operation = models.CharField(max_length=16)
    changes = models.JSONField(default=dict)
    timestamp = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "awx"
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.operation} of {self.user_id}"


def note(actor: User | None, user: User, operation: str, changes: dict[str, Any]) -> None:
    """One entry for an effective change; none where nothing changed."""
    if changes:
        Activity.objects.create(actor=actor, user=user, operation=operation, changes=changes)
