"""The accounts, groups and tokens of the staff users style."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files.storage import FileSystemStorage
from django.db import models


def media() -> FileSystemStorage:
    """Beside the database, in the folder that ends with the process."""
    folder = Path(settings.DATABASES["default"]["NAME"]).parent / "media"
    return FileSystemStorage(location=folder, base_url="/media/")


class Group(models.Model):
    name = models.CharField(max_length=150, unique=True)
    notes = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "staff_users"
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return self.name


class Member(AbstractBaseUser):
    """One account. Null is what Update Me allows; Update User's serializer does not."""

    username = models.CharField(max_length=150, unique=True, null=True)  # noqa: DJ001 - the document
    email = models.EmailField(unique=True, null=True)  # noqa: DJ001 - the document
    mobile_number = models.CharField(max_length=32, unique=True, null=True)  # noqa: DJ001 - the document
    first_name = models.CharField(max_length=150, blank=True, default="", null=True)  # noqa: DJ001 - same
    last_name = models.CharField(max_length=150, blank=True, default="", null=True)  # noqa: DJ001 - same
    gender = models.CharField(max_length=10, default="male")
    avatar = models.FileField(storage=media, upload_to="avatars", null=True, blank=True)
    is_staff = models.BooleanField(default=False)
    is_admin = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    groups = models.ManyToManyField(Group, related_name="members", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    USERNAME_FIELD = "username"

    class Meta:
        app_label = "staff_users"
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"member {self.pk}"

    @property
    def full_name(self) -> str:
        return " ".join(name for name in (self.first_name, self.last_name) if name)

    @property
    def is_profile_completed(self) -> bool:
        return all((self.username, self.email, self.mobile_number, self.first_name, self.last_name))


class Key(models.Model):
    """An API key: everything its owner may do, until it `expires` (None: never)."""

    key = models.CharField(max_length=200, unique=True)
    user = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="keys")
    expires = models.DateTimeField(null=True)

    class Meta:
        app_label = "staff_users"

    def __str__(self) -> str:
        return f"key of {self.user_id}"
