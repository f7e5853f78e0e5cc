"""Listing: a run pages through all accounts of a target, one request and one commit a page.

Promise: a page is asked for like every other request: under a slot of the target, its rate, its gate
and its pause, and only by a process that has the configuration that counts. It is committed, with the
run's place in the listing, in one transaction, and only if the run still stands where it was asked for.
So a worker that dies costs one page, two workers never take one page twice, and memory holds one page.
An answer that is none is judged by the one outcome table: the run waits and asks again later, and what
was listed so far is never taken for the whole.

`history` asks, under the same conditions, the target's own log about one account. Nobody waits for that:
an answer that is none is not asked for again, and the run hears of it.
"""

from __future__ import annotations

import contextvars
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias, TypeVar

import structlog

from connectors.sdk.contract import Connector
from connectors.sdk.model import Exchange, History, Outcome, OutcomeKind, Page
from connectors.sdk.rest import correlation, write_until
from worker.domain.account import Account
from worker.domain.answer import Absorbed, Moment, Wait, absorb
from worker.domain.policy import Timing
from worker.engine.keeper import Keeper
from worker.engine.ports import Stopping, Store, Transaction
from worker.engine.rows import Lease, Run, Slot
from worker.engine.shelter import told
from worker.engine.target import Target

log = structlog.get_logger(__name__)

WAITS = "waits"  # in the note: until when, and what the last answer was
_LISTING = "listing"
_INTRODUCTION_S = 3.0
_LOOK_S = 0.05
_LONGEST_PACE_S = 5.0  # a rate that asks for more lets the worker do something else meanwhile


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands in its target's listing. It is kept in the run's `position`."""

    pages: int = 0
    cursor: str | None = None
    ended: bool = False  # the last page was taken
    again_at: float = 0.0  # not asked before, because of what the last answer meant
    level: int = 0  # how often it was put off in a row

    @classmethod
    def of(cls, run: Run) -> Place:
        raw: Any = run.position.get(_LISTING) or {}
        return cls(**raw)

    def on(self, run: Run) -> Run:
        """The run, standing here."""
        return replace(run, position={**run.position, _LISTING: dict(asdict(self))})


@dataclass(frozen=True, slots=True)
class Read:
    """One page, and when it was asked for: what was settled since is newer than the page."""

    page: Page
    asked_at: float
    first: bool
    last: bool


Take: TypeAlias = Callable[[Transaction, Run, Read], Run]
"""What a run does with a page, in the transaction that commits it: the run as it is afterwards."""

Hear: TypeAlias = Callable[[Transaction, Run, History], Run]
"""The same for what the target's log tells."""

_Answer = TypeVar("_Answer", Page, History)
_ONLY_US = (OutcomeKind.FORBIDDEN, OutcomeKind.MISSING, OutcomeKind.REJECTED)  # a log that is closed to us


@dataclass(frozen=True, slots=True)
class _Turn:
    run: Run
    slot: Slot
    lease: Lease


