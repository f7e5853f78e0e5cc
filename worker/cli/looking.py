"""What the commands share that only look at what would be done: rows, configured targets, the planning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from config.settings import Settings
from worker.bootstrap import build_planning, build_targets
from worker.cli.common import reading, settings_of
from worker.cli.known import require_registered, require_subjects, require_targets
from worker.cli.output import hint
from worker.cli.place import only
from worker.engine.planning import Planning
from worker.storage.store import SqlStore
from worker.storage.view import SqlViewer
from worker.target_rules import check_targets


@dataclass(frozen=True, slots=True)
class Look:
    """`planning` has the targets that were asked for, or all that a worker or a migration has met."""

    settings: Settings
    engine: sa.Engine
    viewer: SqlViewer
    planning: Planning


@contextmanager
def looking(config: Path | None, targets: Sequence[str], *, reads: bool = False) -> Iterator[Look]:
    """Raises UsageError for a target that is not configured, or new here."""
    settings = settings_of(config)
    require_targets(settings, targets)
    check_targets(settings)
    with reading(settings) as engine:
        store = SqlStore(engine, settings.engine.shards)  # on an engine for reading: nothing is stored
        for name in targets:
            require_registered(store, name)
        viewer = SqlViewer(engine)
        chosen = targets or _registered(viewer, settings)
        built = build_targets(only(settings, chosen), store).values()
        yield Look(settings, engine, viewer, build_planning(settings, viewer, built, reads=reads))


def _registered(viewer: SqlViewer, settings: Settings) -> list[str]:
    with viewer.begin() as view:
        known = view.targets().keys()
    new = sorted(settings.targets.keys() - known)
    if new:
        hint(f"left out, because no worker and no migration has met them yet: {', '.join(new)}")
    return sorted(settings.targets.keys() & known)


def require_known(look: Look, subject: str) -> None:
    """Raise UsageError for somebody whom no event speaks of, folded or not."""
    with look.viewer.begin() as view:
        if view.person(subject) is not None or view.waiting(subject):
            return
    with look.engine.connect() as connection:
        require_subjects(connection, [subject])
