"""Rows about many people at once, read without locks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.event import Event
from worker.domain.identity import Identity
from worker.engine.rows import StoredEvent
from worker.storage.codec import read_event, read_identity
from worker.storage.tables import account, event, identity, identity_alias
from worker.storage.upsert import insert_missing

_NORMAL = 5  # the priority of what nobody waits for


class CrowdRows:
    """See `worker.engine.import_ports.Crowd`."""

    def __init__(self, connection: sa.Connection, shards: int) -> None:
        self._connection = connection
        self._shards = shards

    def named(self, subjects: Sequence[str]) -> dict[str, tuple[int, Identity]]:
        formerly = sa.select(identity, identity_alias.c.subject.label("called")).join(
            identity_alias, identity_alias.c.identity_id == identity.c.id
        )
        before = self._connection.execute(formerly.where(identity_alias.c.subject.in_(subjects)))
        found = {row.called: (row.id, read_identity(row)) for row in before}
        rows = self._connection.execute(sa.select(identity).where(identity.c.subject.in_(subjects)))
        return {**{row.subject: (row.id, read_identity(row)) for row in rows}, **found}

    def waiting(self, subjects: Sequence[str]) -> list[StoredEvent]:
        open_ = (event.c.fold_at.is_not(None), event.c.subject.in_(subjects))
        rows = self._connection.execute(sa.select(event).where(*open_).order_by(event.c.id))
        return [StoredEvent(row.id, read_event(row), row.accepted_at, row.correlation) for row in rows]

    def body_hashes(self, events: Sequence[Event]) -> Mapping[tuple[str, str], str]:
        if not events:
            return {}
        keys = sorted({(read.source, read.id) for read in events})
        known = sa.tuple_(event.c.source, event.c.event_id).in_(keys)
        query = sa.select(event.c.source, event.c.event_id, event.c.body_hash).where(known)
        return {(row.source, row.event_id): row.body_hash for row in self._connection.execute(query)}

    def spoken_of(self, selection: Mapping[str, Json], after: int, limit: int) -> dict[int, Identity]:
        chosen = [identity.c.id > after, identity.c.merged_into.is_(None), identity.c.revision > 0]
        subjects = selection.get("subjects")
        if isinstance(subjects, list):
            chosen.append(identity.c.subject.in_(subjects))
        said = _said(selection)
        if said:
            chosen.append(sa.exists().where(event.c.identity_id == identity.c.id, *said))
        rows = self._connection.execute(
            sa.select(identity).where(*chosen).order_by(identity.c.id).limit(limit)
        )
        return {row.id: read_identity(row) for row in rows}

    def more_wait_than(self, limit: int, now: float) -> bool:
        due = sa.select(event.c.id).where(event.c.fold_at <= now).order_by(event.c.fold_at, event.c.id)
        return self._connection.execute(due.offset(limit).limit(1)).first() is not None

    def admit(self, target_id: int, identity_ids: Sequence[int]) -> None:
        """Locked first: whoever was merged into somebody else just now gets no account."""
        query = sa.select(identity.c.id).where(identity.c.id.in_(identity_ids))
        still = query.where(identity.c.merged_into.is_(None)).order_by(identity.c.id)
        rows = self._connection.scalars(still.with_for_update(key_share=True))
        fresh = [self._fresh(target_id, row) for row in rows]
        insert_missing(self._connection, account, fresh, ["identity_id", "target_id"])

    def _fresh(self, target_id: int, identity_id: int) -> dict[str, Any]:
        return {
            "identity_id": identity_id,
            "target_id": target_id,
            "shard": identity_id % self._shards,
            "applied_revision": 0,
            "priority": _NORMAL,
            "state": {},
        }


def _said(selection: Mapping[str, Json]) -> list[sa.ColumnElement[bool]]:
    """What an event has to be for the person it is about to be meant."""
    since, first, sources = selection.get("since"), selection.get("from"), selection.get("sources")
    found: list[sa.ColumnElement[bool]] = []
    found += [event.c.accepted_at >= since] if isinstance(since, int | float) else []
    found += [event.c.id >= first] if isinstance(first, int) else []
    found += [event.c.source.in_(sources)] if isinstance(sources, list) else []
    return found
