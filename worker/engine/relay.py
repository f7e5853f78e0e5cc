"""Relay: finds what a lost message forgot, from rows. Beat calls it every few seconds.

Sends at most one hint for each shard with due accounts, for unfolded events and for unfinished
runs, and probes paused targets. Any number may run at once.
"""

from __future__ import annotations

from worker.engine.keeper import Keeper
from worker.engine.ports import Signals, Store


class Relay:
    def __init__(self, store: Store, signals: Signals, keeper: Keeper) -> None:
        self._store = store
        self._signals = signals
        self._keeper = keeper

    def run(self) -> None:
        with self._store.begin() as tx:
            unfolded = tx.events.waiting(tx.now)
            shards = tx.targets.due_shards(tx.now)
            runs = tx.runs.unfinished()
        if unfolded:
            self._signals.fold()
        for shard in sorted(shards):
            self._signals.sync(shard)
        for run_id in runs:
            self._signals.run(run_id)
        self._keeper.probe_paused()
