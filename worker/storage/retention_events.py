"""Events that may go: folded, old, with nothing left to do at any target, and the source of no attribute.

What an attribute points to is kept for good: `explain` and `identity show` name it. A fold reads no event
but its own: the order of what set an attribute stands with the attribute, so a repeat of an event that went
is older, and superseded. A tie is broken by arrival, and a repeat would arrive last: what has the same order
as an attribute of its source stays, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from worker.domain.identity import Identity
from worker.storage.codec import read_identity
from worker.storage.retention import PAGE, Key, Step
from worker.storage.tables import account, event, identity


@dataclass(frozen=True, slots=True)
class Events:
    """`keep_s` is the window in which a repeat is known by its id."""

    keep_s: float
    name: str = "events"

    def find(self, connection: sa.Connection, now: float, after: Key) -> Step:
        """Rows are numbered in the order of arrival: behind a page without an old one there is none."""
        rows = _page(connection, after)
        old = [row for row in rows if row.accepted_at < now - self.keep_s]
        people = _People.of(connection, {row.identity_id for row in old if row.identity_id is not None})
        newest = connection.execute(sa.select(sa.func.max(event.c.id))).scalar()
        keys = [(row.id,) for row in old if row.fold_at is None and row.id != newest and people.let_go(row)]
        return Step(keys, (rows[-1].id,) if old and len(rows) == PAGE else None)

    def drop(self, connection: sa.Connection, keys: Sequence[Key]) -> None:
        ended = sa.and_(event.c.id.in_([row for (row,) in keys]), event.c.fold_at.is_(None))
        connection.execute(sa.delete(event).where(ended))


def _page(connection: sa.Connection, after: Key) -> Sequence[Any]:
    columns = (event.c.id, event.c.accepted_at, event.c.fold_at, event.c.identity_id)
    query = sa.select(*columns, event.c.source, event.c.order_key)
    query = query.where(event.c.id > (after[0] if after else 0))
    return connection.execute(query.order_by(event.c.id).limit(PAGE)).all()


@dataclass(frozen=True, slots=True)
class _People:
    """`events`: those behind their attributes. `orders`: identity, source and order of those and their ties.

    `pending`: since when an account waits, by identity. Who was merged into somebody counts as that one, too:
    the attributes went along.
    """

    events: frozenset[int]
    orders: frozenset[tuple[int, str, str]]
    pending: Mapping[int, float]
    merged: Mapping[int, int]

    @classmethod
    def of(cls, connection: sa.Connection, ids: Iterable[int]) -> _People:
        rows = _identities(connection, ids)
        merged = {row.id: row.merged_into for row in rows if row.merged_into is not None}
        rows = [*rows, *_identities(connection, merged.values())]
        known = {row.id: read_identity(row) for row in rows}
        events = frozenset(held.event for each in known.values() for held in each.attributes.values())
        orders = frozenset(item for row, each in known.items() for item in _orders(row, each))
        return cls(events, orders, _pending(connection, [*known]), merged)

    def let_go(self, row: Any) -> bool:  # noqa: ANN401 - a row
        whose: list[int] = [row.identity_id, self.merged.get(row.identity_id, row.identity_id)]
        waits = any(self.pending[one] <= row.accepted_at for one in whose if one in self.pending)
        ties = any((one, row.source, row.order_key) in self.orders for one in whose)
        return row.id not in self.events and not waits and not ties


def _orders(row: int, known: Identity) -> Iterator[tuple[int, str, str]]:
    for held in known.attributes.values():
        yield row, held.source, held.order
    for source, mark in known.snapshots.items():
        yield row, source, mark.order


def _identities(connection: sa.Connection, ids: Iterable[int]) -> list[Any]:
    return list(connection.execute(sa.select(identity).where(identity.c.id.in_(sorted(set(ids))))))


def _pending(connection: sa.Connection, ids: Sequence[int]) -> dict[int, float]:
    since = sa.func.min(account.c.pending_since)
    waiting = sa.and_(account.c.identity_id.in_(ids), account.c.pending_since.is_not(None))
    query = sa.select(account.c.identity_id, since).where(waiting).group_by(account.c.identity_id)
    return {row[0]: row[1] for row in connection.execute(query)}
