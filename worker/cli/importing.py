"""`hirewire import`: a file of HR's, staged, judged as a whole by a worker and only then accepted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from config.names import ROW_WORDS, is_attribute
from config.settings import Settings, Source
from connectors.sdk.model import Json
from connectors.sdk.text import instant
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, settings_of, single
from worker.cli.failures import Code, UsageError, refusing
from worker.cli.file_reading import How, digest_of, holds_rows
from worker.cli.following import ended
from worker.cli.import_work import Tally, Work, rehearsed, staged
from worker.cli.output import document, hint, line, nearest
from worker.cli.plan_told import counted_lines
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_or_user, reason_given
from worker.domain.file_rows import moment
from worker.domain.operator import Role
from worker.domain.strict_json import Limits
from worker.engine.rows import Run, RunState
from worker.engine.staging import File, Staging, StagingError


def command() -> TyperCommand:
    return single(import_, "import")


def import_(  # noqa: PLR0913 - one parameter for each option
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NDJSON, or CSV where its name ends so.")],
    source: Annotated[str, typer.Option(metavar="NAME", help="The configured source that the file is from.")],
    why: WhyOption,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="ATTRIBUTE=COLUMN", help="What a column holds; may be given again."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the file was true; default: when it was changed.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="It names everybody: who is absent twice has left.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also one that is much shorter than the last.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Stage it and return.")] = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a file of events or a list of people; waits until it was accepted.

    A bad row is refused with its line, and the others go on. The whole file is judged before anything of it
    counts: one that would change too much is held until `hirewire runs approve`. The same file again does
    nothing. Ctrl-C while it is read leaves nothing behind; afterwards the run goes on. Exit code 1 where
    rows were refused or the run is held.

    Example: hirewire import staff.csv --source hr --map user_name=Login --dry-run --why "the monthly list"
    """
    reason, settings = reason_given(why), settings_of(config)
    how, at = _how(settings, file, source, columns or [], as_of)
    asked = _file(how, at, complete=complete, forced=force)
    tally = Tally(as_json=as_json)
    with opened(settings) as store:
        who = principal_or_user(store, "run:import", Role.OPERATOR, token_file)
        signals = signals_of(settings)
        desk = Staging(store, signals, settings.engine.import_stale_s, how.source.rows.shrink_share)
        twin = desk.twin(asked, declared=as_of is not None)
        if twin is not None:
            _tell_twin(asked, twin.run_id, as_json=as_json)
            return
        work = Work(settings, store, signals, desk, how, asked)
        with refusing(StagingError):
            run = staged(work, who, reason, tally, rehearsal=dry_run)
        run = rehearsed(work, run.id) if dry_run else run
    if not dry_run and not no_wait:
        run = ended(settings, run)
    _tell(asked, run, tally, rehearsal=dry_run)
    held = run.state in (RunState.HELD, RunState.FAILED, RunState.CANCELLED)
    raise typer.Exit(Code.NOT_WELL if tally.refused or (held and not dry_run) else Code.FINE)


def _how(
    settings: Settings, file: Path, source: str, columns: Sequence[str], as_of: str | None
) -> tuple[How, float]:
    """How the file is read, and the moment that it speaks of."""
    if source not in settings.sources:
        raise UsageError(f"no source is called {source!r}{nearest(source, sorted(settings.sources))}")
    if not file.is_file():
        raise UsageError(f"{file}: is no file; standard input cannot be judged as a whole")
    found, limits = settings.sources[source], settings.intake
    said = {**found.rows.columns, **dict(_column(found, text) for text in columns)}
    at = _moment(file, as_of)
    sizes = Limits(limits.max_event_bytes, limits.max_depth, limits.max_keys, limits.max_string)
    return How(file, source, found, said, moment(at), sizes), at


def _column(source: Source, text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not equals or not column.strip():
        raise UsageError(f"--map {text}: say ATTRIBUTE=COLUMN, for example email=E-Mail")
    if name not in ROW_WORDS and not is_attribute(name):
        raise UsageError(f"--map {text}: {name!r} is no attribute, nor one of {', '.join(ROW_WORDS)}")
    if name not in ROW_WORDS and not source.owns(name):
        raise UsageError(f"--map {text}: this source has no authority over {name}")
    return name, column.strip()


def _moment(file: Path, as_of: str | None) -> float:
    if as_of is None:
        return file.stat().st_mtime
    named = instant(as_of)
    if named is None:
        raise UsageError(f"--as-of {as_of!r} is no time: say 2026-01-31T09:30:00Z")
    return named.timestamp()


def _file(how: How, at: float, *, complete: bool, forced: bool) -> File:
    if complete and not how.source.owns("active"):
        raise UsageError(
            f"--complete: {how.name} has no authority over active, so it cannot say who has left"
        )
    rows = holds_rows(how)
    reading: dict[str, Json] = {**how.source.rows.model_dump(mode="json"), "columns": dict(how.columns)}
    digest = digest_of(how.path, {"complete": complete, "rows": rows, "reading": reading})
    return File(how.name, how.path.name, digest, at, rows, complete, forced)


def _tell_twin(asked: File, run: int, *, as_json: bool) -> None:
    if as_json:
        document({"run": run, "state": RunState.DONE, "file": asked.name, "again": True})
    else:
        line(f"{asked.name} was imported by run {run} already: there is nothing to do")
        hint("a new list that happens to be the same is another one with its own --as-of")


def _tell(asked: File, run: Run, tally: Tally, *, rehearsal: bool) -> None:
    if tally.as_json:
        document(_as_json(asked, run, tally, rehearsal=rehearsal))
        return
    said = run.position
    line(f"{tally.lines} lines: {said.get('rows', 0)} to accept, {tally.refused} refused")
    if asked.complete:
        _tell_absences(run)
    for words in counted_lines(run.note):
        line(words)
    if rehearsal:
        line(
            "nothing was imported (--dry-run)" + (": it would be held" if run.state == RunState.HELD else "")
        )
        return
    line(f"run {run.id} is {run.state}")
    if run.state == RunState.HELD:
        hint(f"it would change too much: see `hirewire runs show {run.id}`")


def _tell_absences(run: Run) -> None:
    said = run.position
    if not said.get("complete"):
        hint("rows that name nobody were refused: the file does not count as complete")
    else:
        line(f"absent for the first time: {said.get('absent', 0)}; have left: {said.get('left', 0)}")


def _as_json(asked: File, run: Run, tally: Tally, *, rehearsal: bool) -> dict[str, Json]:
    said = run.position
    return {
        "run": run.id,
        "state": run.state,
        "dry_run": rehearsal,
        "file": asked.name,
        "source": asked.source,
        "as_of": moment(asked.as_of),
        "complete": said.get("complete", False),
        "lines": tally.lines,
        "rows": said.get("rows", 0),
        "people": said.get("people", 0),
        "absent": said.get("absent", 0),
        "left": said.get("left", 0),
        "refused": tally.refused,
        "refusals": tally.told,
        "refusals_left_out": tally.refused - len(tally.told),
        "plan": run.note.get("counted"),
    }
