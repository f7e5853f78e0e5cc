"""`hirewire migrate`."""

from __future__ import annotations

import typer
from typer.core import TyperCommand

from worker.bootstrap import open_store
from worker.cli.common import ConfigOption, settings_of, single
from worker.databases import open_writer
from worker.storage.migrate import upgrade


def command() -> TyperCommand:
    return single(migrate, "migrate")


def migrate(config: ConfigOption = None) -> None:
    """Bring the database to this version's tables and register the configured targets.

    Safe to run twice and from two places at once. Nothing is deleted.

    Example: hirewire migrate
    """
    settings = settings_of(config)
    engine = open_writer(settings)
    try:
        upgrade(engine)
        open_store(settings, engine)
    finally:
        engine.dispose()
    typer.echo(f"the database is current; targets: {', '.join(sorted(settings.targets)) or 'none'}")
