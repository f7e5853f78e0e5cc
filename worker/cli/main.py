"""`hirewire`: the door for people at a terminal, and for what supervises the programs.

Starting is cheap: a command's module, with all it needs, is imported when that command is called and
not before. What an operator can get wrong ends with a sentence and an exit code, never a traceback.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "send": "Send events from NDJSON files, or from standard input.",
    "status": "Show targets, backlog, freshness and alarms.",
    "held": "List what is held, and decide on it: retry, discard, approve, reject.",
    "audit": "List, verify, export and seal the audit; tell one person's story.",
    "resync": "Read accounts again and mend what differs.",
    "runs": "List runs; approve or cancel one that is held.",
    "restore": "After a restore of the database: have every account read first.",
    "targets": "List the configured targets; pause and resume one.",
    "operator": "Add, list and revoke the people who may decide.",
    "check": "Check the configuration and every connection.",
    "up": "Run the whole stack in the foreground until Ctrl-C.",
    "migrate": "Bring the database to this version.",
    "worker": "Run a worker (the stack does this for you).",
    "beat": "Run the clock of the worker (the stack does this for you).",
}
"""Name to the line of `hirewire --help`; the module `worker.cli.NAME` has the rest."""

EPILOG = """\b
Exit codes:
  0  all is well
  1  the answer is "not well": refused events, an open alarm, a changed audit, a target that fails
  2  the command or the configuration is wrong
  3  the database or the broker cannot be reached, or the database is not migrated
  130  stopped with Ctrl-C

\b
Example:
  hirewire check && hirewire send events.ndjson && hirewire status --watch
"""
_USAGE = 2


class _CommandModule(Protocol):
    def command(self) -> TyperCommand | TyperGroup: ...


class LazyGroup(TyperGroup):
    """Knows its commands by name and one line each; imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own signature
        super().__init__(**attributes)
        for name, line in COMMANDS.items():
            self.add_command(TyperCommand(name, help=line, rich_markup_mode=None))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401 - typer's own types
        name, known, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else known, rest


def load(name: str) -> TyperCommand | TyperGroup:
    """The command with all its options; imports its module."""
    module: _CommandModule = importlib.import_module(f"worker.cli.{name}")
    return module.command()


def application() -> typer.Typer:
    app = typer.Typer(
        name="hirewire",
        cls=LazyGroup,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        epilog=EPILOG,
    )
    app.callback()(_root)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hirewire {importlib.import_module('importlib.metadata').version('hirewire')}")
        raise typer.Exit


def _root(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="As HIREWIRE_CONFIG, for every command.")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """HR events in, the right account in every system out."""
    if config is not None:
        os.environ["HIREWIRE_CONFIG"] = str(config.absolute())


def main() -> int:
    """Run the command line; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    return guarded(typer.main.get_command(application()))


def guarded(command: Callable[..., Any]) -> int:
    """Call it as a program; what is the operator's to mend becomes words on standard error."""
    try:
        command(prog_name="hirewire")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except Exception as error:
        failures = importlib.import_module("worker.cli.failures")
        failure = failures.explained(error)
        if failure is None:
            raise
        for line in failure.lines:
            sys.stderr.write(f"hirewire: {line}\n")
        return int(failure.code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
