"""Rows of identities: locked in the order of their ids, written whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from worker.domain.identity import Identity
from worker.engine.errors import BusyError
from worker.storage.aliases import aliases
from worker.storage.codec import identity_state, read_identity
from worker.storage.tables import Time, account, identity, identity_name
from worker.storage.upsert import insert_missing


class IdentityRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._names: dict[int, frozenset[tuple[str, str]]] = {}  # of those locked here, as stored

    def lock(self, subjects: Sequence[str], now: float) -> dict[str, tuple[int, Identity]]:
        """Create the missing ones in the order of their subjects, then lock by id. An alias is followed."""
        names = sorted(set(subjects))
        known = aliases(self._connection, names)
        own = [name for name in names if name not in known]
        self._create(own, now)
        meant: sa.ColumnElement[bool] = identity.c.subject.in_(own)
        if known:
            meant = sa.or_(meant, identity.c.id.in_(known.values()))
        query = sa.select(identity).where(meant).order_by(identity.c.id)
        # A second write of an account in one transaction has PostgreSQL look at its identity (foreign key):
        # a full lock here would wait for the sync, and the sync for it.
        rows = self._connection.execute(query.with_for_update(key_share=True)).all()
        theirs = {row.id: (row.id, read_identity(row)) for row in rows if row.merged_into is None}
        self._names.update((row, person.names()) for row, person in theirs.values())
        wanted = set(own)
        found = {one[1].subject: one for one in theirs.values() if one[1].subject in wanted}
        found |= {name: theirs[row] for name, row in known.items() if row in theirs}
        if len(found) < len(names):
            raise BusyError("somebody got another subject just now")
        return found

    def _create(self, names: Sequence[str], now: float) -> None:
        fresh = [
            {"subject": name, "revision": 0, "attributes": {}, "snapshots": {}, "created_at": now}
            for name in names
        ]
        made = insert_missing(self._connection, identity, fresh, ["subject"], [identity.c.subject])
        if made and aliases(self._connection, [row.subject for row in made]):
            raise BusyError("a new person has a subject that became an alias just now")

    def save(self, identities: Mapping[int, Identity], wakes: Mapping[int, float | None]) -> None:
        if not identities:
            return
        statement = (
            sa.update(identity)
            .where(identity.c.id == sa.bindparam("row"))
            .values(
                revision=sa.bindparam("count"),
                attributes=sa.bindparam("said"),
                snapshots=sa.bindparam("marks"),
                wake_at=sa.bindparam("wake", type_=Time),
            )
        )
        values = []
        for row, value in sorted(identities.items()):
            said, marks = identity_state(value)
            fresh = {"count": value.revision, "said": said, "marks": marks, "wake": wakes.get(row)}
            values.append({"row": row, **fresh})
        self._connection.execute(statement, values)
        self._add_names(identities)

    def _add_names(self, identities: Mapping[int, Identity]) -> None:
        """A name stays: whoever gets it next must not be given the account of whoever had it."""
        fresh = [
            {"attribute": attribute, "name": name, "identity_id": row}
            for row, known in sorted(identities.items())
            for attribute, name in sorted(known.names() - self._names.get(row, frozenset()))
        ]
        insert_missing(self._connection, identity_name, fresh, ["attribute", "name", "identity_id"])

    def namesakes(self, identity_id: int, target_id: int) -> list[Identity]:
        ours, others = identity_name.alias("ours"), identity_name.alias("others")
        alike = sa.and_(ours.c.attribute == others.c.attribute, ours.c.name == others.c.name)
        ids = (
            sa.select(others.c.identity_id)
            .select_from(ours.join(others, alike))
            .where(ours.c.identity_id == identity_id, others.c.identity_id != identity_id)
        )
        query = sa.select(identity).join(account, account.c.identity_id == identity.c.id)
        unlinked = (account.c.target_id == target_id, account.c.remote_id.is_(None))
        rows = self._connection.execute(query.where(identity.c.id.in_(ids), *unlinked))
        return [read_identity(row) for row in rows]

    def take_waking(self, limit: int, now: float) -> dict[int, Identity]:
        come = sa.select(identity).where(identity.c.wake_at <= now, identity.c.merged_into.is_(None))
        oldest = come.order_by(identity.c.wake_at, identity.c.id).limit(limit)
        rows = self._connection.execute(oldest.with_for_update(skip_locked=True, key_share=True))
        return {row.id: read_identity(row) for row in rows}

    def set_wakes(self, wakes: Mapping[tuple[int, int], float | None]) -> None:
        if not wakes:
            return
        unmoved = (identity.c.id == sa.bindparam("row"), identity.c.revision == sa.bindparam("known"))
        statement = sa.update(identity).where(*unmoved).values(wake_at=sa.bindparam("wake", type_=Time))
        values = [{"row": row, "known": known, "wake": at} for (row, known), at in sorted(wakes.items())]
        self._connection.execute(statement, values)

    def revisions(self, ids: Sequence[int]) -> dict[int, int]:
        query = sa.select(identity.c.id, identity.c.revision).where(identity.c.id.in_(set(ids)))
        return {row.id: row.revision for row in self._connection.execute(query)}
