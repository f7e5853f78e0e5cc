"""Sync: one shard's due accounts, at all its targets, from claim to settled.

Promise: no request leaves before its intent is committed; an account's state is written only under
its lease; an answer that comes after the lease was lost is audited as late and changes nothing; a
worker that dies leaves a doubt that the next one reads up on, and its accounts are claimed one after
the other, each alone in its process. One coordinator thread owns the database, the others do HTTP.
Two syncs of one shard are harmless.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from worker.engine.configuration import refuse
from worker.engine.dispatch import Dispatcher, Lane
from worker.engine.job import Job
from worker.engine.keeper import Keeper
from worker.engine.ports import (
    Signals,
    Stopping,
    Store,
    Transaction,
    Vitals,
)
from worker.engine.room import Room
from worker.engine.rows import Claim, Lease
from worker.engine.settle import Settler
from worker.engine.shelter import told
from worker.engine.target import Target

log = structlog.get_logger(__name__)

_LEASE_RENEWALS = 3  # a lease is renewed when a third of it is over
_LEASE_MARGIN = 1 / 12  # 5 s of the default lease of 60 s
_JOBS_PER_SLOT = 2
_ROOM_WAIT = 7 / 12  # of a lease: no request may last longer (config.checks)
_SUSPECTS_SHARE = 1 / 2  # of a sync's time; the rest is for those that nobody suspects
_BREAK_S = 1.0  # between two tries to give back, while the database is away


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
    configuration_alarm_s: float
    crash_limit: int


@dataclass(frozen=True, slots=True)
class _Taken:
    """A committed claim that nobody has looked at yet."""

    lane: Lane
    claim: Claim
    mapping_run: int | None


_Take: TypeAlias = Callable[[Transaction], list[_Taken]]


class Sync:
    """One run over one shard; a new object for each.

    `careful`: claims are committed before anything is done with them, so that an account that
    kills the process at the first look is known by its lease.
    """

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
        room: Room,
        vitals: Vitals,
        *,
        careful: bool,
    ) -> None:
        self._shard = shard
        self._room = room
        self._vitals = vitals
        self._careful = careful
        self._inside = False
        self._taken: list[_Taken] = []
        self._store = store
        self._signals = signals
        self._settler = settler
        self._keeper = keeper
        self._rules = rules
        self._stopping = stopping
        self._token = f"{vitals.name}:{uuid.uuid4().hex}"
        self._lanes = {row: Lane(target) for row, target in targets.items()}
        self._jobs: set[Job] = set()
        self._started = time.monotonic()
        self._leased_at = self._started
        self._lost = False
        self._tick_cost_s = 0.0  # of the last transaction: as long is worth waiting for company in the next
        self._say_at = 0.0
        self._offset = 0.0  # the database's clock minus this process's
        self._dispatcher = Dispatcher(executor, self._may_last, self._clock, stopping)
        self.settled = 0

    def run(self) -> int:
        """Work until the shard is dry, the time is over or the worker stops; how many settled."""
        try:
            self._work_suspects()
            self._loop()
            self._work_suspects()  # of those whose lease ran out, or whose target opened, meanwhile
            with self._store.begin() as tx:
                self._return_slots(tx)
        except Exception as error:
            log.error("sync_broken", shard=self._shard, **told(error))  # noqa: TRY400 - without values
            self._break_off()
            raise
        finally:
            self._leave()
        if self._expired:
            self._signals.sync_seen(self._shard)
            self._signals.sync(self._shard)
        return self.settled

    def _loop(self) -> None:
        lingered = False
        while True:
            if not lingered:  # the last look drops nobody's signal
                self._say_running()
            self._enter()
            self._tick(self._claim)
            if not self._busy:
                self._leave()
            if self._busy or (self._open and self._room.wanted):
                lingered = False
            elif lingered or not self._open:
                return
            else:
                lingered = True
                self._stopping.wait(self._rules.linger_s)
                self._signals.sync_seen(self._shard)

    def _work_suspects(self) -> None:
        """Accounts whose worker died, one after the other, each with the process to itself."""
        until = self._started + self._rules.sync_max_s * _SUSPECTS_SHARE
        found = self._suspected()
        while found and self._open and time.monotonic() < until and self._take_room():
            try:
                self._tick(self._claim_suspect)
                found = self._busy
                while self._busy:
                    self._say_running()
                    self._tick(_nobody)
            finally:
                self._room.give_up()

    def _suspected(self) -> bool:
        """At a target that may be sent to; the process is not emptied for others."""
        with self._store.begin() as tx:
            if not tx.accounts.has_suspect(self._shard, list(self._lanes), tx.now):
                return False
            rows = [lane.target.id for lane, _ in self._open_lanes(tx)]
            return tx.accounts.has_suspect(self._shard, rows, tx.now)

    def _take_room(self) -> bool:
        self._say_running()
        if not self._room.take(self._rules.lease_s * _ROOM_WAIT):
            return False
        self._leased_at = time.monotonic()  # nothing is ours yet
        return True

    def _enter(self) -> None:
        if not self._inside and self._open:
            self._inside = self._room.enter(self._rules.lease_s * _ROOM_WAIT)
            self._leased_at = time.monotonic()

    def _leave(self) -> None:
        if self._inside:
            self._room.leave()
            self._inside = False

    def _break_off(self) -> None:
        """Something failed that no account is to blame for: the database, as a rule.

        What was sent may still take effect, so wait for it; then let go. What the rows say is in
        doubt stays so, and is read up on.
        """
        self._lost = True
        self._dispatcher.drain(self._rules.lease_s * _ROOM_WAIT)
        limit = time.monotonic() + self._rules.lease_s * _ROOM_WAIT
        while not self._given_back() and time.monotonic() < limit and not self._stopping.wait(_BREAK_S):
            pass

    def _given_back(self) -> bool:
        """False while the database is away; in the end the leases run out."""
        try:
            with self._store.begin() as tx:
                tx.accounts.give_back(self._token, tx.now)
                tx.targets.free_slots(self._token)
        except Exception as error:  # noqa: BLE001 - whatever keeps the database away
            log.warning("leases_kept", shard=self._shard, error=type(error).__name__)
            return False
        return True

    @property
    def _busy(self) -> bool:
        return bool(self._jobs or self._taken)

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

    def _tick(self, take: _Take) -> None:
        """Settle what has answered, write intents, claim, commit; then send."""
        lanes = list(self._lanes.values())
        wait = self._dispatcher.wait_s(lanes, self._rules.tick_s)
        answers = self._dispatcher.collect(
            wait, min(self._tick_cost_s, self._rules.tick_s), self._rules.tick_items
        )
        if not answers and self._jobs and self._dispatcher.in_flight == 0 and wait:
            self._stopping.wait(wait)  # only the rate keeps what is ready
        began = time.monotonic()
        with self._store.begin() as tx:
            self._offset = tx.now - time.monotonic()
            self._renew(tx, began)
            self._drop(self._settler.settle(tx, answers, self._token))
            fresh = self._start(tx, self._taken)
            self._taken = take(tx) if self._open else []
            if not self._careful and take == self._claim:
                fresh += self._start(tx, self._taken)
                self._taken = []
            self._jobs.update(fresh)
            self._drop(self._settler.plan(tx, fresh, self._token))
            self._return_slots(tx)
        self._tick_cost_s = time.monotonic() - began
        if answers or fresh:
            self._vitals.settled(self._shard)
        touched = [*fresh, *(answer.job for answer in answers)]
        self._queue(touched)
        for lane in lanes:
            self._dispatcher.send(lane)
        self._settler.committed(touched)

    def _drop(self, closed: list[Job]) -> None:
        self._jobs.difference_update(closed)
        self.settled += len(closed)

    def _queue(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job in self._jobs:
                self._lanes[job.target.id].ready.append(job)

    def _start(self, tx: Transaction, taken: Sequence[_Taken]) -> list[Job]:
        limit = self._rules.crash_limit
        return [Job.start(one.lane.target, one.claim, tx.now, one.mapping_run, limit) for one in taken]

    def _claim(self, tx: Transaction) -> list[_Taken]:
        full = len(self._jobs) >= _JOBS_PER_SLOT * self._rules.threads
        if full or not self._inside or self._room.wanted:
            return []
        return [
            _Taken(lane, claim, mapping_run)
            for lane, mapping_run in self._open_lanes(tx)
            if (room := self._room_in(tx, lane)) > 0
            for claim in tx.accounts.claim(self._shard, lane.target.id, room, self._lease(tx))
        ]

    def _claim_suspect(self, tx: Transaction) -> list[_Taken]:
        for lane, mapping_run in self._open_lanes(tx):
            if self._room_in(tx, lane) > 0:
                claim = tx.accounts.claim_suspect(self._shard, lane.target.id, self._lease(tx))
                if claim is not None:
                    return [_Taken(lane, claim, mapping_run)]
        return []

    def _open_lanes(self, tx: Transaction) -> list[tuple[Lane, int | None]]:
        """Where something is due and may be sent, with the open run that judges the target's mapping."""
        due = tx.accounts.due_targets(self._shard, tx.now)
        states = {state.id: state for state in tx.targets.all()} if due else {}
        found: list[tuple[Lane, int | None]] = []
        for row in sorted(due & self._lanes.keys()):
            state, lane = states[row], self._lanes[row]
            lane.target.health.pause_kind = state.pause_kind
            shut = state.paused or state.gate_until > tx.now or lane.target.gate.closed
            if state.fingerprint not in (None, lane.target.fingerprint):
                refuse(tx, lane.target, self._rules.configuration_alarm_s)
            elif not shut and self._keeper.introduced(lane.target):
                found.append((lane, state.mapping_run))
        return found

    def _lease(self, tx: Transaction) -> Lease:
        return Lease(self._token, tx.now, self._leased_at + self._rules.lease_s + self._offset)

    def _room_in(self, tx: Transaction, lane: Lane) -> int:
        """How many more accounts the lane can take, with as many slots as it may have."""
        share = min(-(-lane.target.max_in_flight // self._rules.shards), self._rules.threads)
        if lane.slots < share:
            lane.free += tx.targets.take_slots(
                lane.target.id, share - lane.slots, lane.target.max_in_flight, self._lease(tx)
            )
        room = _JOBS_PER_SLOT * lane.slots - len(lane.ready) - lane.busy
        trial = lane.target.health.trial
        return room if trial is None else min(room, trial - self._jobs_in(lane))

    def _renew(self, tx: Transaction, began: float) -> None:
        """A lease that ran out is not renewed: others may own our accounts and slots by now."""
        age = began - self._leased_at
        self._lost = self._lost or age >= self._rules.lease_s
        if self._lost or age < self._rules.lease_s / _LEASE_RENEWALS:
            return
        if self._busy:
            tx.accounts.renew(self._token, tx.now + self._rules.lease_s)
        tx.targets.renew_slots(self._token, tx.now + self._rules.lease_s)
        self._leased_at = began

    def _return_slots(self, tx: Transaction) -> None:
        """A lane without work keeps no slot from another sync."""
        for lane in self._lanes.values():
            if lane.free and not lane.ready and not lane.busy and not self._jobs_in(lane):
                tx.targets.give_back(lane.target.id, self._token, lane.free)
                lane.free = []

    def _jobs_in(self, lane: Lane) -> int:
        jobs = sum(job.target is lane.target for job in self._jobs)
        return jobs + sum(one.lane is lane for one in self._taken)


def _nobody(_tx: Transaction) -> list[_Taken]:
    return []
