"""Where a command acts: a person's account at a target. What those share that decide about one.

Light on purpose: what builds connectors is imported by the command that needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from config.settings import Settings
from worker.cli.common import reading, settings_of
from worker.cli.known import require_registered, require_subjects, require_targets
from worker.cli.principal import opened
from worker.storage.store import SqlStore

TargetOption = Annotated[str, typer.Option("--target", metavar="NAME", help="The account's target.")]


@contextmanager
def account_at(config: Path | None, subject: str, target: str) -> Iterator[tuple[Settings, SqlStore]]:
    """The configuration, and the database to write to. Raises UsageError for a person or target unknown."""
    settings = settings_of(config)
    require_targets(settings, [target])
    with reading(settings) as engine, engine.connect() as connection:
        require_subjects(connection, [subject])
    with opened(settings) as store:
        require_registered(store, target)
        yield settings, store


def only(settings: Settings, targets: Iterable[str]) -> Settings:
    """The configuration with these of its targets: nobody connects to the others."""
    return settings.model_copy(update={"targets": {name: settings.targets[name] for name in targets}})
