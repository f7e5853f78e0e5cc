"""What every command shares: its options, the settings that reach a running stack, the database.

Commands open what they need and close it before they end; nothing is kept between calls.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from typer.core import TyperCommand, TyperGroup

from config.logs import configure
from config.settings import Logs, Settings, load
from worker.cli.failures import NotReadyError
from worker.databases import DATABASE_FILE, open_reader, open_writer
from worker.stack.runtime import overlay
from worker.storage.head import is_current

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration; default HIREWIRE_CONFIG or hirewire.toml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def single(function: Callable[..., Any], name: str) -> TyperCommand:
    """The command of one function: its parameters are the options, its docstring the help."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    built = typer.main.get_command(app)
    if not isinstance(built, TyperCommand):
        raise TypeError("one function without a callback is one command")
    return built


def group(name: str, about: Callable[..., Any], commands: Mapping[str, Callable[..., Any]]) -> TyperGroup:
    """The command of several functions; without a word for one of them it shows its help."""
    app = typer.Typer(name=name, add_completion=False, no_args_is_help=True, rich_markup_mode=None)
    return _grouped(app, about, commands)


def listing_group(
    name: str, listing: Callable[..., Any], commands: Mapping[str, Callable[..., Any]]
) -> TyperGroup:
    """As `group`; without a word for one of them it is the listing itself."""
    app = typer.Typer(name=name, add_completion=False, invoke_without_command=True, rich_markup_mode=None)
    return _grouped(app, listing, commands)


def _grouped(
    app: typer.Typer, itself: Callable[..., Any], commands: Mapping[str, Callable[..., Any]]
) -> TyperGroup:
    app.callback()(itself)
    for name, function in commands.items():
        app.command(name)(function)
    built = typer.main.get_command(app)
    if not isinstance(built, TyperGroup):
        raise TypeError("several functions are a group")
    return built


def settings_of(config: Path | None) -> Settings:
    """For a command at a terminal: quiet logs, and the addresses of a stack on the state folder."""
    configure(Logs(level="warning", format="console"))
    return reaching(config)


def reaching(config: Path | None) -> Settings:
    """The configuration; where a stack runs on its state folder, with that stack's addresses."""
    settings = load(config)
    found = overlay(os.environ, settings.state_dir)
    return load(config, {**os.environ, **found}) if found else settings


@contextmanager
def reading(settings: Settings) -> Iterator[sa.Engine]:
    """The reading engine of a migrated database. Raises NotReadyError, or SQLAlchemy's OperationalError."""
    require_database(settings)
    engine = open_reader(settings)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writing(settings: Settings) -> Iterator[sa.Engine]:
    """The writing engine of a migrated database."""
    require_database(settings)
    engine = open_writer(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def require_database(settings: Settings) -> None:
    """Look without making anything; raise NotReadyError where there is no migrated database."""
    if settings.database.url is None and not (settings.state_dir / DATABASE_FILE).exists():
        raise NotReadyError(f"there is no database in {settings.state_dir} yet: run `hirewire migrate`")
    engine = open_reader(settings)
    try:
        if not is_current(engine):
            raise NotReadyError("the database is not at this version's tables: run `hirewire migrate`")
    finally:
        engine.dispose()
