"""`hirewire`: the door for people at a terminal, and for what supervises the programs.

Starting is cheap: a command's module, with all it needs, is imported when that command is called and
not before. What an operator can get wrong ends with a sentence and an exit code, never a traceback.
"""

from __future__ import annotations

import gc
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
    "plan": "Show what would be sent where, and why nothing is.",
    "explain": "Tell why a person's fields are as they are at a target.",
    "account": "Link a person to an account by hand, or take a link away.",
    "identity": "Show what HR said about a person, and the accounts; rekey, merge.",
    "audit": "List, verify, export, archive and seal the audit; tell one person's story.",
    "resync": "Read accounts again and mend what differs.",
    "import": "Import a file of HR's: events, or a list of people.",
    "replay": "Have past events count again at one target.",
    "reconcile": "Compare all accounts of a target with HR; show or repair what differs.",
    "runs": "List runs; approve or cancel one that is held.",
    "prune": "Delete what nothing needs any more; --dry-run counts it.",
    "restore": "After a restore of the database: have every account read first.",
    "targets": "List the configured targets; pause and resume one.",
    "operator": "Add, list and revoke the people who may decide.",
    "source": "Make a key or a secret that a source proves with who it is.",
    "schema": "Print the JSON Schema of an event, for those who send them.",
    "check": "Check the configuration and every connection.",
    "connector": "Write the scaffold of a connector for one more API.",
    "up": "Run the whole stack in the foreground until Ctrl-C.",
    "completion": "Print the completion of commands, options and names for a shell.",
    "migrate": "Bring the database to this version.",
    "worker": "Run a worker (the stack does this for you).",
    "beat": "Run the clock of the worker (the stack does this for you).",
    "api": "Serve the HTTP interface (the stack does this for you).",
}
"""Name to the line of `hirewire --help`; the module `worker.cli.NAME` has the rest, or the one in MODULES."""

MODULES = {"import": "importing"}
"""A module cannot be called by a word of the language."""

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
COMPLETING = "_HIREWIRE_COMPLETE"


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
    """The command with all its options; imports its module.

    What is imported stays: looking for garbage in it takes a fifth of the start, so nothing looks.
    """
    gc.disable()
    try:
        module: _CommandModule = importlib.import_module(f"worker.cli.{MODULES.get(name, name)}")
        return module.command()
    finally:
        gc.freeze()
        gc.enable()


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
    """Run the command line; the exit code. A shell that completes it sets COMPLETING."""
    if COMPLETING in os.environ:
        return int(importlib.import_module("worker.cli.completion").answer())
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
