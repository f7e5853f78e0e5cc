"""Names that an operator types, compared with those that exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from config.settings import Settings
from worker.cli.failures import UsageError
from worker.cli.output import nearest
from worker.storage.queries import like_subject, unknown_subjects

if TYPE_CHECKING:  # a command that only reads needs none of the engine
    from worker.engine.ports import Store


def require_targets(settings: Settings, names: Sequence[str]) -> None:
    """Raise UsageError with every name that is no configured target."""
    known = sorted(settings.targets)
    wrong = [name for name in names if name not in known]
    if wrong:
        raise UsageError("\n".join(f"no target is called {name!r}{nearest(name, known)}" for name in wrong))


def require_registered(store: Store, name: str) -> None:
    """Raise UsageError for a configured target that no worker and no migration has met yet."""
    with store.begin() as tx:
        known = {state.name for state in tx.targets.all()}
    if name not in known:
        raise UsageError(f"{name} is new: run `hirewire migrate`, or start a worker, first")


def require_subjects(connection: sa.Connection, subjects: Sequence[str]) -> None:
    """Raise UsageError with every subject that no event was folded for."""
    wrong = unknown_subjects(connection, subjects)
    if wrong:
        raise UsageError(
            "\n".join(
                f"no event ever spoke of {subject!r}{nearest(subject, like_subject(connection, subject))}"
                for subject in wrong
            )
        )
