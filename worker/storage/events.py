"""Rows of events: stored once for each (source, id), folded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from worker.domain.event import Event
from worker.engine.errors import BusyError
from worker.engine.rows import Acceptance, Arrival, Effect, StoredEvent
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
        rows = self._in_one_order([_row(arrivals[place]) for place in first.values()])
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

    def _in_one_order(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Two batches with the same new ids must not wait for each other crosswise: rows are locked in
        the order of their keys. Their ids keep the order of arrival, by which ties are broken.
        """
        if len(rows) < 2 or self._connection.dialect.name == "sqlite":  # noqa: PLR2004 - an order needs two
            return rows
        numbers = sa.select(_NEXT_ID).select_from(sa.func.generate_series(1, len(rows)))
        ids = sorted(self._connection.scalars(numbers))
        numbered = [{"id": number, **row} for number, row in zip(ids, rows, strict=True)]
        return sorted(numbered, key=_unique_key)

    def _hashes(self, keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
        if not keys:
            return {}
        known = sa.tuple_(event.c.source, event.c.event_id).in_(sorted(keys))
        query = sa.select(event.c.source, event.c.event_id, event.c.body_hash).where(known)
        found = {(row.source, row.event_id): row.body_hash for row in self._connection.execute(query)}
        return _all_there(found, keys)

    def take_unfolded(self, limit: int, now: float) -> list[StoredEvent]:
        query = sa.select(event).where(event.c.fold_at <= now).order_by(event.c.fold_at, event.c.id)
        rows = self._connection.execute(query.limit(limit).with_for_update(skip_locked=True))
        return [
            StoredEvent(row.id, read_event(row), row.accepted_at, row.correlation, row.effect == _ASIDE)
            for row in rows
        ]

    def set_aside(self, rows: Sequence[int], until: float) -> None:
        failed = sa.update(event).where(event.c.id.in_(rows))
        self._connection.execute(failed.values(fold_at=until, effect=_ASIDE))

    def any_aside(self) -> bool:
        query = sa.select(event.c.id).where(event.c.fold_at.is_not(None), event.c.effect == _ASIDE)
        return self._connection.execute(query.limit(1)).first() is not None

    def waiting(self, now: float) -> bool:
        query = sa.select(event.c.id).where(event.c.fold_at <= now).limit(1)
        return self._connection.execute(query).first() is not None

    def correlations(self, rows: Sequence[int]) -> dict[int, str]:
        if not rows:
            return {}
        query = sa.select(event.c.id, event.c.correlation).where(event.c.id.in_(sorted(set(rows))))
        return {row.id: row.correlation for row in self._connection.execute(query)}

    def first_correlations(self, events: Sequence[Event]) -> list[str]:
        if not events:
            return []
        keys = [(read.source, read.id) for read in events]
        known = sa.tuple_(event.c.source, event.c.event_id).in_(sorted(set(keys)))
        query = sa.select(event.c.source, event.c.event_id, event.c.correlation).where(known)
        rows = self._connection.execute(query)
        found = _all_there({(row.source, row.event_id): row.correlation for row in rows}, keys)
        return [found[key] for key in keys]

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


_Key: TypeAlias = tuple[str, str]
_ASIDE = "aside"  # an effect for the time being
_NEXT_ID = sa.func.nextval(sa.func.pg_get_serial_sequence("event", "id"))


def _all_there(found: dict[_Key, str], keys: Iterable[_Key]) -> dict[_Key, str]:
    """Raises BusyError where an event was known a moment ago and was pruned since: it is a new one by now."""
    if not found.keys() >= set(keys):
        raise BusyError("a known event was pruned meanwhile")
    return found


def _unique_key(row: dict[str, Any]) -> tuple[str, str]:
    return row["source"], row["event_id"]


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
