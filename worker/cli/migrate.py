"""`hirewire migrate`."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperCommand

from worker.bootstrap import open_store
from worker.cli.common import ConfigOption, settings_of, single
from worker.cli.failures import UsageError
from worker.databases import open_writer
from worker.storage.migrate import upgrade
from worker.storage.roles import RoleError, grant


def command() -> TyperCommand:
    return single(migrate, "migrate")


def migrate(
    role: Annotated[
        str | None,
        typer.Option("--grant", metavar="ROLE", help="PostgreSQL: the role that the workers connect as."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Bring the database to this version's tables and register the configured targets.

    Safe to run twice and from two places at once. Nothing is deleted.

    --grant lets another role work with the tables, and only read and append to the audit. It is refused for a
    role that could change the audit all the same.

    Example: hirewire migrate --grant hirewire_app
    """
    settings = settings_of(config)
    engine = open_writer(settings)
    try:
        upgrade(engine)
        open_store(settings, engine)
        if role is not None:
            grant(engine, role)
    except RoleError as error:
        raise UsageError(str(error)) from None
    finally:
        engine.dispose()
    typer.echo(f"the database is current; targets: {', '.join(sorted(settings.targets)) or 'none'}")
