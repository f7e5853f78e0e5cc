"""Pruning: what the retention lets go is deleted page by page, beside working workers.

Each page is a short transaction that finds its rows and deletes them; an interruption loses nothing, the
next prune goes on. One process prunes at a time, whoever asked, and by the schedule one in each interval.
The audit says when it began, with the first rows that went, and how many of each kind went.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.engine.again import whole
from worker.engine.ports import Stopping
from worker.engine.rows import Entry, Lease
from worker.engine.runs import OPERATORS, SELF
from worker.storage.clock import clock
from worker.storage.heartbeats import Mark
from worker.storage.retention import Key, Prunable
from worker.storage.store import SqlStore, SqlTransaction

LEASE, TURN = "prune", "prune:scheduled"
_LEASE_S = 60.0
_REST_S = 0.01  # between two pages: others write as well


class LostError(Exception):
    """Our lease ran out and another process prunes."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went, by kind. Not `ended`: the process was asked to stop."""

    gone: Mapping[str, int]
    ended: bool


@dataclass(slots=True)
class _Work:
    """One prune under way."""

    token: str
    now: float
    actor: str
    why: str
    gone: dict[str, int] = field(default_factory=dict)

    @property
    def any_gone(self) -> bool:
        return any(self.gone.values())

    def entry(self, word: str, more: Mapping[str, Json]) -> Entry:
        return Entry(OPERATORS, f"database:prune:{word}", self.actor, {"why": self.why, **more})


class Pruner:
    """`kinds` in the order in which they go. `every_s` is the interval of the schedule."""

    def __init__(
        self, store: SqlStore, kinds: Sequence[Prunable], stopping: Stopping, every_s: float
    ) -> None:
        self._store = store
        self._kinds = kinds
        self._stopping = stopping
        self._every_s = every_s

    def run(self) -> None:
        """Once for each interval, however many call. One that was interrupted goes on at the next call."""
        token = uuid.uuid4().hex
        with self._store.begin() as tx:
            if not tx.leases.take(TURN, Lease(token, tx.now, tx.now + _LEASE_S)):
                return
        done = self.prune(SELF, "the schedule")
        with self._store.begin() as tx:
            if done is not None and done.ended:
                tx.leases.keep(TURN, Lease(token, tx.now, tx.now + self._every_s))
            else:
                tx.leases.give_back(TURN, token)

    def prune(self, actor: str, why: str) -> Pruned | None:
        """Everything that may go by now. None: another process is at it."""
        token = uuid.uuid4().hex
        with self._store.begin() as tx:
            if not tx.leases.take(LEASE, Lease(token, tx.now, tx.now + _LEASE_S)):
                return None
            work = _Work(token, tx.now, actor, why, dict.fromkeys((kind.name for kind in self._kinds), 0))
        ended = False
        with suppress(LostError):
            ended = all(self._all_of(kind, work) for kind in self._kinds)
        whole(lambda: self._end(work, ended=ended))
        return Pruned(work.gone, ended)

    def _all_of(self, kind: Prunable, work: _Work) -> bool:
        """False where the process is to stop."""
        after: Key | None = ()
        while after is not None:
            if self._stopping.wait(_REST_S):
                return False
            count, after = whole(partial(self._page, kind, work, after))
            work.gone[kind.name] += count
        return True

    def _page(self, kind: Prunable, work: _Work, after: Key) -> tuple[int, Key | None]:
        with self._store.begin() as tx:
            _renew(tx, work)
            step = tx.prune(kind, work.now, after)
            if step.keys and not work.any_gone:
                tx.audit(work.entry("begun", {}))
        return len(step.keys), step.after

    def _end(self, work: _Work, *, ended: bool) -> None:
        with self._store.begin() as tx:
            if work.any_gone:
                tx.audit(work.entry("done", {"gone": dict(work.gone), "ended": ended}))
            if ended:
                tx.mark(Mark.PRUNED)
            tx.leases.give_back(LEASE, work.token)


def _renew(tx: SqlTransaction, work: _Work) -> None:
    if not tx.leases.keep(LEASE, Lease(work.token, tx.now, tx.now + _LEASE_S)):
        raise LostError


def foreseen(engine: sa.Engine, kinds: Sequence[Prunable]) -> dict[str, int]:
    """How many rows of each kind would go now. Reads only, each page on its own."""
    with engine.connect() as connection:
        now = clock(connection)
    return {kind.name: _count(engine, kind, now) for kind in kinds}


def _count(engine: sa.Engine, kind: Prunable, now: float) -> int:
    found, after = 0, ()
    while True:
        with engine.connect() as connection:
            step = kind.find(connection, now, after)
        found += len(step.keys)
        if step.after is None:
            return found
        after = step.after
