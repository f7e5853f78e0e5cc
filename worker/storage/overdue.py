"""What a worker's watchdog asks the rows: work that this worker may do, that waits for long, and that no
other worker is at. Each look ends at the first row that it finds; nothing here writes or locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from worker.storage.clock import clock
from worker.storage.tables import account, event, slot, target


@dataclass(frozen=True, slots=True)
class Worker:
    """Who asks. `name` begins the owner of its leases and slots; `targets`: name to its fingerprint."""

    name: str
    targets: Mapping[str, str]
    shards: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """Accounts of a target in a shard; or, without a target, the event that is next to be folded.

    `ours`: this worker holds leases there.
    """

    target_id: int | None
    row: int
    ours: bool = False


def overdue(connection: sa.Connection, worker: Worker, age_s: float) -> list[Overdue]:
    """All that has been due for `age_s` and could be done now; and what this worker has in hand."""
    now = clock(connection)
    found = [
        one
        for row in connection.execute(_open_targets(worker, now))
        if row.fingerprint in (None, worker.targets[row.name])  # with another one a worker claims nothing
        for one in _accounts(connection, row.id, worker, now - age_s, now)
    ]
    return [*_event(connection, now - age_s), *found]


def _open_targets(worker: Worker, now: float) -> sa.Select[tuple[int, str, str]]:
    """Neither paused nor gated, and with a slot that is free or this worker's."""
    open_gate = sa.or_(target.c.gate_until.is_(None), target.c.gate_until <= now)
    ours = slot.c.owner.startswith(worker.name)
    place = sa.exists().where(slot.c.target_id == target.c.id, sa.or_(slot.c.leased_until < now, ours))
    known = target.c.name.in_(list(worker.targets))
    query = sa.select(target.c.id, target.c.name, target.c.fingerprint)
    return query.where(known, target.c.state == "active", open_gate, place)


def _accounts(
    connection: sa.Connection, target_id: int, worker: Worker, before: float, now: float
) -> Sequence[Overdue]:
    """One for each shard where something waits, or is in this worker's hands, and no other holds a lease."""
    here = sa.and_(account.c.target_id == target_id, account.c.shard == sa.bindparam("here"))
    leased = sa.and_(here, account.c.lease_token.is_not(None), account.c.due_at > now)
    ours = account.c.lease_token.startswith(worker.name)
    waits = sa.exists().where(here, account.c.due_at <= before)
    others = sa.exists().where(leased, ~ours)
    held = sa.exists().where(leased, ours)
    query = sa.select(held).where(sa.or_(waits, held), ~others)
    return [
        Overdue(target_id, shard, bool(row[0]))
        for shard in range(worker.shards)
        if (row := connection.execute(query, {"here": shard}).first()) is not None
    ]


def _event(connection: sa.Connection, before: float) -> list[Overdue]:
    """Folds take the oldest first: where one goes on anywhere, another event is the next soon."""
    query = sa.select(event.c.id).where(event.c.fold_at <= before).order_by(event.c.fold_at, event.c.id)
    row = connection.execute(query.limit(1)).first()
    return [] if row is None else [Overdue(None, row.id)]
