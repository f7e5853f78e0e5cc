"""Following runs until nobody needs to wait any longer: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from config.settings import Settings
from worker.cli.common import reading
from worker.cli.failures import Code, UsageError
from worker.cli.output import aside, hint
from worker.cli.pace import Pace, pace_words
from worker.engine.rows import Run, RunState
from worker.storage.run_looks import RunLook, run_look
from worker.storage.runs import look_at

_LOOK_S = 0.2
_SAY_EVERY_S = 5.0
_PATIENCE_S = 10.0  # after that long without a worker we say what may be missing


def ended(settings: Settings, run: Run) -> Run:
    """The run when it is over, held or failed. Ctrl-C exits, and leaves it going."""
    with reading(settings) as engine:
        follow(engine, run.id)
        with engine.connect() as connection:
            return look_at(connection, run.id) or run


def follow(engine: sa.Engine, *runs: int) -> list[RunLook]:
    """The last look at each. Ctrl-C exits, and leaves them going."""
    shown = aside()
    columns = (TextColumn("run {task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=shown, disable=not shown.is_terminal, transient=True
    ) as progress:
        following = [_Following(progress, run, plain=not shown.is_terminal) for run in runs]
        try:
            while True:
                looks = _looks(engine, following)
                if all(seen.ends for seen in looks):
                    return looks
                time.sleep(_LOOK_S)
        except KeyboardInterrupt:
            going = ", ".join(map(str, runs))
            hint(f"run {going} goes on without us; `hirewire runs show {runs[0]} --follow` looks on")
            raise typer.Exit(Code.INTERRUPTED) from None


def _looks(engine: sa.Engine, following: Sequence[_Following]) -> list[RunLook]:
    found = []
    for each in following:
        with engine.connect() as connection:
            seen = run_look(connection, each.run)
        if seen is None:
            raise UsageError(f"there is no run {each.run}: see `hirewire runs list`")
        each.show(seen)
        found.append(seen)
    return found


class _Following:
    """Shows how far a run is, and says once that nobody seems to work on it."""

    def __init__(self, progress: Progress, run: int, *, plain: bool) -> None:
        self.run = run
        self._progress = progress
        self._task = progress.add_task(str(run), total=None, words="")
        self._plain = plain
        self._pace = Pace()
        self._began = self._said = time.monotonic()
        self._told = False

    def show(self, seen: RunLook) -> None:
        now = time.monotonic()
        self._pace.add(now, seen.done)
        words = self._words(seen)
        name = f"{self.run} {seen.target}" if seen.target else str(self.run)
        self._progress.update(
            self._task, description=name, total=seen.total, completed=seen.done, words=words
        )
        if self._plain and not seen.ends and now - self._said >= _SAY_EVERY_S:
            self._said = now
            hint(f"run {name}: {words}")
        if seen.state == RunState.WAITING and not self._told and now - self._began > _PATIENCE_S:
            self._told = True
            hint(f"run {name} waits for a worker: does `hirewire up` run?")

    def _words(self, seen: RunLook) -> str:
        if seen.state == RunState.WAITING:
            return "waits for a worker"
        if seen.state == RunState.JUDGING:
            return f"is judged first, {seen.judged} accounts so far"
        verb = "read" if seen.reads else "done"
        differ = "" if seen.differing is None else f", {seen.differing} differ"
        if seen.total is None:
            return f"{seen.done} {verb}{differ}"
        return f"{seen.done} of {seen.total} {verb}{differ}{self._speed(seen.total - seen.done)}"

    def _speed(self, remaining: int) -> str:
        rate, left_s = self._pace.rate(), self._pace.left_s(remaining)
        return "" if rate is None or left_s is None else pace_words(rate, left_s)
