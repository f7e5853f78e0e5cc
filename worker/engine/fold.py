"""Fold: stored events become attributes, and accounts become due.

Promise: every accepted event is folded exactly once, in one transaction with the accounts it makes
due; a worker that dies in between leaves the event unfolded. Any number of folds may run at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.sdk.model import Json
from worker.domain.identity import Folded, Identity, fold
from worker.engine.accept import STREAM
from worker.engine.ports import Due, Effect, Entry, Signals, Store, StoredEvent, Transaction

NORMAL, URGENT = 5, 0  # revocations first


@dataclass(frozen=True, slots=True)
class _Step:
    stored: StoredEvent
    folded: Folded
    identity_id: int


class Fold:
    """`targets` are the names of the configured targets: their accounts become due."""

    def __init__(
        self, store: Store, signals: Signals, targets: frozenset[str], batch: int, shards: int
    ) -> None:
        self._store = store
        self._signals = signals
        self._targets = targets
        self._batch = batch
        self._shards = shards

    def run(self) -> int:
        """Fold until nothing is left; how many events were folded."""
        self._signals.fold_seen()
        total = 0
        while True:
            folded = self._fold_batch()
            total += folded
            if folded < self._batch:
                return total

    def _fold_batch(self) -> int:
        with self._store.begin() as tx:
            events = tx.events.take_unfolded(self._batch, tx.now)
            if not events:
                return 0
            steps, people = _fold_all(tx, events)
            due = _due(steps)
            tx.identities.save({row: people[row] for row in {step.identity_id for step in steps}})
            tx.events.mark_folded([_effect(step) for step in steps])
            tx.accounts.make_due(due, self._target_ids(tx), tx.now)
            for step in steps:
                _audit_tie(tx, step)
        for shard in {item.identity_id % self._shards for item in due}:
            self._signals.sync(shard)
        return len(events)

    def _target_ids(self, tx: Transaction) -> list[int]:
        return [state.id for state in tx.targets.all() if state.name in self._targets]


def _fold_all(tx: Transaction, events: Sequence[StoredEvent]) -> tuple[list[_Step], Mapping[int, Identity]]:
    """Every event in the order of arrival, and each person after the last of them."""
    locked = tx.identities.lock([stored.event.subject for stored in events], tx.now)
    people = dict(locked.values())
    steps: list[_Step] = []
    for stored in sorted(events, key=_arrival):
        identity_id = locked[stored.event.subject][0]
        folded = fold(people[identity_id], stored.event, stored.row)
        people[identity_id] = folded.identity
        steps.append(_Step(stored, folded, identity_id))
    return steps, people


def _arrival(stored: StoredEvent) -> int:
    return stored.row


def _effect(step: _Step) -> Effect:
    if step.folded.changed:
        return Effect(step.stored.row, step.identity_id, step.folded.identity.revision, "changed")
    effect = "superseded" if step.folded.superseded else "unchanged"
    return Effect(step.stored.row, step.identity_id, None, effect)


def _due(steps: Sequence[_Step]) -> list[Due]:
    """One entry for each changed person: its most urgent change, its oldest event."""
    due: dict[int, Due] = {}
    for step in steps:
        if not step.folded.changed:
            continue
        last = due.get(step.identity_id)
        rank = URGENT if _revokes(step.folded) else NORMAL
        since = step.stored.accepted_at
        due[step.identity_id] = Due(
            step.identity_id,
            min(rank, last.priority) if last else rank,
            min(since, last.since) if last else since,
        )
    return [due[row] for row in sorted(due)]


def _revokes(folded: Folded) -> bool:
    return "active" in folded.changed and folded.identity.leaver


def _audit_tie(tx: Transaction, step: _Step) -> None:
    if step.folded.ties:
        facts: dict[str, Json] = {
            "correlation": step.stored.correlation,
            "event": step.stored.event.id,
            "ties": step.folded.ties,
        }
        tx.audit(Entry(STREAM, "event:fold:tie", "hirewire", facts, identity_id=step.identity_id))
