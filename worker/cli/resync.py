"""`hirewire resync`: have accounts read again and mended where they differ; a worker carries the run out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperCommand

from config.settings import Settings
from connectors.sdk.model import Json
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, single
from worker.cli.failures import Code, UsageError
from worker.cli.known import require_subjects, require_targets
from worker.cli.output import aside, document, hint, line
from worker.cli.principal import TokenFileOption, opened, principal_or_user
from worker.domain.operator import Role
from worker.engine.rows import RunState
from worker.engine.run_desk import RunDesk
from worker.storage.queries import RunLook, Selection, run_look

_LOOK_S = 0.2
_PATIENCE_S = 10.0  # after that long without a worker we say what may be missing
_DONE = RunState.DONE
_ENDED = (RunState.HELD, RunState.CANCELLED)  # nothing moves without an operator, or at all


def command() -> TyperCommand:
    return single(resync, "resync")


def resync(  # noqa: PLR0913 - one parameter for each option
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the audit.")],
    subjects: Annotated[list[str] | None, typer.Argument(metavar="[SUBJECT]...", help="HR keys.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only here; may be given again.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All accounts of all targets.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Write the run down and return.")] = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read accounts again and send what differs; waits until all of them were read.

    A run that would change too much is held until `hirewire runs approve`. Ctrl-C leaves the run going.
    Exit code 1 where it is held, or a paused target keeps it from ending.

    Example: hirewire resync E1001 --target awx_prod --why "changed by hand in AWX"
    """
    selection = _selection(subjects or [], target or [], everyone=everyone, why=why)
    settings = settings_of(config)
    require_targets(settings, target or [])
    with reading(settings) as engine:
        with engine.connect() as connection:
            require_subjects(connection, subjects or [])
        run = _request(settings, selection, why, token_file)
        if no_wait:
            _tell_started(run, as_json=as_json)
            return
        seen = _waited(engine, run, selection)
    _tell(run, seen, as_json=as_json)
    raise typer.Exit(Code.FINE if _is_over(seen) else Code.NOT_WELL)


def _selection(subjects: list[str], targets: list[str], *, everyone: bool, why: str) -> Selection:
    if not why.strip():
        raise UsageError("--why needs a reason: it is what the audit will say")
    if everyone == bool(subjects or targets):
        raise UsageError("name subjects or a --target, or say --all for every account, not both")
    return Selection(subjects or None, targets or None)


def _request(settings: Settings, selection: Selection, why: str, token_file: Path | None) -> int:
    """The run's id, once it is written down."""
    chosen: dict[str, Json] = {}
    if selection.subjects is not None:
        chosen["subjects"] = list(selection.subjects)
    if selection.targets is not None:
        chosen["targets"] = list(selection.targets)
    with opened(settings) as store:
        who = principal_or_user(store, "run:resync", Role.OPERATOR, token_file)
        return RunDesk(store, signals_of(settings)).request_resync(chosen, who.actor, why).id


def _waited(engine: sa.Engine, run: int, selection: Selection) -> RunLook:
    """The last look: all was read, or only paused targets are left. Ctrl-C exits."""
    shown = aside()
    columns = (TextColumn("run {task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=shown, disable=not shown.is_terminal, transient=True
    ) as progress:
        waiting = _Waiting(progress, run)
        try:
            while True:
                with engine.connect() as connection:
                    seen = run_look(connection, run, selection)
                waiting.show(seen)
                if _is_over(seen) or _is_stuck(seen) or seen.state in _ENDED:
                    return seen
                time.sleep(_LOOK_S)
        except KeyboardInterrupt:
            hint(f"run {run} goes on without us; `hirewire status` shows open runs")
            raise typer.Exit(Code.INTERRUPTED) from None


def _is_over(seen: RunLook) -> bool:
    return seen.state == _DONE and seen.unread == 0


def _is_stuck(seen: RunLook) -> bool:
    return seen.state == _DONE and seen.unread == seen.stuck > 0


@dataclass(slots=True)
class _Waiting:
    """Shows how far a run is, and says once that nobody seems to work on it."""

    progress: Progress
    run: int
    started: float = 0.0
    told: bool = False

    def show(self, seen: RunLook) -> None:
        if not self.progress.task_ids:
            self.started = time.monotonic()
            self.progress.add_task(str(self.run), total=None, words="waits for a worker")
        if seen.state == _DONE:
            words = f"{seen.accounts - seen.unread} of {seen.accounts} read"
            task = self.progress.task_ids[0]
            self.progress.update(
                task, total=seen.accounts, completed=seen.accounts - seen.unread, words=words
            )
        elif not self.told and time.monotonic() - self.started > _PATIENCE_S:
            self.told = True
            hint(f"run {self.run} waits for a worker: does `hirewire up` run?")


def _tell_started(run: int, *, as_json: bool) -> None:
    if as_json:
        document({"run": run, "state": "waiting"})
    else:
        line(f"run {run} is written down; a worker carries it out")


def _tell(run: int, seen: RunLook, *, as_json: bool) -> None:
    read = seen.accounts - seen.unread
    if as_json:
        document(
            {
                "run": run,
                "state": seen.state,
                "accounts": seen.accounts,
                "read": read,
                "held": seen.held,
                "later": seen.later,
            }
        )
        return
    line(
        f"run {run}: {read} of {seen.accounts} accounts read; {seen.held} with held fields, "
        f"{seen.later} to be looked at again"
    )
    if seen.state == RunState.HELD:
        hint(f"run {run} is held: it would change too much; see `hirewire runs show {run}`")
    elif _is_stuck(seen):
        hint("the others wait for paused targets (`hirewire status`); they are read once those are resumed")
