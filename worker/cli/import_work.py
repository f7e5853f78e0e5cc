"""What `hirewire import` does with a file: stages it page by page; has it judged in a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from config.settings import Settings
from connectors.sdk.model import Json
from worker.bootstrap import build_targets
from worker.cli.failures import Code
from worker.cli.file_reading import How, Read, read_file
from worker.cli.output import aside, hint, line
from worker.cli.place import only
from worker.cli.stopping import SharedFlag, stopped_by_ctrl_c
from worker.domain.operator import Principal
from worker.engine.import_ports import Staged
from worker.engine.ports import Signals, Store
from worker.engine.rows import Run
from worker.engine.staging import Bad, File, Staging
from worker.intake import build_doors
from worker.run_kinds import build_importing, build_judge
from worker.target_rules import check_targets

_PAGE = 500
_LISTED = 1_000  # refused lines that are told one by one; all are counted and in the audit


@dataclass(frozen=True, slots=True)
class Work:
    """What a staging needs."""

    settings: Settings
    store: Store
    signals: Signals
    desk: Staging
    how: How
    file: File


@dataclass(slots=True)
class Tally:
    """Lines of the file; `told` are the refused ones as far as they are listed."""

    as_json: bool
    lines: int = 0
    refused: int = 0
    told: list[Json] = field(default_factory=list)

    def refuse(self, file: str, bad: Sequence[Bad]) -> None:
        for one in bad:
            self.refused += 1
            if self.refused <= _LISTED:
                self._tell(file, one)

    def _tell(self, file: str, bad: Bad) -> None:
        pointer, reason = bad.refusal.pointer, bad.refusal.reason
        self.told.append({"line": bad.line, "subject": bad.subject, "pointer": pointer, "reason": reason})
        if not self.as_json:
            who = f" ({bad.subject})" if bad.subject else ""
            line(f"refused  {file}:{bad.line}{who}  {pointer or 'the whole row'}: {reason}")


def staged(work: Work, who: Principal, why: str, tally: Tally, *, rehearsal: bool) -> Run:
    """The run, once the whole file is put aside. Whatever stops that leaves nothing that acts."""
    run = work.desk.begin(work.file, who, why)
    try:
        with stopped_by_ctrl_c() as stopping:
            _stage(work, run.id, tally, stopping)
        return work.desk.finish(run.id, rehearsal=rehearsal)
    except KeyboardInterrupt:
        work.desk.abandon(run.id, "interrupted")
        hint(f"stopped: nothing of {work.file.name} was imported")
        raise typer.Exit(Code.INTERRUPTED) from None
    except BaseException:
        work.desk.abandon(run.id, "the reading failed")
        raise


def _stage(work: Work, run_id: int, tally: Tally, stopping: SharedFlag) -> None:
    """Page by page. Raises KeyboardInterrupt between two of them, when it is to stop."""
    doors = build_doors(work.settings, work.store, work.signals)
    door = doors.rows if work.file.rows else doors.events
    found = read_file(work.how, door, rows=work.file.rows)
    with _progress(work.how) as show:
        while page := list(islice(found, _PAGE)):
            rows = [one.what for one in page if isinstance(one.what, Staged)]
            bad = [one.what for one in page if isinstance(one.what, Bad)]
            tally.lines += len(page)
            tally.refuse(work.file.name, work.desk.add(run_id, rows, bad))
            show(page, tally)
            if stopping.is_set():
                raise KeyboardInterrupt


@contextmanager
def _progress(how: How) -> Iterator[_Show]:
    """On standard error, and only if that is a terminal."""
    shown = aside()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=shown, disable=not shown.is_terminal, transient=True) as progress:
        yield _Show(progress, how)


class _Show:
    def __init__(self, progress: Progress, how: How) -> None:
        self._progress = progress
        self._task = progress.add_task(how.path.name, total=how.path.stat().st_size, counts="")

    def __call__(self, page: Sequence[Read], tally: Tally) -> None:
        counts = f"{tally.lines} lines, {tally.refused} refused"
        self._progress.update(self._task, completed=page[-1].read, counts=counts)


def rehearsed(work: Work, run_id: int) -> Run:
    """What the run would do. Ctrl-C leaves nothing behind."""
    check_targets(work.settings)
    with work.store.begin() as tx:
        met = {state.name for state in tx.targets.all()}
    there = only(work.settings, sorted(work.settings.targets.keys() & met))
    targets = build_targets(there, work.store)
    doors, judge = build_doors(work.settings, work.store, work.signals), build_judge(work.settings, targets)
    try:
        return build_importing(work.settings, work.store, doors, judge, targets).rehearse(run_id)
    except KeyboardInterrupt:
        work.desk.abandon(run_id, "interrupted")
        raise typer.Exit(Code.INTERRUPTED) from None
