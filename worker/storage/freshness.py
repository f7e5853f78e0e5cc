"""How far behind each target is: what `hirewire status` shows and what a metrics exporter reads.

Each function takes a connection of the reading engine and returns values; nothing here writes or
locks. Times are seconds since the epoch. The cost follows what is open, not how many accounts there
are: backlog, leases, doubts, holds and latencies each have a partial index. Only the count of
accounts walks a whole index.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from worker.engine.rows import OVER
from worker.storage.tables import account, alarm, audit, event, identity, run, target

WINDOW_S = 3600.0
_NEWEST = 10_000  # latencies of one target that percentiles are taken of

_PLACE = account.c.target_id + sa.literal_column("0")
"""The target's row; SQLite would group by the bare column along the index of all accounts."""

Queries: TypeAlias = Mapping[tuple[str, ...], sa.Select[Any]]
"""What a query counts for each target, behind the target's row."""


@dataclass(frozen=True, slots=True)
class TargetLook:
    """One target's row, and counts of its accounts."""

    id: int
    name: str
    state: str  # active | gated | paused
    reason: str | None = None
    gate_until: float | None = None  # while it is gated
    accounts: int = 0
    due: int = 0  # could be worked on now
    oldest_due_at: float | None = None
    in_flight: int = 0  # leased by a sync
    later: int = 0  # wait for their time: back-off, second look
    in_doubt: int = 0  # a write was intended and has no definite outcome yet
    oldest_doubt_at: float | None = None
    held: int = 0  # accounts with at least one held field


def targets(connection: sa.Connection, now: float) -> list[TargetLook]:
    """Every target by name."""
    return _looks(connection, now, {**_open(now), ("accounts",): _each(sa.func.count())})


def open_work(connection: sa.Connection, now: float) -> list[TargetLook]:
    """As `targets`, without the count of accounts: for a monitor that asks again and again."""
    return _looks(connection, now, _open(now))


def _looks(connection: sa.Connection, now: float, queries: Queries) -> list[TargetLook]:
    counts = _counts(connection, queries)
    rows = connection.execute(sa.select(target).order_by(target.c.name))
    return [_look(row, now, counts[row.id]) for row in rows]


def _look(row: Any, now: float, counts: dict[str, Any]) -> TargetLook:  # noqa: ANN401 - a row
    gated = row.state == "active" and row.gate_until is not None and row.gate_until > now
    gate_until = row.gate_until if gated else None
    in_flight = counts.get("in_flight", 0)
    counts["later"] = max(0, counts.pop("ahead", 0) - in_flight)
    return TargetLook(row.id, row.name, "gated" if gated else row.state, row.reason, gate_until, **counts)


def _open(now: float) -> Queries:
    """One query for each partial index: the cost follows what is open."""
    due_at, doubt_at, every = account.c.due_at, account.c.doubt_at, sa.func.count()
    is_due, pending, leased = due_at <= now, due_at.is_not(None), account.c.lease_token.is_not(None)
    backlog = (matching(is_due), sa.func.min(sa.case((is_due, due_at))), matching(due_at > now))
    doubts = (every, sa.func.min(doubt_at))
    return {
        ("due", "oldest_due_at", "ahead"): _each(*backlog).where(pending),
        ("in_flight",): sa.select(_PLACE, matching(due_at > now)).group_by(_PLACE).where(leased),
        ("in_doubt", "oldest_doubt_at"): _each(*doubts).where(doubt_at.is_not(None), pending),
        ("held",): _each(every).where(account.c.held.is_not(None)),
    }


def _counts(connection: sa.Connection, queries: Queries) -> defaultdict[int, dict[str, Any]]:
    """By target and name."""
    found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for names, query in queries.items():
        for row in connection.execute(query):
            found[row[0]] |= dict(zip(names, row[1:], strict=True))
    return found


def _each(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(account.c.target_id, *columns).group_by(account.c.target_id)


def matching(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """How many rows meet the condition."""
    return sa.func.count(sa.case((condition, 1)))


def revisions(connection: sa.Connection) -> dict[int, int]:
    """Acknowledged revisions by target, over all accounts: reads every account, not for a monitor."""
    rows = connection.execute(_each(sa.func.sum(account.c.applied_revision)))
    return {row[0]: int(row[1]) for row in rows}


@dataclass(frozen=True, slots=True)
class TargetState:
    state: str  # active | paused
    reason: str | None
    enrolled_at: float | None = None  # None: never


def target_states(connection: sa.Connection) -> dict[str, TargetState]:
    """By name, without looking at accounts."""
    rows = connection.execute(sa.select(target.c.name, target.c.state, target.c.reason, target.c.enrolled_at))
    return {row.name: TargetState(row.state, row.reason, row.enrolled_at) for row in rows}


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds from an event's acceptance to its acknowledgement, by nearest rank."""

    count: int
    p50_s: float
    p95_s: float
    p99_s: float


def freshness(
    connection: sa.Connection, names: Sequence[str], now: float, window_s: float = WINDOW_S
) -> Mapping[str, Freshness]:
    """By name, of the targets with acknowledgements in the window; at most the 10,000 newest of each."""
    found = {name: _latencies(connection, name, now - window_s) for name in names}
    return {name: _freshness(sorted(values)) for name, values in found.items() if values}


def _latencies(connection: sa.Connection, name: str, since: float) -> list[float]:
    query = (
        sa.select(audit.c.latency_s)
        .where(audit.c.stream == f"target:{name}", audit.c.at >= since, audit.c.latency_s.is_not(None))
        .order_by(audit.c.at.desc())
        .limit(_NEWEST)
    )
    return [value for value in connection.scalars(query) if value is not None]


def _freshness(ordered: Sequence[float]) -> Freshness:
    p50, p95, p99 = (_rank(ordered, share) for share in (0.50, 0.95, 0.99))
    return Freshness(len(ordered), p50, p95, p99)


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Alarm:
    kind: str
    target: str | None
    message: str
    raised_at: float


@dataclass(frozen=True, slots=True)
class Totals:
    """`waiting`: events to be folded now; `scheduled`: those whose time has not come.

    `wakes`: people with a first or last day ahead.
    """

    waiting: int
    scheduled: int
    open_runs: int
    alarms: tuple[Alarm, ...]
    wakes: int = 0


def totals(connection: sa.Connection, now: float) -> Totals:
    unfolded = sa.select(matching(event.c.fold_at <= now), matching(event.c.fold_at > now))
    waiting, scheduled = connection.execute(unfolded.where(event.c.fold_at.is_not(None))).one()
    runs = sa.select(sa.func.count()).where(run.c.state.not_in(OVER))
    ahead = sa.select(sa.func.count()).where(identity.c.wake_at.is_not(None))
    open_runs, wakes = connection.scalars(runs).one(), connection.scalars(ahead).one()
    return Totals(waiting, scheduled, open_runs, _alarms(connection), wakes)


def _alarms(connection: sa.Connection) -> tuple[Alarm, ...]:
    query = (
        sa.select(alarm.c.kind, target.c.name, alarm.c.message, alarm.c.raised_at)
        .select_from(alarm.outerjoin(target, target.c.id == alarm.c.target_id))
        .where(alarm.c.cleared_at.is_(None))
        .order_by(alarm.c.id)
    )
    return tuple(Alarm(*row) for row in connection.execute(query))
