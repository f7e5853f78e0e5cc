"""Runs: operations over many accounts, as rows that outlive their worker.

A run is judged first, as a whole (see `worker.engine.judge`). Then a resync makes the selected
accounts due with a read, a mapping run those that another configuration decided about. Both work
page by page; each page commits with the run's cursor, so a run that was interrupted goes on where it
was, and marking twice is harmless. A held run moves nothing until somebody else has approved it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.sdk.model import Json
from worker.engine.judge import MAPPING, Judge
from worker.engine.ports import Signals, Stopping, Store, Transaction
from worker.engine.rows import Entry, Run, RunState, TargetState

RESYNC = "resync"
OPERATORS = "operators"
HELD_ALARM = "run_held"
SELF = "hirewire"
_PAGE = 500


class Runs:
    """What a worker does with runs."""

    def __init__(self, store: Store, signals: Signals, shards: int, stopping: Stopping, judge: Judge) -> None:
        self._store = store
        self._signals = signals
        self._shards = shards
        self._stopping = stopping
        self._judge = judge

    def carry_out(self, run_id: int) -> None:
        """Judge the run, then work through its pages, until it is held or done or the worker stops."""
        while not self._stopping.is_set() and self._page(run_id):
            pass

    def _page(self, run_id: int) -> bool:
        """One transaction of the run; whether there is another one for us."""
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
            return _superseded(tx, run)
        if run.state != RunState.RUNNING:
            judged = self._judge.page(tx, run)
            if judged.state == RunState.HELD:
                _tell_held(tx, judged)
            return judged
        rows = _mark(tx, run, target)
        if len(rows) == _PAGE:
            return replace(run, cursor=rows[-1], done=run.done + len(rows))
        done = replace(run, state=RunState.DONE, done=run.done + len(rows))
        if target is not None:
            tx.targets.end_mapping_run(target.id, run.id)
        facts: dict[str, Json] = {"run": run.id, "accounts": done.done}
        tx.audit(Entry(OPERATORS, f"run:{run.kind}:done", SELF, facts))
        return done


def supersede(tx: Transaction, run_id: int) -> None:
    """Another configuration has come: the run that judged the last one is over, if it is not already."""
    run = tx.runs.take(run_id)
    if run is not None and run.state not in (RunState.DONE, RunState.CANCELLED):
        tx.runs.save(_superseded(tx, run), tx.now)
        clear_if_none_is_held(tx)


def _superseded(tx: Transaction, run: Run) -> Run:
    facts: dict[str, Json] = {"run": run.id, "reason": "a worker was started with another configuration"}
    tx.audit(Entry(OPERATORS, f"run:{run.kind}:superseded", SELF, facts))
    return replace(run, state=RunState.CANCELLED)


def _judged_target(tx: Transaction, run: Run) -> TargetState | None:
    """The one target of a mapping run."""
    if run.kind != MAPPING:
        return None
    return next((state for state in tx.targets.all() if [state.name] == run.selection["targets"]), None)


def _mark(tx: Transaction, run: Run, target: TargetState | None) -> list[int]:
    if target is None or target.fingerprint is None:
        return tx.accounts.require_read(run.selection, run.cursor, _PAGE, tx.now, run.id)
    return tx.accounts.take_up(target.id, target.fingerprint, run.cursor, _PAGE, tx.now, run.id)


def _tell_held(tx: Transaction, run: Run) -> None:
    message = f"run {run.id} ({run.kind}) is held: {told(run)}; see `hirewire runs show {run.id}`"
    tx.targets.raise_alarm(HELD_ALARM, None, message, tx.now)
    facts: dict[str, Json] = {"run": run.id, "plan": run.plan_hash, "counted": dict(_counted(run))}
    tx.audit(Entry(OPERATORS, f"run:{run.kind}:held", SELF, facts))


def told(run: Run) -> str:
    """How much the run's plan would change, in words."""
    held, counted = run.note.get("held"), _counted(run)
    changed = counted.get("changed")
    if not isinstance(held, dict) or not isinstance(changed, dict):
        return "its plan is not made yet"
    parts = [
        f"{changed.get(name)} of {accounts} accounts of {name} would change"
        for name, accounts in held.items()
    ]
    return ", ".join(parts)


def _counted(run: Run) -> Mapping[str, Json]:
    counted = run.note.get("counted")
    return counted if isinstance(counted, dict) else {}


def clear_if_none_is_held(tx: Transaction) -> None:
    """The alarm ends with the last held run."""
    if not tx.runs.held():
        tx.targets.clear_alarm(HELD_ALARM, None, tx.now)
