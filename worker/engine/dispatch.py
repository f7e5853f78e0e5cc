"""Sending: threads that do HTTP and nothing else, under slots, gate, rate and lease.

A request leaves only after the transaction with its intent has committed, while its target's gate
is open, and while the lease has more left than the request may take. Otherwise it comes back as
not sent. The coordinator owns everything here; threads see one request and the answers' queue.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import structlog

from connectors.sdk.model import Exchange, Found, Outcome, OutcomeKind
from connectors.sdk.rest import correlation, request_id, write_until
from connectors.sdk.superusers import another_superuser
from worker.domain.plan import Census, Create, Delete, Demote, Fetch, Find, Patch
from worker.engine.job import Answer, Job, is_write
from worker.engine.ports import Stopping
from worker.engine.rows import Slot
from worker.engine.target import Target

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Lane:
    """One target's part of a sync: its free slots, those in use, and what waits for one."""

    target: Target
    free: list[Slot] = field(default_factory=list)
    busy: int = 0
    ready: deque[Job] = field(default_factory=deque)

    @property
    def slots(self) -> int:
        return len(self.free) + self.busy


class Dispatcher:
    """`may_last` tells how many seconds a request may take; `clock` is the database's time."""

    def __init__(
        self,
        executor: Executor,
        may_last: Callable[[], float],
        clock: Callable[[], float],
        stopping: Stopping,
    ) -> None:
        self._executor = executor
        self._may_last = may_last
        self._clock = clock
        self._stopping = stopping
        self._answers: queue.SimpleQueue[tuple[Answer, Lane, Slot]] = queue.SimpleQueue()
        self.in_flight = 0

    def send(self, lane: Lane) -> None:
        """Start what the lane's free slots and its rate allow."""
        now = self._clock()
        lane.free.sort(key=_next_send)
        while lane.ready and lane.free and lane.free[0].next_send_at <= now:
            job, slot = lane.ready.popleft(), lane.free.pop(0)
            used = replace(slot, next_send_at=now + lane.target.pace_s)
            lane.busy += 1
            self.in_flight += 1
            context = contextvars.copy_context()  # the task's identifiers, for the lines of its threads
            self._executor.submit(context.run, self._perform, job, lane, used)

    def wait_s(self, lanes: list[Lane], most: float) -> float:
        """How long nothing can happen but an answer."""
        now = self._clock()
        waits = [lane.free[0].next_send_at - now for lane in lanes if lane.ready and lane.free]
        return max(0.0, min([most, *waits]))

    def collect(self, wait_s: float, gather_s: float, most: int) -> list[Answer]:
        """The answers that are here, waiting for the first; their slots are free again.

        Those that follow the first within `gather_s` come along: one transaction settles them all.
        """
        answers: list[Answer] = []
        until = time.monotonic() + max(wait_s, 0.001)
        while self.in_flight and len(answers) < most:
            try:
                answer, lane, slot = self._answers.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            lane.free.append(slot)
            lane.busy -= 1
            self.in_flight -= 1
            answers.append(answer)
            if len(answers) == 1:
                until = time.monotonic() + gather_s
        return answers

    def drain(self, wait_s: float) -> None:
        """Wait until nothing is in flight, and drop what comes."""
        limit = time.monotonic() + wait_s
        while self.in_flight and (left := limit - time.monotonic()) > 0:
            self.collect(left, left, self.in_flight)

    def _perform(self, job: Job, lane: Lane, slot: Slot) -> None:
        structlog.contextvars.bind_contextvars(**job.identifiers)
        try:
            answer = self._ask(job)
        except Exception as error:  # a connector must not raise; what it sent nobody knows
            log.exception("connector_failed")
            answer = Answer(job, job.step, _broken(job, error))
        self._answers.put((answer, lane, slot))

    def _ask(self, job: Job) -> Answer:
        step, target = job.step, job.target
        if self._stopping.is_set():
            return Answer(job, step, None, unsent="the worker is stopping")
        if target.gate.closed:
            return Answer(job, step, None, unsent="the target's gate closed")
        if self._may_last() < target.deadline_s:
            return Answer(job, step, None, unsent="the lease was about to end")
        request_id.set(job.request or None)  # the thread's context is a copy, used once
        correlation.set(job.cause.correlation)
        write_until.set(time.monotonic() + self._may_last())
        result = call(job)
        _close_gate(target, result)
        return Answer(job, step, result)


def _broken(job: Job, error: Exception) -> Outcome | Found:
    exchange = Exchange("PATCH" if is_write(job.step) else "GET", "")
    detail = f"the connector failed: {type(error).__name__}"
    outcome = Outcome(OutcomeKind.AMBIGUOUS, exchange, detail=detail)
    return Found(outcome) if isinstance(job.step, Find | Census) else outcome


def _next_send(slot: Slot) -> float:
    return slot.next_send_at


def call(job: Job) -> Outcome | Found:
    """What the job's step asks of the connector."""
    connector, remote_id = job.target.connector, job.account.remote_id
    match job.step:
        case Find():
            return connector.find({job.target.policy.correlation: job.person.correlation})
        case Patch(changes) if remote_id is not None:
            digests = {name: sent.content for name, sent in job.account.sent.items()}
            return connector.patch(remote_id, changes, digests)
        case Create(values):
            return connector.create(values)
        case Demote() if remote_id is not None:
            return connector.demote(remote_id)
        case Delete() if remote_id is not None:
            return connector.delete(remote_id)
        case Census() if remote_id is not None:
            return another_superuser(connector, remote_id, job.target.deadline_s)
        case Fetch() if remote_id is not None:
            return connector.fetch(remote_id)
        case step:
            raise AssertionError(f"{step} is no request")


def _close_gate(target: Target, result: Outcome | Found) -> None:
    """At once and in this process, before any other thread sends; the row follows with the tick."""
    outcome = result.outcome if isinstance(result, Found) else result
    if outcome.retry_after_s is not None:
        target.gate.close(outcome.retry_after_s)
