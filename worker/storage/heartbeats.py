"""Heartbeats: which workers and beats live, as rows by the database's clock; and marks: when something was
last done. Nothing of the engine depends on either.

A program writes its row again and again and takes it away when it ends in order. The row of one that was
killed grows old; any other program's beat then removes it. A mark stays.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import sqlalchemy as sa

from worker.storage.clock import clock
from worker.storage.tables import heartbeat
from worker.storage.upsert import insert_missing

_MISSED = 3  # beats in a row: a program that was silent for so long is taken to be dead
_KEPT = 10  # beats: after so many its row goes
_MARK = "mark"


class Program(enum.StrEnum):
    """Whose heartbeat it is; the word stands in the row."""

    WORKER = "worker"
    BEAT = "beat"


class Mark(enum.StrEnum):
    """What was last done; the word is the row's name."""

    SEALED = "audit_sealed"  # a checkpoint covers the audit
    VERIFIED = "audit_verified"  # `hirewire audit verify` found it whole
    PRUNED = "pruned"  # all that the retention lets go is gone


@dataclass(frozen=True, slots=True)
class Pulse:
    """How many programs of a kind live, and how long ago the last of them said so. None: no row."""

    alive: int
    age_s: float | None


def note(connection: sa.Connection, name: str, kind: Program, every_s: float) -> None:
    """Say that this program lives now. Rows of those that have been silent for long go."""
    now = clock(connection)
    silent = sa.and_(heartbeat.c.at < now - _KEPT * every_s, heartbeat.c.kind.in_(list(Program)))
    connection.execute(sa.delete(heartbeat).where(silent))
    _write(connection, name, kind.value, now)


def _write(connection: sa.Connection, name: str, kind: str, now: float) -> None:
    ours = sa.update(heartbeat).where(heartbeat.c.name == name).values(at=now)
    if connection.execute(ours).rowcount == 0:
        insert_missing(connection, heartbeat, [{"name": name, "kind": kind, "at": now}], ["name"])


def forget(connection: sa.Connection, name: str) -> None:
    """Say that this program ends in order."""
    connection.execute(sa.delete(heartbeat).where(heartbeat.c.name == name))


def pulses(connection: sa.Connection, every_s: float) -> dict[Program, Pulse]:
    """One for each kind of program."""
    now = clock(connection)
    found: dict[Program, list[float]] = {kind: [] for kind in Program}
    for row in connection.execute(sa.select(heartbeat.c.kind, heartbeat.c.at)):
        if row.kind in found:
            found[Program(row.kind)].append(now - row.at)
    return {kind: _pulse(ages, _MISSED * every_s) for kind, ages in found.items()}


def _pulse(ages: list[float], limit_s: float) -> Pulse:
    return Pulse(sum(age <= limit_s for age in ages), round(max(0.0, min(ages)), 3) if ages else None)


def mark(connection: sa.Connection, done: Mark) -> None:
    """It was done now."""
    _write(connection, done.value, _MARK, clock(connection))


def marks(connection: sa.Connection) -> dict[Mark, float]:
    """When each was done last, of those that ever were."""
    query = sa.select(heartbeat.c.name, heartbeat.c.at).where(heartbeat.c.kind == _MARK)
    return {Mark(row.name): row.at for row in connection.execute(query)}
