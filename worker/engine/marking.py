"""Marking: runs that make stored accounts due with a read: resyncs, and new configurations.

A run is judged first, as a whole (see `worker.engine.judge`). Then a resync makes the selected
accounts due with a read, a mapping run those that another configuration decided about. Both work
page by page; each page commits with the run's cursor, and marking twice is harmless.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.sdk.model import Json
from worker.engine.choosing import WHERE
from worker.engine.judge import MAPPING, Judge
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Entry, Run, RunState, TargetState
from worker.engine.runs import OPERATORS, SELF, superseded, tell_held

RESYNC = "resync"
_PAGE = 500


class Marking:
    """See `worker.engine.runs.Kind`."""

    def __init__(self, store: Store, signals: Signals, shards: int, judge: Judge) -> None:
        self._store = store
        self._signals = signals
        self._shards = shards
        self._judge = judge

    def step(self, run_id: int) -> bool:
        with self._store.begin() as tx:
            run = tx.runs.lock(run_id)
            if run is None or not self._judge.is_current(tx, run):
                return False
            moved = self._move(tx, run)
            tx.runs.save(moved, tx.now)
        if run.state == RunState.RUNNING:
            for shard in range(self._shards):
                self._signals.sync(shard)
        return moved.state in (RunState.JUDGING, RunState.RUNNING)

    def _move(self, tx: Transaction, run: Run) -> Run:
        target = _judged_target(tx, run)
        if run.kind == MAPPING and (target is None or target.mapping_run != run.id):
            return superseded(tx, run)
        if run.state != RunState.RUNNING:
            judged = self._judge.page(tx, run)
            if judged.state == RunState.HELD:
                tell_held(tx, judged)
            return judged
        marked, cursor = self._mark(tx, run, target)
        if cursor is not None:
            return replace(run, cursor=cursor, done=run.done + marked)
        done = replace(run, state=RunState.DONE, done=run.done + marked)
        if target is not None:
            tx.targets.end_mapping_run(target.id, run.id)
        facts: dict[str, Json] = {"run": run.id, "accounts": done.done}
        tx.audit(Entry(OPERATORS, f"run:{run.kind}:done", SELF, facts))
        return done

    def _mark(self, tx: Transaction, run: Run, target: TargetState | None) -> tuple[int, int | None]:
        """How many of the next page were marked, and behind which row the page after it begins."""
        if WHERE in run.selection:
            return self._mark_chosen(tx, run)
        if target is None or target.fingerprint is None:
            rows = tx.accounts.require_read(run.selection, run.cursor, _PAGE, tx.now, run.id)
        else:
            rows = tx.accounts.take_up(target.id, target.fingerprint, run.cursor, _PAGE, tx.now, run.id)
        return len(rows), rows[-1] if len(rows) == _PAGE else None

    def _mark_chosen(self, tx: Transaction, run: Run) -> tuple[int, int | None]:
        takes = self._judge.taking(run, tx.now)
        pairs = tx.accounts.page(run.selection, run.cursor, _PAGE)
        chosen: list[Json] = [account.id for account, person in pairs if takes(person)]
        rows = tx.accounts.require_read({"accounts": chosen}, 0, _PAGE, tx.now, run.id)
        return len(rows), pairs[-1][0].id if len(pairs) == _PAGE else None


def _judged_target(tx: Transaction, run: Run) -> TargetState | None:
    """The one target of a mapping run."""
    if run.kind != MAPPING:
        return None
    return next((state for state in tx.targets.all() if [state.name] == run.selection["targets"]), None)
