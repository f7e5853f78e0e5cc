"""Keeping targets: pause what is ill, probe it, resume it. The target's row is the breaker.

A pause by Hirewire is ended by a probe; a pause by an operator only by an operator. Every change is
audited in the target's stream and raises or clears an alarm.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Executor

from connectors.sdk.model import Outcome, OutcomeKind
from worker.domain.answer import Absorbed, Blame
from worker.engine.ports import Entry, Signals, Store, TargetState, Transaction
from worker.engine.target import Target

ALARM = "target_paused"
BRAKE_ALARM = "brake"  # open for as long as the window that it was raised in
SELF = "hirewire"
log = logging.getLogger(__name__)


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
    ) -> None:
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
                self._executor.submit(self._suspect, target, "an answer that no healthy target gives")
            case Blame.TARGET_REFUSES:
                if target.health.failed(absorbed.blame, account_id):
                    self._pause(tx, target, "it refused us for several accounts in a row (403)")
            case Blame.TARGET_DOWN:
                if target.health.failed(absorbed.blame, account_id):
                    self._pause(tx, target, "it could not be reached for several accounts in a row")
            case Blame.ACCOUNT_GONE:
                if target.health.missed(tx.now):
                    self._pause(tx, target, "many accounts vanished within a minute (404)")

    def introduced(self, target: Target) -> bool:
        """Whether we know whose token ours is; asks in another thread where we do not.

        Nothing is claimed at a target before: the owner of our token must not be written.
        """
        if target.rules.introduced:
            return True
        if target.rules.to_be_asked():
            self._executor.submit(self._introduce, target)
        return False

    def _introduce(self, target: Target) -> None:
        report = target.connector.check()
        if report.healthy or report.owner is not None:
            ours = target.connector.descriptor.owner_only
            target.rules.introduce(*((None, None) if ours else (report.owner, report.owner_id)))
        else:
            target.rules.give_up()
            why = report.problems[0] if report.problems else "it does not answer"
            with self._store.begin() as tx:
                self._pause(tx, target, f"the connection check failed: {why}")
        for shard in range(self._shards):
            self._signals.sync(shard)

    def _suspect(self, target: Target, why: str) -> None:
        """Probe at once; only a probe that fails as well pauses the target."""
        outcome = target.connector.probe()
        if outcome.kind is OutcomeKind.OBSERVED:
            return
        with self._store.begin() as tx:
            self._pause(tx, target, f"{why}, and the probe says: {_words(outcome)}")

    def _pause(self, tx: Transaction, target: Target, reason: str) -> None:
        if tx.targets.lock(target.id).paused:
            return
        target.health.reset()
        target.gate.close(self._probe_every_s)
        tx.targets.pause(target.id, reason, SELF, tx.now + self._probe_every_s)
        tx.targets.raise_alarm(ALARM, target.id, f"{target.name} is paused: {reason}", tx.now)
        tx.audit(Entry(target.stream, "target:pause:paused", SELF, {"target": target.name, "reason": reason}))
        log.warning("target_paused", extra={"target": target.name, "reason": reason})

    def probe_paused(self) -> None:
        """Probe every target whose time has come; resume the healthy ones."""
        with self._store.begin() as tx:
            due = [state for state in tx.targets.all() if self._is_due(state, tx.now)]
            for state in due:
                tx.targets.set_probe(state.id, tx.now + self._probe_every_s)
        for state in due:
            outcome = self._targets[state.id].connector.probe()
            if outcome.kind is OutcomeKind.OBSERVED:
                self._resume(self._targets[state.id])

    def _is_due(self, state: TargetState, now: float) -> bool:
        ours = state.id in self._targets and state.paused and state.paused_by == SELF
        return ours and state.probe_at is not None and state.probe_at <= now

    def _resume(self, target: Target) -> None:
        with self._store.begin() as tx:
            state = tx.targets.lock(target.id)
            if not state.paused or state.paused_by != SELF:
                return
            tx.targets.resume(target.id)
            tx.targets.clear_alarm(ALARM, target.id, tx.now)
            facts = {"target": target.name, "reason": "a probe answered well"}
            tx.audit(Entry(target.stream, "target:pause:resumed", SELF, dict(facts)))
        for shard in range(self._shards):
            self._signals.sync(shard)


def _words(outcome: Outcome) -> str:
    return f"{outcome.kind.value} ({outcome.exchange.status}): {outcome.detail}"
