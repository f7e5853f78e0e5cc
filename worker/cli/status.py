"""`hirewire status`: is everything well, and how far behind are we."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text
from typer.core import TyperCommand

from connectors.sdk.model import Json
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, single
from worker.cli.failures import Code, UsageError
from worker.cli.output import Column, age, cell, console, document, moment, show, table
from worker.storage.freshness import revisions
from worker.views.status import Look, Row, look, row_json, since, status_json

_REFRESH_S = 1.0
_COLUMNS = (
    Column("target", whole=True),
    Column("mode"),
    Column("state"),
    Column("accounts", right=True),
    Column("due", right=True),
    Column("oldest due", right=True),
    Column("in flight", right=True),
    Column("later", right=True),
    Column("in doubt", right=True),
    Column("oldest", right=True),
    Column("held", right=True),
    Column("p50", right=True),
    Column("p95", right=True),
    Column("p99", right=True),
)


def command() -> TyperCommand:
    return single(status, "status")


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every second until Ctrl-C.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show for each target its state, backlog and freshness, and what is open in all.

    p50, p95 and p99 are the seconds from accepting an event to its acknowledgement by the target, over the
    last hour. A gated target asked us to wait. Exit code 1 while an alarm is open.

    Example: hirewire status --watch
    """
    if watch and as_json:
        raise UsageError("--watch refreshes a picture, --json writes one document: choose one")
    settings = settings_of(config)
    with reading(settings) as engine:
        if watch:
            _watch(lambda: look(engine, settings))
        seen = look(engine, settings)
        if as_json:
            with engine.connect() as connection:
                document(_with_revisions(seen, revisions(connection)))
    if not watch and not as_json:
        show(_picture(seen))
    raise typer.Exit(Code.NOT_WELL if seen.totals.alarms else Code.FINE)


def _watch(ask: Callable[[], Look]) -> None:
    """Ends with Ctrl-C."""
    shown = console()
    try:
        if not shown.is_terminal:
            _repeat(ask)
        with Live(_picture(ask()), console=shown, auto_refresh=False) as live:
            while True:
                time.sleep(_REFRESH_S)
                live.update(_picture(ask()), refresh=True)
    except KeyboardInterrupt:
        return


def _repeat(ask: Callable[[], Look]) -> None:
    """In a pipe: one picture after the other."""
    while True:
        show(_picture(ask()))
        sys.stdout.flush()
        time.sleep(_REFRESH_S)


def _picture(seen: Look) -> RenderableType:
    whole = seen.totals
    parts: list[RenderableType] = [
        table(_COLUMNS, [_cells(row, seen.at) for row in seen.rows]),
        Text(""),
        Text(
            f"events to fold {whole.waiting}, for later {whole.scheduled}; dates ahead {whole.wakes}; "
            f"open runs {whole.open_runs}; "
            f"open alarms {len(whole.alarms)}"
        ),
    ]
    parts += [cell(f"paused: {row.name}: {row.look.reason}") for row in seen.rows if row.look.reason]
    parts += [
        cell(f"gated: {row.name} asked us to wait until {moment(row.look.gate_until)}")
        for row in seen.rows
        if row.look.gate_until is not None
    ]
    parts += [
        cell(f"alarm {alarm.kind} since {moment(alarm.raised_at)}: {alarm.message}") for alarm in whole.alarms
    ]
    return Group(*parts)


def _cells(row: Row, now: float) -> tuple[object, ...]:
    seen, fresh = row.look, row.fresh
    speeds = (fresh.p50_s, fresh.p95_s, fresh.p99_s) if fresh else (None, None, None)
    return (
        row.name,
        row.mode or "not configured",
        seen.state,
        seen.accounts,
        seen.due,
        age(since(seen.oldest_due_at, now)),
        seen.in_flight,
        seen.later,
        seen.in_doubt,
        age(since(seen.oldest_doubt_at, now)),
        seen.held,
        *(age(speed) if speed is None or speed >= 1 else f"{speed * 1000:.0f}ms" for speed in speeds),
    )


def _with_revisions(seen: Look, acknowledged: Mapping[int, int]) -> Json:
    """The answer, and the acknowledged revisions of each target, which a monitor does not ask for."""
    rows: list[Json] = [
        {**row_json(row, seen.at), "revisions": acknowledged.get(row.look.id, 0)} for row in seen.rows
    ]
    return {**status_json(seen), "targets": rows}
