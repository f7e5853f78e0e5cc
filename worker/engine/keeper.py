"""Keeping targets: pause what is ill, probe it, resume it. The target's row is the breaker.

A pause by Hirewire is ended by a probe; a pause by an operator only by an operator. Every change is
audited in the target's stream and raises or clears an alarm. A probe only reads, so a target that
refuses changes is on trial after it: few accounts try, the alarm stays open until one of them
succeeds, and each further pause for the same lasts twice as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor

import structlog

from connectors.sdk.model import Json, Outcome, OutcomeKind
from worker.domain.answer import Absorbed, Blame
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Entry, TargetState
from worker.engine.shelter import told
from worker.engine.target import Target

log = structlog.get_logger(__name__)

ALARM = "target_paused"
BRAKE_ALARM = "brake"  # open for as long as the window that it was raised in
WATCHDOG_ALARM = "watchdog"
WATCHDOG_ALARM_S = 3600.0  # a worker that had to exit is worth a look that long
SELF = "hirewire"
_MORE_CHECKS = 2
_DOUBLINGS = 32  # past any longest interval


class Keeper:
    """Safe from every thread; `executor` runs the probes that answers ask for."""

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        targets: Mapping[int, Target],
        store: Store,
        signals: Signals,
        executor: Executor,
        shards: int,
        probe_every_s: float,
        probe_max_s: float,
    ) -> None:
        self._probe_max_s = probe_max_s
        self._targets = targets
        self._store = store
        self._signals = signals
        self._executor = executor
        self._shards = shards
        self._probe_every_s = probe_every_s

    def heed(self, tx: Transaction, target: Target, account_id: int, absorbed: Absorbed) -> None:
        """What one answer means for its target."""
        match absorbed.blame:
            case Blame.NOBODY:
                return
            case Blame.TARGET_BUSY:
                target.gate.close(absorbed.retry_after_s)
                tx.targets.close_gate(target.id, tx.now + absorbed.retry_after_s)
            case Blame.TARGET_SUSPECT:
                why = "an answer that no healthy target gives"
                self._executor.submit(_apart, target, self._suspect, why)
            case Blame.TARGET_REFUSES:
                if target.health.failed(absorbed.blame, account_id):
                    why = "it refused us for several accounts in a row (403)"
                    self._pause(tx, target, absorbed.blame, why)
            case Blame.TARGET_DOWN:
                if target.health.failed(absorbed.blame, account_id):
                    why = "it could not be reached for several accounts in a row"
                    self._pause(tx, target, absorbed.blame, why)
            case Blame.ACCOUNT_GONE:
                if target.health.missed(tx.now):
                    why = "many accounts vanished within a minute (404)"
                    self._pause(tx, target, absorbed.blame, why)

    def introduced(self, target: Target) -> bool:
        """Whether we know whose token ours is; asks in another thread where we do not.

        Nothing is claimed at a target before: the owner of our token must not be written.
        """
        if target.rules.introduced:
            return True
        if target.rules.to_be_asked():
            self._executor.submit(_apart, target, self._introduce)
        return False

    def _introduce(self, target: Target) -> None:
        """Every new process asks: one bad answer must not pause the target for all the others."""
        report = target.connector.check()
        for _ in range(_MORE_CHECKS):
            if report.healthy or report.owner is not None:
                break
            report = target.connector.check()
        if report.healthy or report.owner is not None:
            ours = target.connector.descriptor.owner_only
            target.rules.introduce(*((None, None) if ours else (report.owner, report.owner_id)))
        else:
            target.rules.give_up()
            why = report.problems[0] if report.problems else "it does not answer"
            with self._store.begin() as tx:
                self._pause(tx, target, Blame.TARGET_SUSPECT, f"the connection check failed: {why}")
        for shard in range(self._shards):
            self._signals.sync(shard)

    def _suspect(self, target: Target, why: str) -> None:
        """Probe at once; only a probe that fails as well pauses the target."""
        outcome = target.connector.probe()
        if outcome.kind is OutcomeKind.OBSERVED:
            return
        with self._store.begin() as tx:
            self._pause(tx, target, Blame.TARGET_SUSPECT, f"{why}, and the probe says: {_words(outcome)}")

    def _pause(self, tx: Transaction, target: Target, blame: Blame, reason: str) -> None:
        if tx.targets.lock(target.id).paused:
            return
        target.health.reset()
        target.gate.close(self._probe_every_s)
        wait = self._interval(tx.targets.count_pause(target.id, blame.value))
        tx.targets.pause(target.id, reason, SELF, tx.now + wait)
        tx.targets.raise_alarm(ALARM, target.id, f"{target.name} is paused: {reason}", tx.now)
        tx.audit(Entry(target.stream, "target:pause:paused", SELF, {"target": target.name, "reason": reason}))

    def probe_paused(self) -> None:
        """Probe every target whose time has come; resume the healthy ones."""
        with self._store.begin() as tx:
            due = [state for state in tx.targets.all() if self._is_due(state, tx.now)]
            for state in due:
                tx.targets.set_probe(state.id, tx.now + self._interval(state.pauses))
        for state in due:
            outcome = self._targets[state.id].connector.probe()
            if outcome.kind is OutcomeKind.OBSERVED:
                self._resume(self._targets[state.id])

    def _interval(self, pauses: int) -> float:
        """Seconds to the next probe; `pauses` of one kind in a row."""
        doubled = self._probe_every_s * 2.0 ** min(max(pauses - 1, 0), _DOUBLINGS)
        return max(self._probe_every_s, min(self._probe_max_s, doubled))

    def proved(self, tx: Transaction, target: Target) -> None:
        """A success ended the row of pauses: the next one is the first."""
        state = tx.targets.lock(target.id)
        target.health.pause_kind = None
        if state.paused or not state.pauses:
            return
        tx.targets.forget_pauses(target.id)
        tx.targets.clear_alarm(ALARM, target.id, tx.now)
        if state.pause_kind == Blame.TARGET_REFUSES.value:
            facts: dict[str, Json] = {"target": target.name, "pauses": state.pauses}
            tx.audit(Entry(target.stream, "target:pause:over", SELF, facts))

    def _is_due(self, state: TargetState, now: float) -> bool:
        ours = state.id in self._targets and state.paused and state.paused_by == SELF
        return ours and state.probe_at is not None and state.probe_at <= now

    def _resume(self, target: Target) -> None:
        with self._store.begin() as tx:
            state = tx.targets.lock(target.id)
            if not state.paused or state.paused_by != SELF:
                return
            tx.targets.resume(target.id)
            if state.pause_kind != Blame.TARGET_REFUSES.value:
                tx.targets.clear_alarm(ALARM, target.id, tx.now)
            facts = {"target": target.name, "reason": "a probe answered well"}
            tx.audit(Entry(target.stream, "target:pause:resumed", SELF, dict(facts)))
        for shard in range(self._shards):
            self._signals.sync(shard)


def _apart(target: Target, act: Callable[..., None], *rest: str) -> None:
    """In a thread that nobody waits for: what is raised there is told, and asked again later."""
    try:
        act(target, *rest)
    except Exception as error:  # noqa: BLE001 - a connector or the database
        target.rules.give_up()
        log.error("target_not_asked", target=target.name, **told(error))  # noqa: TRY400 - without values


def _words(outcome: Outcome) -> str:
    return f"{outcome.kind.value} ({outcome.exchange.status}): {outcome.detail}"
