"""`hirewire runs`: operations over many accounts, and the decision on those that would change too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, group, reading, settings_of
from worker.cli.drift import drift, found_lines
from worker.cli.failures import Code, UsageError, refusing
from worker.cli.following import follow as followed
from worker.cli.output import NONE, Column, document, hint, line, moment, show, table
from worker.cli.plan_told import counted_lines
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_of, reason_given
from worker.cli.proposals import enrol_lines, proposals
from worker.cli.run_words import progress_words, tale_line
from worker.domain.operator import Principal, Role
from worker.engine.rows import RunState
from worker.engine.run_desk import RunDesk
from worker.storage.clock import clock
from worker.storage.run_looks import RunLook, run_look
from worker.storage.run_stories import RunFilter, RunStory, newest, one, waiting_for
from worker.storage.run_tales import Tale, tales
from worker.views.runs import progress_json, run_json, told_json

_COLUMNS = (
    Column("run", right=True),
    Column("kind"),
    Column("state"),
    Column("selection"),
    Column("judged", right=True),
    Column("marked", right=True),
    Column("requested by"),
    Column("requested", whole=True),
)
_RUN = typer.Argument(metavar="ID", help="The run's number.")


def command() -> TyperGroup:
    commands: dict[str, Callable[..., Any]] = {
        "list": list_,
        "show": show_,
        "drift": drift,
        "proposals": proposals,
        "approve": approve,
        "cancel": cancel,
    }
    return group("runs", _about, commands)


def _about() -> None:
    """List runs; approve or cancel one that is held."""


def list_(  # noqa: PLR0913 - one parameter for each option
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Only this kind, resync for example.")
    ] = None,
    state: Annotated[RunState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Runs to show at most.")] = 20,
    before: Annotated[int | None, typer.Option(metavar="ID", help="Only older ones than this one.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest runs. The next page begins before the last one that is shown.

    Example: hirewire runs list --state held
    """
    wanted = RunFilter(kind, None if state is None else state.value, before)
    with reading(settings_of(config)) as engine, engine.connect() as connection:
        found = newest(connection, limit + 1, wanted)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        document({"runs": [run_json(item) for item in shown], "more": more})
        return
    if not shown:
        line("there was no such run" if wanted != RunFilter() else "there was no run yet")
        return
    show(table(_COLUMNS, [_cells(item) for item in shown]))
    if more:
        hint(f"there are more: --before {shown[-1].id}")


def show_(
    run: Annotated[int, _RUN],
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait until it is over, and show it then.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: how far it is, what it would change, who asked for it and why, and who decided.

    Exit code 1 with --follow where the run is held or cancelled, or paused targets keep it from ending.

    Example: hirewire runs show 7 --follow
    """
    with reading(settings_of(config)) as engine:
        if follow:
            followed(engine, run)
        with engine.connect() as connection:
            found, seen = one(connection, run), run_look(connection, run)
            waiting, now = waiting_for(connection, run), clock(connection)
            told = [] if found is None else tales(connection, found)
    if found is None or seen is None:
        raise UsageError(f"there is no run {run}: see `hirewire runs list`")
    if as_json:
        document(
            {
                **run_json(found),
                **progress_json(found, seen, now),
                "told": told_json(told),
                "waiting": waiting,
            }
        )
    else:
        _tell(found, seen, told, now, waiting)
    raise typer.Exit(Code.NOT_WELL if follow and not seen.is_over else Code.FINE)


def _tell(found: RunStory, seen: RunLook, told: Sequence[Tale], now: float, waiting: int) -> None:
    show(table(_COLUMNS, [_cells(found)]))
    line(progress_words(found, seen, now))
    for words in (*found_lines(found.note), *enrol_lines(found.note), *_plan(found), *map(tale_line, told)):
        line(words)
    if waiting:
        line(f"accounts with something to send that waits for this run: {waiting}")
    if found.state == RunState.HELD:
        hint(f'`hirewire runs approve {found.id} --why "…"` lets it go on with this plan and no other')


def approve(
    run: Annotated[int, _RUN], why: WhyOption, token_file: TokenFileOption = None, config: ConfigOption = None
) -> None:
    """Let a held run go on with the plan that it is held for. Needs the token of an approver.

    A worker makes the plan anew first; if it is another one by then, the run is held again.

    Example: hirewire runs approve 7 --why "the new mapping was reviewed"
    """
    reason = reason_given(why)
    with _at_desk(config, "run:approve", Role.APPROVER, token_file) as (desk, who):
        desk.approve(run, who, reason)
    line(f"run {run} is approved; a worker makes its plan anew and goes on if it is the same")


def cancel(
    run: Annotated[int, _RUN], why: WhyOption, token_file: TokenFileOption = None, config: ConfigOption = None
) -> None:
    """End a run, also while it goes on. What it has made due already stays due. Needs an operator's token.

    Example: hirewire runs cancel 7 --why "asked for by mistake"
    """
    reason = reason_given(why)
    with _at_desk(config, "run:cancel", Role.OPERATOR, token_file) as (desk, who):
        desk.cancel(run, who, reason)
    line(f"run {run} is cancelled")


@contextmanager
def _at_desk(
    config: Path | None, what: str, at_least: Role, token_file: Path | None
) -> Iterator[tuple[RunDesk, Principal]]:
    """The use cases, and who asks. What they refuse is the command's mistake."""
    settings = settings_of(config)
    with opened(settings) as store:
        who = principal_of(store, what, at_least, token_file, ())  # the desk knows the run's targets
        with refusing(ValueError):
            yield RunDesk(store, signals_of(settings)), who


def _cells(item: RunStory) -> tuple[object, ...]:
    return (
        item.id,
        item.kind,
        item.state,
        _selected(item),
        item.total,
        item.done,
        item.requested_by,
        moment(item.created_at),
    )


def _selected(item: RunStory) -> str:
    if "file" in item.selection:
        return f"{item.selection['file']} of {item.selection['source']}"
    parts = [" ".join(map(str, value)) for value in item.selection.values() if isinstance(value, list)]
    parts += ["held"] if item.selection.get("held") is True else []
    parts += [f"where {item.selection['where']}"] if "where" in item.selection else []
    return "; ".join(parts) or "everything"


def _plan(item: RunStory) -> list[str]:
    """What the judging counted, one line for each target, and the fields."""
    return [f"plan: {item.plan_hash or NONE}", *counted_lines(item.note)]
