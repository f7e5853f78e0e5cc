"""API tokens of every style: a key, its owner, what it may do, and when it ends."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_datetime


class Token(models.Model):
    """`scope` is "read" or "write". `expires` None: never."""

    key = models.CharField(max_length=200, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reference_tokens")
    scope = models.CharField(max_length=20, default="write")
    description = models.TextField(default="", blank=True)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True)

    class Meta:
        app_label = "tokens"
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.scope} token of {self.user_id}"

    def is_over(self) -> bool:
        return self.expires is not None and self.expires <= timezone.now()


def issue(tokens: list[dict[str, str]]) -> None:
    """Make the tokens of a reset request; raises KeyError or ValueError on a bad one."""
    for given in tokens:
        owner = User.objects.filter(username=given["username"]).first()
        if owner is None:
            raise ValueError(f"tokens: no user {given['username']!r}")
        expires = parse_datetime(given["expires"]) if given.get("expires") else None
        scope = given.get("scope", "write")
        Token.objects.create(key=given["token"], user=owner, scope=scope, expires=expires)


def owner_of_key(key: str) -> str | None:
    token = Token.objects.select_related("user").filter(key=key).first()
    return None if token is None else token.user.username
