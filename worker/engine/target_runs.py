"""What runs about one target have in common: which target it is, and whether this process may go on."""

from __future__ import annotations

from collections.abc import Mapping

from worker.engine.judge import Judge
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Run
from worker.engine.target import Target


class TargetRuns:
    """`targets` are the configured ones, by row; here they go by name."""

    def __init__(
        self, store: Store, signals: Signals, judge: Judge, targets: Mapping[int, Target], shards: int
    ) -> None:
        self.store = store
        self.judge = judge
        self.targets = {target.name: target for target in targets.values()}
        self._signals = signals
        self._shards = shards

    def take(self, tx: Transaction, run_id: int) -> tuple[Run, Target] | None:
        """The run, locked, and its target; None where it is not for this process, or not now."""
        run = tx.runs.lock(run_id)
        target = None if run is None else self._of(run)
        if run is None or target is None or not self.judge.is_current(tx, run):
            return None
        return run, target

    def wake(self) -> None:
        """Accounts were made due: every shard is told."""
        for shard in range(self._shards):
            self._signals.sync(shard)

    def _of(self, run: Run) -> Target | None:
        named = run.selection.get("targets")
        return self.targets.get(str(named[0])) if isinstance(named, list) and named else None
