"""The store: transactions over one writing engine. Threads share it; a transaction belongs to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import sqlalchemy as sa

from worker.engine.errors import BusyError
from worker.engine.rows import Entry
from worker.storage import audit
from worker.storage.accounts import AccountRows
from worker.storage.chains import ChainRows
from worker.storage.clock import clock
from worker.storage.crowds import CrowdRows
from worker.storage.decisions import DecisionRows
from worker.storage.drifts import DriftRows
from worker.storage.events import EventRows
from worker.storage.floors import FloorRows
from worker.storage.heartbeats import Mark, mark
from worker.storage.idempotency import RequestRows
from worker.storage.identities import IdentityRows
from worker.storage.leases import LeaseRows
from worker.storage.links import LinkRows
from worker.storage.notes import note
from worker.storage.operators import OperatorRows
from worker.storage.proposals import ProposalRows
from worker.storage.refused import RefusedRows
from worker.storage.retention import Key, Prunable, Step
from worker.storage.runs import RunRows
from worker.storage.sequences import SequenceRows
from worker.storage.staging import SnapshotRows, StagedRows
from worker.storage.subjects import SubjectRows
from worker.storage.targets import TargetRows
from worker.storage.unique_values import UniqueValueRows

_BUSY = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, a lock not had in time


class SqlTransaction:
    """See `worker.engine.ports.Transaction`."""

    def __init__(self, connection: sa.Connection, shards: int) -> None:
        self._connection = connection
        self.entries: list[Entry] = []
        self.events = EventRows(connection)
        self.identities = IdentityRows(connection)
        self.accounts = AccountRows(connection, shards)
        self.targets = TargetRows(connection, shards)
        self.runs = RunRows(connection)
        self.chains = ChainRows(connection)
        self.floors = FloorRows(connection)
        self.leases = LeaseRows(connection)
        self.operators = OperatorRows(connection)
        self.decisions = DecisionRows(connection)
        self.unique_values = UniqueValueRows(connection)
        self.links = LinkRows(connection, shards)
        self.requests = RequestRows(connection)
        self.refused = RefusedRows(connection)
        self.drifts = DriftRows(connection)
        self.proposals = ProposalRows(connection)
        self.subjects = SubjectRows(connection, shards)
        self.staged = StagedRows(connection)
        self.snapshots = SnapshotRows(connection)
        self.crowd = CrowdRows(connection, shards)
        self.sequences = SequenceRows(connection)

    @cached_property
    def now(self) -> float:
        return clock(self._connection)

    def audit(self, entry: Entry) -> None:
        self.entries.append(entry)

    def prune(self, kind: Prunable, now: float, after: Key) -> Step:
        """Delete the next page of what may go of a kind; what went."""
        step = kind.find(self._connection, now, after)
        if step.keys:
            kind.drop(self._connection, step.keys)
        return step

    def mark(self, done: Mark) -> None:
        """It was done now."""
        mark(self._connection, done)

    def finish(self) -> None:
        """Chain what was audited; the last thing before the commit."""
        if self.entries:
            audit.append(self._connection, self.entries, self.now)


class SqlStore:
    def __init__(self, engine: sa.Engine, shards: int) -> None:
        self._engine = engine
        self._shards = shards

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        """Commit at the end of the block, roll back on any exception."""
        try:
            with self._engine.begin() as connection:
                transaction = SqlTransaction(connection, self._shards)
                yield transaction
                transaction.finish()
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _BUSY:
                raise BusyError(type(error.orig).__name__) from error
            raise
        note(transaction.entries)

    def dispose(self) -> None:
        """Close the pool's connections."""
        self._engine.dispose()
