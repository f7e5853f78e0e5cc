"""Runs that may go, once they are over for long: first what they found or staged, then the runs.

What later runs ask for stays: the newest run of a schedule, by which its slot is known to be done, and the
newest files of a source, which the next one is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from worker.storage.retention import PAGE, Key, Step, beyond
from worker.storage.tables import drift, listed, proposal, run, snapshot, staged_event

CHILDREN: dict[str, tuple[sa.Column[Any], ...]] = {
    "drift": (drift.c.run_id, drift.c.remote_id, drift.c.field),
    "proposals": (proposal.c.run_id, proposal.c.id),
    "staged events": (staged_event.c.run_id, staged_event.c.n),
    "listed accounts": (listed.c.run_id, listed.c.remote_id),
}
"""What of each run is too much for one transaction, by its unique columns."""


@dataclass(frozen=True, slots=True)
class OfRuns:
    """Rows of runs that may go, run by run. `key` begins with the run."""

    name: str
    key: tuple[sa.Column[Any], ...]
    keep_s: float

    def find(self, connection: sa.Connection, now: float, after: Key) -> Step:
        gone = _ended(now - self.keep_s).where(run.c.id >= (after[0] if after else 0))
        found = connection.execute(gone.limit(PAGE)).all()
        ids = [row.id for row in found if row.id not in _needed(connection, found)]
        if not ids:
            return Step([], (found[-1].id + 1,) if len(found) == PAGE else None)
        query = sa.select(*self.key).where(self.key[0] == ids[0]).order_by(*self.key).limit(PAGE)
        if len(after) == len(self.key) and after[0] == ids[0]:
            query = query.where(beyond(self.key, after))
        keys = [tuple(row) for row in connection.execute(query)]
        return Step(keys, keys[-1] if len(keys) == PAGE else (ids[0] + 1,))

    def drop(self, connection: sa.Connection, keys: Sequence[Key]) -> None:
        connection.execute(sa.delete(self.key[0].table).where(sa.tuple_(*self.key).in_(keys)))


@dataclass(frozen=True, slots=True)
class Runs:
    """After all that hangs on them."""

    keep_s: float
    name: str = "runs"

    def find(self, connection: sa.Connection, now: float, after: Key) -> Step:
        query = _ended(now - self.keep_s).where(run.c.id > (after[0] if after else 0)).limit(PAGE)
        rows = connection.execute(query).all()
        needed = _needed(connection, rows)
        keys = [(row.id,) for row in rows if row.id not in needed]
        return Step(keys, (rows[-1].id,) if len(rows) == PAGE else None)

    def drop(self, connection: sa.Connection, keys: Sequence[Key]) -> None:
        ids = [row for (row,) in keys]
        connection.execute(sa.delete(snapshot).where(snapshot.c.run_id.in_(ids)))
        connection.execute(sa.delete(run).where(run.c.id.in_(ids)))


def _ended(before: float) -> sa.Select[Any]:
    """Never the newest: its id stands in accounts, leases and the audit."""
    newest = sa.select(sa.func.max(run.c.id)).scalar_subquery()
    over = sa.and_(run.c.finished_at < before, run.c.id < newest)
    return sa.select(run.c.id, run.c.scheduled).where(over).order_by(run.c.id)


def _needed(connection: sa.Connection, rows: Sequence[Any]) -> set[int]:
    scheduled = {row.id: row.scheduled for row in rows if row.scheduled is not None}
    newest = {name: _newest_slot(connection, name) for name in set(map(_whose, scheduled.values()))}
    slots = {row for row, slot in scheduled.items() if slot == newest[_whose(slot)]}
    return slots | _newest_files(connection, [row.id for row in rows])


def _whose(scheduled: str) -> str:
    """`TARGET@SLOT` up to the slot; slots are ordered as text."""
    return scheduled.rpartition("@")[0] + "@"


def _newest_slot(connection: sa.Connection, whose: str) -> str | None:
    ours = run.c.scheduled.startswith(whose, autoescape=True)
    return connection.execute(sa.select(sa.func.max(run.c.scheduled)).where(ours)).scalar()


def _newest_files(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Of each source the newest, and the newest that was complete."""
    later = snapshot.alias()
    replaced = sa.exists().where(
        later.c.source == snapshot.c.source,
        later.c.complete == snapshot.c.complete,
        later.c.id > snapshot.c.id,
    )
    query = sa.select(snapshot.c.run_id).where(snapshot.c.run_id.in_(ids), ~replaced)
    return set(connection.scalars(query))
