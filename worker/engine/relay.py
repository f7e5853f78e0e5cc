"""Relay: finds what a lost message forgot, from rows. Beat calls it every few seconds.

Sends at most one hint for each shard with due accounts, for unfolded events and for unfinished
runs, and probes paused targets. Any number may run at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from worker.engine.keeper import BRAKE_ALARM, Keeper
from worker.engine.ports import Signals, Store


class Relay:
    """`target_ids` are the configured targets: accounts of others wait for their return."""

    def __init__(
        self,
        store: Store,
        signals: Signals,
        keeper: Keeper,
        target_ids: Sequence[int],
        brake_window_s: float,
    ) -> None:
        self._store = store
        self._signals = signals
        self._keeper = keeper
        self._target_ids = target_ids
        self._brake_window_s = brake_window_s

    def run(self) -> None:
        with self._store.begin() as tx:
            unfolded = tx.events.waiting(tx.now)
            shards = tx.targets.due_shards(self._target_ids, tx.now)
            runs = tx.runs.unfinished()
            tx.targets.expire_alarms(BRAKE_ALARM, tx.now - self._brake_window_s, tx.now)
        if unfolded:
            self._signals.fold()
        for shard in sorted(shards):
            self._signals.sync(shard)
        for run_id in runs:
            self._signals.run(run_id)
        self._keeper.probe_paused()