class Lister:
    """`lease_s` is longer than a request may last; `random` gives numbers in [0, 1) for the jitter."""

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        store: Store,
        keeper: Keeper,
        timing: Timing,
        stopping: Stopping,
        lease_s: float,
        random: Callable[[], float],
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._timing = timing
        self._stopping = stopping
        self._lease_s = lease_s
        self._random = random

    def step(self, run_id: int, target: Target, take: Take) -> bool:
        """Ask for the next page and commit it; False where that has to wait, or is another's."""
        turn = self._turn(run_id, target)
        if turn is None:
            return False
        cursor = Place.of(turn.run).cursor
        asked = contextvars.copy_context()
        page = asked.run(_ask, target, turn.run, lambda connector: connector.scan(cursor), Page)
        with self._store.begin() as tx:
            run = self._over(tx, target, turn)
            return run is not None and self._take(tx, target, run, page, turn.lease.now, take)

    def history(self, run_id: int, target: Target, remote_id: str, hear: Hear) -> bool:
        """Ask the target's log about one account and commit what it says; False as for `step`."""
        turn = self._turn(run_id, target)
        if turn is None:
            return False
        asked = contextvars.copy_context()
        answer = asked.run(_ask, target, turn.run, lambda connector: connector.history(remote_id), History)
        with self._store.begin() as tx:
            run = self._over(tx, target, turn)
            if run is None:
                return False
            if answer.outcome.kind not in _ONLY_US:
                self._heed(tx, target, run, answer.outcome)
            tx.runs.save(hear(tx, run, answer), tx.now)
        return True

    def _turn(self, run_id: int, target: Target) -> _Turn | None:
        """The right to ask, once it is this run's time; None where that has to wait."""
        turn = self._begin(run_id, target) if self._introduced(target) else None
        if turn is not None and not self._paced(turn):
            self._leave(run_id, target, turn)
            return None
        return turn

    def _begin(self, run_id: int, target: Target) -> _Turn | None:
        """The run's lease and a slot of the target, where it may be asked now."""
        with self._store.begin() as tx:
            run = tx.runs.lock(run_id)
            if run is None or Place.of(run).again_at > tx.now or not self._may_ask(tx, target):
                return None
            lease = Lease(uuid.uuid4().hex, tx.now, tx.now + self._lease_s)
            if not tx.leases.take(_name(run_id), lease):
                return None
            slots = tx.targets.take_slots(target.id, 1, target.max_in_flight, lease)
            if not slots or slots[0].next_send_at > tx.now + _LONGEST_PACE_S:
                tx.targets.give_back(target.id, lease.token, slots)
                tx.leases.give_back(_name(run_id), lease.token)
                return None
            return _Turn(run, slots[0], lease)

    def _may_ask(self, tx: Transaction, target: Target) -> bool:
        state = next(state for state in tx.targets.all() if state.id == target.id)
        shut = state.paused or state.gate_until > tx.now or target.gate.closed
        return not shut and state.fingerprint in (None, target.fingerprint)

    def _introduced(self, target: Target) -> bool:
        """Whether we know whose token ours is; a process that is new asks, and that takes a moment."""
        if target.rules.introduced:
            return True
        with self._store.begin() as tx:
            if not self._may_ask(tx, target):
                return False
        until = time.monotonic() + _INTRODUCTION_S
        while not self._keeper.introduced(target):
            if time.monotonic() >= until or self._stopping.wait(_LOOK_S):
                return False
        return True

    def _paced(self, turn: _Turn) -> bool:
        """Wait for the slot's turn; False where the worker stops meanwhile."""
        wait = turn.slot.next_send_at - turn.lease.now
        return not (self._stopping.wait(wait) if wait > 0 else self._stopping.is_set())

    def _leave(self, run_id: int, target: Target, turn: _Turn) -> None:
        with self._store.begin() as tx:
            tx.targets.give_back(target.id, turn.lease.token, [turn.slot])
            tx.leases.give_back(_name(run_id), turn.lease.token)

    def _over(self, tx: Transaction, target: Target, turn: _Turn) -> Run | None:
        """The run after its request; None where it was cancelled, or taken over by somebody further."""
        run = tx.runs.lock(turn.run.id)
        used = replace(turn.slot, next_send_at=turn.lease.now + target.pace_s)
        tx.targets.give_back(target.id, turn.lease.token, [used])
        tx.leases.give_back(_name(turn.run.id), turn.lease.token)
        stood = (turn.run.position, turn.run.cursor)
        return run if run is not None and (run.position, run.cursor) == stood else None

    def _take(  # noqa: PLR0913 - what a page is, and whose
        self, tx: Transaction, target: Target, run: Run, page: Page, asked_at: float, take: Take
    ) -> bool:
        if page.outcome.kind is not OutcomeKind.OBSERVED:
            tx.runs.save(self._put_off(tx, target, run, page.outcome), tx.now)
            return False
        before = Place.of(run)
        here = Place(before.pages + 1, page.cursor, ended=page.cursor is None)
        read = Read(page, asked_at, first=before.pages == 0, last=here.ended)
        here_now = replace(here.on(run), note={k: v for k, v in run.note.items() if k != WAITS})
        tx.runs.save(take(tx, here_now, read), tx.now)
        return True

    def _put_off(self, tx: Transaction, target: Target, run: Run, outcome: Outcome) -> Run:
        """The target hears of it as of every answer, and the run asks again when the table says."""
        place = Place.of(run)
        absorbed = self._heed(tx, target, run, outcome)
        least = tx.now + self._timing.backoff_base_s
        again_at = absorbed.follow.due_at if isinstance(absorbed.follow, Wait) else least
        failure = f"{outcome.kind.value}: {outcome.detail or outcome.exchange.status}"
        log.warning("listing_put_off", run=run.id, target=target.name, outcome=outcome.kind.value)
        later = replace(place, again_at=again_at, level=place.level + 1)
        return replace(later.on(run), note={**run.note, WAITS: {"until": again_at, "why": failure}})

    def _heed(self, tx: Transaction, target: Target, run: Run, outcome: Outcome) -> Absorbed:
        absorbed = self._absorbed(target, Place.of(run), outcome, tx.now)
        self._keeper.heed(tx, target, -run.id, absorbed)  # no account has this number
        return absorbed

    def _absorbed(self, target: Target, place: Place, outcome: Outcome, now: float) -> Absorbed:
        """As for a read of an account; a listing that is not there is an answer no healthy target gives."""
        if outcome.kind is OutcomeKind.MISSING:
            outcome = replace(outcome, kind=OutcomeKind.SUSPECT)
        reader = Account(0, 0, target.id, must_read=True, level=place.level)
        return absorb(reader, outcome, target.policy, Moment(now, self._random(), self._timing))


def _ask(
    target: Target, run: Run, question: Callable[[Connector], _Answer], lost: Callable[[Outcome], _Answer]
) -> _Answer:
    """In a context of its own, in which no write can leave. `lost` makes an answer of a failure."""
    write_until.set(0.0)
    correlation.set(f"run-{run.id}")
    began = time.monotonic()
    try:
        answer = question(target.connector)
    except Exception as error:  # noqa: BLE001 - a connector must not raise; its answer is lost
        log.error("connector_failed", target=target.name, **told(error))  # noqa: TRY400 - without values
        exchange = Exchange("GET", "", duration_s=time.monotonic() - began)
        detail = f"the connector failed: {type(error).__name__}"
        return lost(Outcome(OutcomeKind.AMBIGUOUS, exchange, detail=detail))
    if answer.outcome.retry_after_s is not None:
        target.gate.close(answer.outcome.retry_after_s)  # at once; the row follows with the commit
    return answer


def _name(run_id: int) -> str:
    return f"run:{run_id}"
