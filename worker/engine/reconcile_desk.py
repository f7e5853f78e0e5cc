"""Reconcile desk: what operators do about reconciliations: ask for one. Audited."""

from __future__ import annotations

from worker.engine.ports import Signals, Store
from worker.engine.reconciling import Policy
from worker.engine.rows import Run
from worker.engine.timetable import begin


class ReconcileDesk:
    """`store` and `signals` as for `worker.engine.run_desk.RunDesk`."""

    def __init__(self, store: Store, signals: Signals) -> None:
        self._store = store
        self._signals = signals

    def request(self, target: str, policy: Policy, actor: str, why: str) -> Run:
        """Write the run down; a worker carries it out. Raises ValueError while another one goes on."""
        with self._store.begin() as tx:
            row = next(state.id for state in tx.targets.all() if state.name == target)
            run = begin(tx, row, target, policy, actor, why)
            if run is None:
                going = tx.drifts.running(target)[0]
                raise ValueError(f"{target} is reconciled by run {going.id} already, which is {going.state}")
        self._signals.run(run.id)
        return run
