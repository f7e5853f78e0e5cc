"""The store: transactions over one writing engine. Threads share it; a transaction belongs to one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import sqlalchemy as sa

from worker.engine.ports import Entry
from worker.storage import audit
from worker.storage.accounts import AccountRows
from worker.storage.events import EventRows
from worker.storage.identities import IdentityRows
from worker.storage.runs import RunRows
from worker.storage.targets import TargetRows


class SqlTransaction:
    """See `worker.engine.ports.Transaction`."""

    def __init__(self, connection: sa.Connection, shards: int) -> None:
        self._connection = connection
        self._entries: list[Entry] = []
        self.events = EventRows(connection)
        self.identities = IdentityRows(connection)
        self.accounts = AccountRows(connection, shards)
        self.targets = TargetRows(connection)
        self.runs = RunRows(connection)

    @cached_property
    def now(self) -> float:
        if self._connection.dialect.name == "sqlite":
            return time.time()
        clock = sa.func.extract("epoch", sa.func.clock_timestamp())
        return float(self._connection.execute(sa.select(clock)).scalar_one())

    def audit(self, entry: Entry) -> None:
        self._entries.append(entry)

    def finish(self) -> None:
        """Chain what was audited; the last thing before the commit."""
        if self._entries:
            audit.append(self._connection, self._entries, self.now)


class SqlStore:
    def __init__(self, engine: sa.Engine, shards: int) -> None:
        self._engine = engine
        self._shards = shards

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        """Commit at the end of the block, roll back on any exception."""
        with self._engine.begin() as connection:
            transaction = SqlTransaction(connection, self._shards)
            yield transaction
            transaction.finish()

    def dispose(self) -> None:
        """Close the pool's connections."""
        self._engine.dispose()
