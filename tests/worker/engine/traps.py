"""Accounts that our own code cannot bear: put between the engine and one person or one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from connectors.sdk.model import Json, Outcome
from tests.worker.engine.rig import Rig
from worker.domain.account import Person
from worker.domain.identity import Identity
from worker.domain.person import View

SECRET = "canary-value"


class Exploding(Mapping[str, Any]):
    """A mapping that nobody can read."""

    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError(SECRET)

    def __iter__(self) -> Iterator[str]:
        raise ZeroDivisionError(SECRET)

    def __len__(self) -> int:
        return 1


class TrappedView:
    """The view of a target, but for one subject."""

    def __init__(self, view: View, subject: str, spring: Callable[[Person], Person]) -> None:
        self._view = view
        self._subject = subject
        self._spring = spring

    def of(self, identity: Identity, now: float) -> Person:
        person = self._view.of(identity, now)
        return self._spring(person) if identity.subject == self._subject else person


class TrappedConnector:
    """The connector of a target, but for what it answers to one account's patch."""

    def __init__(self, connector: Any, remote_id: str) -> None:
        self._connector = connector
        self._remote_id = remote_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def patch(self, remote_id: str, changes: Mapping[str, Json], digests: Mapping[str, str]) -> Outcome:
        outcome: Outcome = self._connector.patch(remote_id, changes, digests)
        return replace(outcome, record=Exploding()) if remote_id == self._remote_id else outcome


def raise_it(_person: Person) -> Person:
    raise ZeroDivisionError(SECRET)


def unreadable(person: Person) -> Person:
    return replace(person, wanted=Exploding())


def trap(rig: Rig, **parts: Callable[[Any], Any]) -> None:
    """Replace parts of the rig's only target."""
    targets: Any = rig.runtime.targets
    ((row, target),) = targets.items()
    targets[row] = replace(target, **{name: make(getattr(target, name)) for name, make in parts.items()})


def trap_view(rig: Rig, subject: str, spring: Callable[[Person], Person]) -> None:
    trap(rig, view=lambda view: TrappedView(view, subject, spring))
