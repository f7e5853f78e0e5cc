"""`hirewire replay`: people of whom events spoke, to a target that should have heard of them; a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa
import typer
from typer.core import TyperCommand

from config.settings import Settings
from connectors.sdk.model import Json
from worker.bootstrap import build_targets
from worker.cli.broker import NoSignals, signals_of
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, single
from worker.cli.failures import Code, UsageError
from worker.cli.following import ended
from worker.cli.known import require_registered, require_subjects, require_targets
from worker.cli.moments import since as moment_since
from worker.cli.output import document, hint, line, nearest
from worker.cli.place import only
from worker.cli.plan_told import counted_lines
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_or_user, reason_given
from worker.domain.operator import Role
from worker.engine.replaying import Chosen, Replaying
from worker.engine.rows import Run, RunState
from worker.engine.run_desk import RunDesk
from worker.run_kinds import build_target_runs
from worker.storage.clock import clock
from worker.storage.store import SqlStore
from worker.storage.view import SqlViewer
from worker.target_rules import check_targets


def command() -> TyperCommand:
    return single(replay, "replay")


def replay(  # noqa: PLR0913 - one parameter for each option
    target: Annotated[str, typer.Option(metavar="NAME", help="Where the people should be.")],
    why: WhyOption,
    subjects: Annotated[list[str] | None, typer.Argument(metavar="[SUBJECT]...", help="HR keys.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Whom events spoke of that arrived since then.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="EVENT", help="Since this event arrived, itself included.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only events of it; may be given again.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Write the run down and return.")] = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have events count again at one target: everybody whom they spoke of is looked at there.

    What is sent is what HR says of a person now, not each old event: one that a newer event has overtaken is
    never sent again, and one PATCH brings all. Without options it is about everybody. A run that would change
    too much is held until `hirewire runs approve`. Ctrl-C leaves it going, `hirewire runs cancel` ends it.
    Exit code 1 where it is held.

    Example: hirewire replay --target awx_prod --since 2026-01-31T00:00:00Z --why "awx_prod is new"
    """
    reason, settings = reason_given(why), settings_of(config)
    require_targets(settings, [target])
    chosen = _chosen(settings, target, subjects or [], source or [], since, first)
    if dry_run:
        _tell_rehearsal(_rehearsed(settings, chosen), as_json=as_json)
        return
    with opened(settings) as store:
        require_registered(store, target)
        who = principal_or_user(store, "run:replay", Role.OPERATOR, token_file, [target])
        run = RunDesk(store, signals_of(settings)).request_replay(chosen, who.actor, reason)
    seen = run if no_wait else ended(settings, run)
    _tell(seen, as_json=as_json)
    raise typer.Exit(Code.FINE if seen.state in (RunState.WAITING, RunState.DONE) else Code.NOT_WELL)


def _chosen(  # noqa: PLR0913 - what the options say
    settings: Settings,
    target: str,
    subjects: Sequence[str],
    sources: Sequence[str],
    since: str | None,
    first: str | None,
) -> Chosen:
    if since is not None and first is not None:
        raise UsageError("--since and --from both say where to begin: give one of them")
    for name in sources:
        if name not in settings.sources:
            raise UsageError(f"no source is called {name!r}{nearest(name, sorted(settings.sources))}")
    with reading(settings) as engine:
        with engine.connect() as connection:
            require_subjects(connection, subjects)
            at = None if since is None else moment_since(since, clock(connection))
        row = None if first is None else _row_of(engine, first, sources)
    return Chosen(target, tuple(subjects), tuple(sources), at, row)


def _row_of(engine: sa.Engine, event: str, sources: Sequence[str]) -> int:
    """The row of the event with this id. Raises UsageError where it is not one."""
    with SqlViewer(engine).begin() as view:
        found = [kept.stored for kept in view.events_called(event)]
    found = [stored for stored in found if not sources or stored.event.source in sources]
    if not found:
        raise UsageError(f"no event is stored under the id {event!r}; old ones are pruned (see --since)")
    if len(found) > 1:
        named = ", ".join(sorted(stored.event.source for stored in found))
        raise UsageError(f"several sources have an event {event!r} ({named}): name one with --source")
    return found[0].row


def _rehearsed(settings: Settings, chosen: Chosen) -> Run:
    """What the run would be judged as, from an engine for reading: nothing is stored."""
    check_targets(settings)
    with reading(settings) as engine:
        store = SqlStore(engine, settings.engine.shards)
        require_registered(store, chosen.target)
        alone = only(settings, [chosen.target])
        targets = build_targets(alone, store)
        runs = build_target_runs(alone, store, NoSignals(), targets)
        return Replaying(runs).rehearse(chosen)


def _tell_rehearsal(run: Run, *, as_json: bool) -> None:
    if as_json:
        document({"dry_run": True, "state": run.state, "people": run.total, "plan": run.note.get("counted")})
        return
    line(f"about {run.total} people")
    for words in counted_lines(run.note):
        line(words)
    line("nothing was made due (--dry-run)" + (": it would be held" if run.state == RunState.HELD else ""))


def _tell(run: Run, *, as_json: bool) -> None:
    if as_json:
        counted: dict[str, Json] = {
            "people": run.total,
            "made_due": run.done,
            "plan": run.note.get("counted"),
        }
        document({"run": run.id, "state": run.state, **counted})
        return
    for words in counted_lines(run.note):
        line(words)
    line(f"run {run.id} is {run.state}: {run.done} accounts made due")
    if run.state == RunState.HELD:
        hint(f"it would change too much: see `hirewire runs show {run.id}`")
