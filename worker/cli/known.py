"""Names that an operator types, compared with those that exist."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from config.settings import Settings
from worker.cli.failures import UsageError
from worker.cli.output import nearest
from worker.storage.queries import like_subject, unknown_subjects


def require_targets(settings: Settings, names: Sequence[str]) -> None:
    """Raise UsageError with every name that is no configured target."""
    known = sorted(settings.targets)
    wrong = [name for name in names if name not in known]
    if wrong:
        raise UsageError("\n".join(f"no target is called {name!r}{nearest(name, known)}" for name in wrong))


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
