"""Sync: one shard's due accounts, at all its targets, from claim to settled.

Promise: no request leaves before its intent is committed; an account's state is written only under
its lease; an answer that comes after the lease was lost is audited as late and changes nothing; a
worker that dies leaves a doubt that the next one reads up on. One coordinator thread owns the
database, the others do HTTP. Two syncs of one shard are harmless.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from worker.engine.dispatch import Dispatcher, Lane
from worker.engine.job import Job
from worker.engine.keeper import Keeper
from worker.engine.ports import Lease, Signals, Stopping, Store, Transaction
from worker.engine.settle import Settler
from worker.engine.target import Target

_LEASE_RENEWALS = 3  # a lease is renewed when a third of it is over
_LEASE_MARGIN = 1 / 12  # 5 s of the default lease of 60 s
_JOBS_PER_SLOT = 2


@dataclass(frozen=True, slots=True)
class SyncRules:
    """Seconds and counts of `config.settings.Engine` that a sync keeps."""

    shards: int
    threads: int
    tick_s: float
    tick_items: int
    sync_max_s: float
    linger_s: float
    lease_s: float
    signal_ttl_s: float


class Sync:
    """One run over one shard; a new object for each."""

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        shard: int,
        targets: Mapping[int, Target],
        store: Store,
        signals: Signals,
        executor: Executor,
        settler: Settler,
        keeper: Keeper,
        rules: SyncRules,
        stopping: Stopping,
    ) -> None:
        self._shard = shard
        self._store = store
        self._signals = signals
        self._settler = settler
        self._keeper = keeper
        self._rules = rules
        self._stopping = stopping
        self._token = uuid.uuid4().hex
        self._lanes = {row: Lane(target) for row, target in targets.items()}
        self._jobs: set[Job] = set()
        self._started = time.monotonic()
        self._leased_at = self._started
        self._lost = False
        self._say_at = 0.0
        self._offset = 0.0  # the database's clock minus this process's
        self._dispatcher = Dispatcher(executor, self._may_last, self._clock, stopping)
        self.settled = 0

    def run(self) -> int:
        """Work until the shard is dry, the time is over or the worker stops; how many settled."""
        self._loop()
        with self._store.begin() as tx:
            self._return_slots(tx)
        if self._expired:
            self._signals.sync_seen(self._shard)
            self._signals.sync(self._shard)
        return self.settled

    def _loop(self) -> None:
        lingered = False
        while True:
            self._say_running()
            self._tick()
            if self._jobs:
                lingered = False
            elif lingered or not self._open:
                return
            else:
                lingered = True
                self._stopping.wait(self._rules.linger_s)
                self._signals.sync_seen(self._shard)

    def _say_running(self) -> None:
        if time.monotonic() >= self._say_at:
            self._signals.sync_runs(self._shard)
            self._say_at = time.monotonic() + self._rules.signal_ttl_s / 2

    @property
    def _expired(self) -> bool:
        return time.monotonic() - self._started > self._rules.sync_max_s

    @property
    def _open(self) -> bool:
        """Whether more may be claimed."""
        return not (self._expired or self._lost or self._stopping.is_set())

    def _clock(self) -> float:
        return time.monotonic() + self._offset

    def _may_last(self) -> float:
        """How many seconds a request that starts now may take: the lease, less a safe margin."""
        left = self._leased_at + self._rules.lease_s - time.monotonic()
        return left - self._rules.lease_s * _LEASE_MARGIN

    def _tick(self) -> None:
        """Settle what has answered, write intents, claim, commit; then send."""
        lanes = list(self._lanes.values())
        wait = self._dispatcher.wait_s(lanes, self._rules.tick_s)
        answers = self._dispatcher.collect(wait, self._rules.tick_items)
        if not answers and self._jobs and self._dispatcher.in_flight == 0 and wait:
            self._stopping.wait(wait)  # only the rate keeps what is ready
        began = time.monotonic()
        with self._store.begin() as tx:
            self._offset = tx.now - time.monotonic()
            self._renew(tx, began)
            self._drop(self._settler.settle(tx, answers, self._token))
            fresh = self._claim(tx) if self._open else []
            self._jobs.update(fresh)
            self._drop(self._settler.plan(tx, fresh, self._token))
            self._return_slots(tx)
        self._queue([*fresh, *(answer.job for answer in answers)])
        for lane in lanes:
            self._dispatcher.send(lane)

    def _drop(self, closed: list[Job]) -> None:
        self._jobs.difference_update(closed)
        self.settled += len(closed)

    def _queue(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job in self._jobs:
                self._lanes[job.target.id].ready.append(job)

    def _claim(self, tx: Transaction) -> list[Job]:
        if len(self._jobs) >= _JOBS_PER_SLOT * self._rules.threads:
            return []
        due = tx.accounts.due_targets(self._shard, tx.now)
        states = {state.id: state for state in tx.targets.all()} if due else {}
        jobs: list[Job] = []
        for row in sorted(due & self._lanes.keys()):
            state, lane = states[row], self._lanes[row]
            shut = state.paused or state.gate_until > tx.now or lane.target.gate.closed
            if not shut and self._keeper.introduced(lane.target):
                jobs += self._claim_at(tx, lane)
        return jobs

    def _claim_at(self, tx: Transaction, lane: Lane) -> list[Job]:
        lease = Lease(self._token, tx.now, self._leased_at + self._rules.lease_s + self._offset)
        share = min(-(-lane.target.max_in_flight // self._rules.shards), self._rules.threads)
        if lane.slots < share:
            lane.free += tx.targets.take_slots(
                lane.target.id, share - lane.slots, lane.target.max_in_flight, lease
            )
        room = _JOBS_PER_SLOT * lane.slots - len(lane.ready) - lane.busy
        if room <= 0:
            return []
        claims = tx.accounts.claim(self._shard, lane.target.id, room, lease)
        return [Job.start(lane.target, claim, tx.now) for claim in claims]

    def _renew(self, tx: Transaction, began: float) -> None:
        """A lease that ran out is not renewed: others may own our accounts and slots by now."""
        age = began - self._leased_at
        self._lost = self._lost or age >= self._rules.lease_s
        if self._lost or age < self._rules.lease_s / _LEASE_RENEWALS:
            return
        if self._jobs:
            tx.accounts.renew(self._token, tx.now + self._rules.lease_s)
        tx.targets.renew_slots(self._token, tx.now + self._rules.lease_s)
        self._leased_at = began

    def _return_slots(self, tx: Transaction) -> None:
        """A lane without work keeps no slot from another sync."""
        for lane in self._lanes.values():
            if lane.free and not lane.ready and not lane.busy and not self._has_jobs(lane):
                tx.targets.give_back(lane.target.id, self._token, lane.free)
                lane.free = []

    def _has_jobs(self, lane: Lane) -> bool:
        return any(job.target is lane.target for job in self._jobs)
