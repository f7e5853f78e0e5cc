"""Rows of named leases: what only one process may do at a time. A holder that died loses it by the clock."""

from __future__ import annotations

import sqlalchemy as sa

from worker.engine.rows import Lease
from worker.storage.tables import lease
from worker.storage.upsert import insert_missing


class LeaseRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def take(self, name: str, wanted: Lease) -> bool:
        """Whether it is ours now. Whoever holds it, ourselves included, keeps it until its end."""
        insert_missing(self._connection, lease, [{"name": name, "until": 0.0}], ["name"])
        free = sa.and_(lease.c.name == name, lease.c.until <= wanted.now)
        taken = sa.update(lease).where(free).values(owner=wanted.token, until=wanted.until)
        return self._connection.execute(taken).rowcount == 1

    def give_back(self, name: str, token: str) -> None:
        ours = sa.and_(lease.c.name == name, lease.c.owner == token)
        self._connection.execute(sa.update(lease).where(ours).values(owner=None, until=0.0))

    def keep(self, name: str, held: Lease) -> bool:
        """Until then, if it is still ours; whether it is."""
        ours = sa.and_(lease.c.name == name, lease.c.owner == held.token)
        kept = sa.update(lease).where(ours).values(until=held.until)
        return self._connection.execute(kept).rowcount == 1
