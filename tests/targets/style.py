"""What a style brings to the shared server: a Django project and a world of accounts.

A style is a package `tests.targets.<name>` with a `STYLE`, and beside it a module `world` that is
imported once Django is set up. Adding a style adds a package; nothing here changes but `NAMES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

NAMES = ("authentik", "awx", "django_admin", "staff_users")


@dataclass(frozen=True, slots=True)
class Style:
    """The Django settings in which one style differs from the others."""

    name: str
    urlconf: str
    apps: tuple[str, ...] = ()
    middleware: tuple[str, ...] = ()


class World(Protocol):
    """The state of one target. Each function runs in the thread of a request."""

    def seed(self, payload: Mapping[str, Any]) -> None:
        """Replace everything by what the payload describes; raises ValueError on what it cannot."""

    def rows(self) -> list[dict[str, Any]]:
        """Every account as the database holds it, ordered by id."""

    def owner_of(self, authorization: str) -> str | None:
        """The username behind a credential, None where there is none."""

    def account_of(self, path: str, body: bytes) -> str | None:
        """The username of the account that a request addresses, None where it addresses none."""


def load(name: str) -> Style:
    return cast("Style", import_module(f"tests.targets.{name}").STYLE)


def world_of(style: Style) -> World:
    """Only after Django is set up: the module imports models."""
    return cast("World", import_module(f"tests.targets.{style.name}.world"))
