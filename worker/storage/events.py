"""Rows of events: stored once for each (source, id), folded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from worker.engine.ports import Acceptance, Arrival, Effect, StoredEvent
from worker.storage.codec import read_event
from worker.storage.tables import event
from worker.storage.upsert import insert_missing


class EventRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def store(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """Keep the new ones. Of two arrivals with one id in a batch, the first is the new one."""
        first: dict[tuple[str, str], int] = {}
        for place, arrival in enumerate(arrivals):
            first.setdefault(_key(arrival), place)
        rows = [_row(arrivals[place]) for place in first.values()]
        fresh = insert_missing(
            self._connection, event, rows, ["source", "event_id"], [event.c.source, event.c.event_id]
        )
        new = {(row.source, row.event_id) for row in fresh}
        hashes = self._hashes(first.keys() - new) | {k: arrivals[first[k]].event.body_hash for k in new}
        accepted = {first[key] for key in new}
        return [
            Acceptance.NEW if place in accepted else _known(arrival, hashes[_key(arrival)])
            for place, arrival in enumerate(arrivals)
        ]

    def _hashes(self, keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
        if not keys:
            return {}
        known = sa.tuple_(event.c.source, event.c.event_id).in_(sorted(keys))
        query = sa.select(event.c.source, event.c.event_id, event.c.body_hash).where(known)
        return {(row.source, row.event_id): row.body_hash for row in self._connection.execute(query)}

    def take_unfolded(self, limit: int, now: float) -> list[StoredEvent]:
        query = sa.select(event).where(event.c.fold_at <= now).order_by(event.c.fold_at, event.c.id)
        rows = self._connection.execute(query.limit(limit).with_for_update(skip_locked=True))
        return [StoredEvent(row.id, read_event(row), row.accepted_at, row.correlation) for row in rows]

    def waiting(self, now: float) -> bool:
        query = sa.select(event.c.id).where(event.c.fold_at <= now).limit(1)
        return self._connection.execute(query).first() is not None

    def mark_folded(self, effects: Sequence[Effect]) -> None:
        statement = (
            sa.update(event)
            .where(event.c.id == sa.bindparam("row"))
            .values(
                fold_at=None,
                identity_id=sa.bindparam("identity"),
                revision=sa.bindparam("made"),
                effect=sa.bindparam("what"),
            )
        )
        values = [
            {"row": e.row, "identity": e.identity_id, "made": e.revision, "what": e.effect} for e in effects
        ]
        self._connection.execute(statement, values)


def _key(arrival: Arrival) -> tuple[str, str]:
    return arrival.event.source, arrival.event.id


def _known(arrival: Arrival, body_hash: str) -> Acceptance:
    same = arrival.event.body_hash == body_hash
    return Acceptance.DUPLICATE if same else Acceptance.REFUSED


def _row(arrival: Arrival) -> dict[str, Any]:
    read = arrival.event
    return {
        "source": read.source,
        "event_id": read.id,
        "body_hash": read.body_hash,
        "type": read.type,
        "subject": read.subject,
        "time": read.time,
        "order_key": read.order,
        "snapshot": read.snapshot,
        "assertions": dict(read.assertions),
        "correlation": arrival.correlation,
        "accepted_at": arrival.accepted_at,
        "fold_at": arrival.fold_at,
    }
