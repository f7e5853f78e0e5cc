"""What a monitor asks of the rows, at one moment: backlog, freshness, runs, alarms, who lives.

Every query has an index that follows what is open, or a table that stays small; nothing counts accounts.
Reads in one transaction, writes nothing, locks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from worker.engine.rows import OVER
from worker.storage import heartbeats
from worker.storage.clock import clock
from worker.storage.freshness import Freshness, TargetLook, freshness, matching, open_work
from worker.storage.heartbeats import Mark, Program, Pulse
from worker.storage.tables import alarm, event, run


@dataclass(frozen=True, slots=True)
class Measures:
    """`oldest_event_at`: since when the oldest event waits. Alarms and runs: how many are open."""

    now: float
    targets: tuple[TargetLook, ...]
    freshness: Mapping[str, Freshness]
    events_waiting: int
    events_scheduled: int
    oldest_event_at: float | None
    runs: Mapping[tuple[str, str], int]
    alarms: Mapping[str, int]
    pulses: Mapping[Program, Pulse]
    marks: Mapping[Mark, float]


def measures(connection: sa.Connection, heartbeat_s: float) -> Measures:
    now = clock(connection)
    looks = tuple(open_work(connection, now))
    waits = event.c.fold_at <= now
    unfolded = sa.select(
        matching(waits), matching(event.c.fold_at > now), sa.func.min(sa.case((waits, event.c.fold_at)))
    )
    waiting, scheduled, oldest = connection.execute(unfolded.where(event.c.fold_at.is_not(None))).one()
    return Measures(
        now=now,
        targets=looks,
        freshness=freshness(connection, [look.name for look in looks], now),
        events_waiting=waiting,
        events_scheduled=scheduled,
        oldest_event_at=oldest,
        runs=_open_runs(connection),
        alarms=_open_alarms(connection),
        pulses=heartbeats.pulses(connection, heartbeat_s),
        marks=heartbeats.marks(connection),
    )


def _open_runs(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """By kind and state."""
    query = sa.select(run.c.kind, run.c.state, sa.func.count()).where(run.c.state.not_in(OVER))
    return {
        (kind, state): n for kind, state, n in connection.execute(query.group_by(run.c.kind, run.c.state))
    }


def _open_alarms(connection: sa.Connection) -> dict[str, int]:
    query = sa.select(alarm.c.kind, sa.func.count()).where(alarm.c.cleared_at.is_(None))
    return {row[0]: row[1] for row in connection.execute(query.group_by(alarm.c.kind))}
