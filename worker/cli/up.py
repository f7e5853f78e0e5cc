"""`hirewire up`: the whole stack in the foreground."""

from __future__ import annotations

import os
from pathlib import Path

import typer
from typer.core import TyperCommand

from config.settings import DEFAULT_FILE, Settings, load
from worker.cli.common import ConfigOption, single
from worker.stack.launcher import run_stack
from worker.stack.programs import hirewire_commands


def command() -> TyperCommand:
    return single(up, "up")


def up(config: ConfigOption = None) -> None:
    """Run broker, worker, beat, HTTP interface and sidecars until Ctrl-C; what dies is started again.

    The database is migrated first. One stack for each state folder. Exit code 1 where it cannot run.

    Example: hirewire up --config hirewire.toml
    """
    settings = load(config)
    file = _file(config)
    for line in _about(settings, file):
        typer.echo(line)
    code = run_stack(settings, hirewire_commands(), config_path=file, environ=os.environ, say=_say)
    raise typer.Exit(code)


def _file(config: Path | None) -> Path | None:
    """The configuration's file for programs that run in another folder."""
    named = config or Path(os.environ.get("HIREWIRE_CONFIG") or DEFAULT_FILE)
    return named.absolute() if config or named.exists() else None


def _about(settings: Settings, file: Path | None) -> list[str]:
    choice = f" --config {file}" if file else ""
    return [
        f"configuration  {file or 'defaults and environment'}",
        f"state folder   {settings.state_dir}",
        f"targets        {', '.join(sorted(settings.targets)) or 'none'}",
        f"look at it     hirewire{choice} status --watch",
    ]


def _say(line: str) -> None:
    typer.echo(line)
