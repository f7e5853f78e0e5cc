"""Fold: stored events become attributes, and accounts become due.

Promise: every accepted event is folded exactly once, in one transaction with the accounts it makes
due; a worker that dies in between leaves the event unfolded. An event whose folding raises keeps no
other back: it is set aside with an alarm, and tried again. Any number of folds may run at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from connectors.sdk.model import Json
from worker.domain.dates import Dates
from worker.domain.identity import Folded, Identity, fold
from worker.engine.accept import STREAM
from worker.engine.again import whole
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Due, Effect, Entry, StoredEvent
from worker.engine.shelter import sheltered

ASIDE_ALARM = "event_aside"
log = logging.getLogger(__name__)
NORMAL, URGENT = 5, 0  # revocations first
_LEAVING = frozenset({"active", "end_date"})


@dataclass(frozen=True, slots=True)
class _Step:
    stored: StoredEvent
    folded: Folded
    identity_id: int
    urgent: bool
    wake_at: float | None


@dataclass(slots=True)
class _Try:
    """Folding one event: what came of it, or why nothing did."""

    stored: StoredEvent
    identity_id: int
    step: _Step | None = None
    why: str = ""

    @property
    def label(self) -> str:
        return f"event {self.stored.row}"

    def stumbled(self, why: str, now: float) -> None:  # noqa: ARG002 - see Stumbling
        self.why = why


@dataclass(slots=True)
class _Batch:
    """Every event of a batch, and each person after the last of them."""

    people: dict[int, Identity]
    steps: list[_Step] = field(default_factory=list)
    failed: list[_Try] = field(default_factory=list)


class Fold:
    """`targets` are the names of the configured targets: their accounts become due.

    `around` is entered for each batch. A failed event is tried again after `aside_s`.
    """

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        store: Store,
        signals: Signals,
        targets: frozenset[str],
        batch: int,
        shards: int,
        dates: Dates,
        aside_s: float = 21_600,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._aside_s = aside_s
        self._around = around
        self._store = store
        self._signals = signals
        self._targets = targets
        self._batch = batch
        self._shards = shards
        self._dates = dates

    def run(self) -> int:
        """Fold until nothing is left; how many events were folded."""
        self._signals.fold_seen()
        total = 0
        while True:
            with self._around():
                folded = whole(self._fold_batch)
            total += folded
            if folded < self._batch:
                return total

    def _fold_batch(self) -> int:
        with self._store.begin() as tx:
            events = tx.events.take_unfolded(self._batch, tx.now)
            if not events:
                return 0
            batch = _fold_all(tx, events, self._dates)
            steps, due = batch.steps, _due(batch.steps)
            touched = {step.identity_id: batch.people[step.identity_id] for step in steps}
            wakes = {step.identity_id: step.wake_at for step in steps}
            tx.identities.save(touched, wakes)
            tx.events.mark_folded([_effect(step) for step in steps])
            tx.accounts.make_due(due, target_rows(tx, self._targets), tx.now)
            for step in steps:
                _audit_tie(tx, step)
            self._set_aside(tx, batch.failed)
            _clear_alarm(tx, steps)
        if log.isEnabledFor(logging.DEBUG):
            for step in steps:
                log.debug("event_folded", extra=_identifiers(step))
        for shard in {item.identity_id % self._shards for item in due}:
            self._signals.sync(shard)
        return len(events)

    def _set_aside(self, tx: Transaction, failed: Sequence[_Try]) -> None:
        """Nothing is lost: the events are kept as they are."""
        if not failed:
            return
        tx.events.set_aside([one.stored.row for one in failed], tx.now + self._aside_s)
        for one in failed:
            facts: dict[str, Json] = {
                "correlation": one.stored.correlation,
                "event": one.stored.event.id,
                "detail": one.why,
            }
            tx.audit(Entry(STREAM, "event:fold:aside", "hirewire", facts, identity_id=one.identity_id))
        tx.targets.raise_alarm(ASIDE_ALARM, None, f"an event cannot be folded: {failed[0].why}", tx.now)


def target_rows(tx: Transaction, names: Collection[str]) -> list[int]:
    return [state.id for state in tx.targets.all() if state.name in names]


def _fold_all(tx: Transaction, events: Sequence[StoredEvent], dates: Dates) -> _Batch:
    """In the order of arrival."""
    locked = tx.identities.lock([stored.event.subject for stored in events], tx.now)
    batch = _Batch(dict(locked.values()))
    for stored in sorted(events, key=_arrival):
        one = _Try(stored, locked[stored.event.subject][0])
        with sheltered(one, tx.now):
            one.step = _fold(one, batch.people, dates, tx.now)
        if one.step is None:
            batch.failed.append(one)
        else:
            batch.people[one.identity_id] = one.step.folded.identity
            batch.steps.append(one.step)
    return batch


def _fold(one: _Try, people: Mapping[int, Identity], dates: Dates, now: float) -> _Step:
    folded = fold(people[one.identity_id], one.stored.event, one.stored.row)
    wake_at = dates.wake_at(folded.identity, now)
    return _Step(one.stored, folded, one.identity_id, _revokes(folded, dates, now), wake_at)


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
        rank = URGENT if step.urgent else NORMAL
        since = step.stored.accepted_at
        due[step.identity_id] = Due(
            step.identity_id,
            min(rank, last.priority) if last else rank,
            min(since, last.since) if last else since,
        )
    return [due[row] for row in sorted(due)]


def _identifiers(step: _Step) -> dict[str, object]:
    effect = _effect(step)
    return {
        "correlation": step.stored.correlation,
        "identity": step.identity_id,
        "effect": effect.effect,
        "revision": effect.revision,
    }


def _revokes(folded: Folded, dates: Dates, now: float) -> bool:
    return bool(_LEAVING & set(folded.changed)) and dates.gone(folded.identity, now)


def _clear_alarm(tx: Transaction, steps: Sequence[_Step]) -> None:
    """What was set aside has been folded after all."""
    if any(step.stored.aside for step in steps) and not tx.events.any_aside():
        tx.targets.clear_alarm(ASIDE_ALARM, None, tx.now)


def _audit_tie(tx: Transaction, step: _Step) -> None:
    if step.folded.ties:
        facts: dict[str, Json] = {
            "correlation": step.stored.correlation,
            "event": step.stored.event.id,
            "ties": step.folded.ties,
        }
        tx.audit(Entry(STREAM, "event:fold:tie", "hirewire", facts, identity_id=step.identity_id))
