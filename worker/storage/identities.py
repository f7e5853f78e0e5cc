"""Rows of identities: locked in the order of their ids, written whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from worker.domain.identity import Identity
from worker.storage.codec import identity_state, read_identity
from worker.storage.tables import identity
from worker.storage.upsert import insert_missing


class IdentityRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def lock(self, subjects: Sequence[str], now: float) -> dict[str, tuple[int, Identity]]:
        """Create the missing ones in the order of their subjects, then lock by id."""
        names = sorted(set(subjects))
        fresh = [
            {"subject": name, "revision": 0, "attributes": {}, "snapshots": {}, "created_at": now}
            for name in names
        ]
        insert_missing(self._connection, identity, fresh, ["subject"])
        query = sa.select(identity).where(identity.c.subject.in_(names)).order_by(identity.c.id)
        rows = self._connection.execute(query.with_for_update())
        return {row.subject: (row.id, read_identity(row)) for row in rows}

    def save(self, identities: Mapping[int, Identity]) -> None:
        if not identities:
            return
        statement = (
            sa.update(identity)
            .where(identity.c.id == sa.bindparam("row"))
            .values(
                revision=sa.bindparam("count"),
                attributes=sa.bindparam("said"),
                snapshots=sa.bindparam("marks"),
            )
        )
        values = []
        for row, value in sorted(identities.items()):
            said, marks = identity_state(value)
            values.append({"row": row, "count": value.revision, "said": said, "marks": marks})
        self._connection.execute(statement, values)

    def revisions(self, ids: Sequence[int]) -> dict[int, int]:
        query = sa.select(identity.c.id, identity.c.revision).where(identity.c.id.in_(set(ids)))
        return {row.id: row.revision for row in self._connection.execute(query)}
