"""What differs from target to target when the demo reads accounts: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """`users` is the listing, `scheme` the word before the token, `key` the field of the account's id.

    `files` are fields that show an address: what lies there is compared instead.
    """

    users: str
    scheme: str
    key: str = "id"
    files: tuple[str, ...] = ()


STYLES: Mapping[str, Style] = {
    "awx": Style(users="/api/v2/users/?page_size=200", scheme="Bearer"),
    "authentik": Style(users="/api/v3/core/users/?page_size=10", scheme="Bearer", key="pk"),
    "django_admin": Style(users="/admin/users/?page=1", scheme="Token"),
    "staff_users": Style(users="/api/users/?page=1", scheme="Token", files=("avatar",)),
}
"""By target. The target's starting accounts and faults are in `config/demo/TARGET.json`."""
