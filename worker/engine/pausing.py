"""What an operator does to a target: pause it, and resume it. A pause of theirs is ended by nobody else.

Audited twice: what was asked for in the stream of the operators, what became of the target in its own.
"""

from __future__ import annotations

from connectors.sdk.model import Json
from worker.domain.operator import Principal
from worker.engine.keeper import ALARM
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Entry, TargetState
from worker.engine.runs import OPERATORS


class Pausing:
    """Use cases; each is one transaction, and safe beside workers, which look at the row."""

    def __init__(self, store: Store, signals: Signals, shards: int) -> None:
        self._store = store
        self._signals = signals
        self._shards = shards

    def pause(self, name: str, by: Principal, why: str) -> bool:
        """Whether that changed anything: False where this operator has paused it already.

        A pause by Hirewire becomes the operator's, which no probe ends. What is in flight is finished.
        """
        with self._store.begin() as tx:
            state = _locked(tx, name)
            if state.paused and state.paused_by == by.actor:
                return False
            tx.targets.pause(state.id, f"{by.actor}: {why}", by.actor, None)
            tx.targets.clear_alarm(ALARM, state.id, tx.now)
            message = f"{name} is paused by {by.actor}: {why}"
            tx.targets.raise_alarm(ALARM, state.id, message, tx.now)
            _tell(tx, "pause", "paused", name, by, why)
        return True

    def resume(self, name: str, by: Principal, why: str) -> bool:
        """Whether that changed anything. Ends an operator's pause as well as Hirewire's own."""
        with self._store.begin() as tx:
            state = _locked(tx, name)
            if not state.paused:
                return False
            tx.targets.resume(state.id)
            tx.targets.clear_alarm(ALARM, state.id, tx.now)
            _tell(tx, "resume", "resumed", name, by, why)
        for shard in range(self._shards):
            self._signals.sync(shard)
        return True


def _locked(tx: Transaction, name: str) -> TargetState:
    """Raises KeyError for a target that no worker has registered yet."""
    rows = {state.name: state.id for state in tx.targets.all()}
    return tx.targets.lock(rows[name])


def _tell(  # noqa: PLR0913 - what was asked, what became of it, and who
    tx: Transaction, asked: str, word: str, name: str, by: Principal, why: str
) -> None:
    facts: dict[str, Json] = {"target": name, "why": why}
    tx.audit(Entry(OPERATORS, f"target:{asked}:requested", by.actor, dict(facts)))
    told: dict[str, Json] = {"target": name, "reason": why}
    tx.audit(Entry(f"target:{name}", f"target:pause:{word}", by.actor, told))
