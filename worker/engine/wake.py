"""Wake: a date of a person has come, and their accounts are looked at again.

Promise: each moment is acted upon once, in one transaction with the revision it makes and the
accounts it makes due; a relay that dies leaves it for the next one. Any number may run at once.
"""

from __future__ import annotations

from collections.abc import Collection

from connectors.sdk.model import Json
from worker.domain.dates import Dates, woken
from worker.domain.identity import Identity
from worker.engine.accept import STREAM
from worker.engine.fold import NORMAL, URGENT, target_rows
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Due, Entry

_AT_ONCE = 500  # a later relay takes the others


class Waker:
    """`targets` are the names of the configured targets."""

    def __init__(
        self, store: Store, signals: Signals, targets: Collection[str], dates: Dates, shards: int
    ) -> None:
        self._store = store
        self._signals = signals
        self._targets = targets
        self._dates = dates
        self._shards = shards

    def run(self) -> int:
        """Wake those whose moment has come; how many."""
        with self._store.begin() as tx:
            people = {
                row: woken(person) for row, person in tx.identities.take_waking(_AT_ONCE, tx.now).items()
            }
            if not people:
                return 0
            wakes = {row: self._dates.wake_at(person, tx.now) for row, person in people.items()}
            tx.identities.save(people, wakes)
            due = [self._due(row, people[row], tx.now) for row in sorted(people)]
            tx.accounts.make_due(due, target_rows(tx, self._targets), tx.now)
            for row in sorted(people):
                self._audit(tx, row, people[row])
        for shard in {row % self._shards for row in people}:
            self._signals.sync(shard)
        return len(people)

    def _due(self, row: int, person: Identity, now: float) -> Due:
        return Due(row, URGENT if self._dates.gone(person, now) else NORMAL, now)

    def _audit(self, tx: Transaction, row: int, person: Identity) -> None:
        passed = self._dates.passed(person, tx.now)
        facts: dict[str, Json] = {
            "subject": person.subject,
            "revision": person.revision,
            "passed": list(passed),
        }
        word = "ended" if self._dates.ended(person, tx.now) else "looked"
        tx.audit(Entry(STREAM, f"identity:wake:{word}", "hirewire", facts, identity_id=row))
