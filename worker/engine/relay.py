"""Relay: finds what a lost message forgot, from rows. Beat calls it every few seconds.

Sends at most one hint for each shard with due accounts, for unfolded events and for unfinished
runs, wakes people whose dates have come, and probes paused targets. Any number may run at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from worker.engine import gap_watch, stale
from worker.engine.configuration import CONFIGURATION_ALARM
from worker.engine.keeper import BRAKE_ALARM, WATCHDOG_ALARM, WATCHDOG_ALARM_S, Keeper
from worker.engine.ports import Signals, Store
from worker.engine.wake import Waker


class Relay:
    """`targets` are the configured ones, names by row: accounts of others wait for their return."""

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        store: Store,
        signals: Signals,
        keeper: Keeper,
        targets: Mapping[int, str],
        brake_window_s: float,
        freshness_alarm_s: float,
        waker: Waker,
        configuration_alarm_s: float,
        gap_alarm_s: float = 300,
        gap_kept_s: float = 604_800,
    ) -> None:
        self._store = store
        self._signals = signals
        self._keeper = keeper
        self._targets = targets
        self._brake_window_s = brake_window_s
        self._freshness_alarm_s = freshness_alarm_s
        self._waker = waker
        self._configuration_alarm_s = configuration_alarm_s
        self._gap_alarm_s = gap_alarm_s
        self._gap_kept_s = gap_kept_s

    def run(self) -> None:
        self._waker.run()
        with self._store.begin() as tx:
            tx.unique_values.wake_forgotten(tx.now)
            unfolded = tx.events.waiting(tx.now)
            shards = tx.targets.due_shards(sorted(self._targets), tx.now)
            runs = tx.runs.unfinished()
            tx.targets.expire_alarms(BRAKE_ALARM, tx.now - self._brake_window_s, tx.now)
            tx.targets.expire_alarms(WATCHDOG_ALARM, tx.now - WATCHDOG_ALARM_S, tx.now)
            tx.targets.expire_alarms(CONFIGURATION_ALARM, tx.now - self._configuration_alarm_s, tx.now)
            gap_watch.watch(tx, self._gap_alarm_s, self._gap_kept_s)
            stale.watch(tx, self._targets, self._freshness_alarm_s)
        if unfolded:
            self._signals.fold()
        for shard in sorted(shards):
            self._signals.sync(shard)
        for run_id in runs:
            self._signals.run(run_id)
        self._keeper.probe_paused()
