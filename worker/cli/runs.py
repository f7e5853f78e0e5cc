"""`hirewire runs`: operations over many accounts, and the decision on those that would change too much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connectors.sdk.model import Json
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, group, reading, settings_of
from worker.cli.failures import UsageError, refusing
from worker.cli.output import NONE, Column, document, hint, line, moment, show, table
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_of, reason_given
from worker.domain.operator import Principal, Role
from worker.engine.rows import RunState
from worker.engine.run_desk import RunDesk
from worker.storage.audit import stamp
from worker.storage.run_stories import RunStory, newest, one, waiting_for

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
    return group("runs", _about, {"list": list_, "show": show_, "approve": approve, "cancel": cancel})


def _about() -> None:
    """List runs; approve or cancel one that is held."""


def list_(
    limit: Annotated[int, typer.Option(min=1, help="Runs to show at most.")] = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest runs.

    Example: hirewire runs list
    """
    with reading(settings_of(config)) as engine, engine.connect() as connection:
        found = newest(connection, limit)
    if as_json:
        document({"runs": [_as_json(item) for item in found]})
    elif found:
        show(table(_COLUMNS, [_cells(item) for item in found]))
    else:
        line("there was no run yet")


def show_(run: Annotated[int, _RUN], config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one run: what it would change, by target and field.

    Example: hirewire runs show 7
    """
    with reading(settings_of(config)) as engine, engine.connect() as connection:
        found, waiting = one(connection, run), waiting_for(connection, run)
    if found is None:
        raise UsageError(f"there is no run {run}: see `hirewire runs list`")
    if as_json:
        document({**_as_json(found), "waiting": waiting})
        return
    show(table(_COLUMNS, [_cells(found)]))
    for words in _plan(found):
        line(words)
    if waiting:
        line(f"accounts with something to send that waits for this run: {waiting}")
    if found.state == RunState.HELD:
        hint(f'`hirewire runs approve {run} --why "…"` lets it go on with this plan and no other')


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
    """End a resync. What it has made due already stays due. Needs the token of an operator.

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
        who = principal_of(store, what, at_least, token_file)
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
    parts = [value for value in item.selection.values() if isinstance(value, list)]
    return "; ".join(" ".join(map(str, part)) for part in parts) or "everything"


def _plan(item: RunStory) -> list[str]:
    """What the judging counted, one line for each target, and the fields."""
    counted: Any = item.note.get("counted") or {}
    held: Any = item.note.get("held") or {}
    lines = [f"plan: {item.plan_hash or NONE}"]
    for name, changed in counted.get("changed", {}).items():
        created = counted["created"].get(name, 0)
        share = f" of {held[name]} accounts, which is too much" if name in held else ""
        lines.append(f"{name}: {changed} would change{share}; {created} of them do not exist yet")
    if counted.get("fields"):
        lines.append("fields: " + ", ".join(f"{name} ({count})" for name, count in counted["fields"].items()))
    if item.note.get("approved_by"):
        lines.append(f"approved by {item.note['approved_by']}")
    return lines


def _as_json(item: RunStory) -> dict[str, Json]:
    return {
        "run": item.id,
        "kind": item.kind,
        "state": item.state,
        "selection": dict(item.selection),
        "judged": item.total,
        "marked": item.done,
        "requested_by": item.requested_by,
        "requested_at": stamp(item.created_at),
        "finished_at": None if item.finished_at is None else stamp(item.finished_at),
        "plan": item.plan_hash,
        "note": dict(item.note),
    }
