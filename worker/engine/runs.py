"""Runs: operations over many accounts, as rows that outlive their worker.

`worker.bootstrap` says who carries out which kind. A run goes step by step, each step commits with the
run's place, and whoever takes it up after a crash goes on there. One that is held moves nothing until
somebody else has approved it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from connectors.sdk.model import Json
from worker.engine.ports import Signals, Stopping, Store, Transaction
from worker.engine.rows import Entry, Run, RunState

OPERATORS = "operators"
HELD_ALARM = "run_held"
SELF = "hirewire"
_BREATH_S = 0.01  # between two steps: SQLite's lock knows no queue, and an operator may want to cancel


class Kind(Protocol):
    """Carries out the runs of one kind."""

    def step(self, run_id: int) -> bool:
        """One step, committed; whether there is another one for us. Safe to take twice."""


class Runs:
    """What a worker does with runs. `kinds`: by the name of the kind. `turn_s`: then others have a turn."""

    def __init__(
        self, store: Store, signals: Signals, stopping: Stopping, kinds: Mapping[str, Kind], turn_s: float
    ) -> None:
        self._store = store
        self._signals = signals
        self._stopping = stopping
        self._kinds = kinds
        self._turn_s = turn_s

    def carry_out(self, run_id: int) -> None:
        """Take one step after the other until the run is held or over, the turn is, or the worker stops."""
        kind, until = self._kind(run_id), time.monotonic() + self._turn_s
        while kind is not None and not self._stopping.wait(_BREATH_S) and kind.step(run_id):
            if time.monotonic() >= until:
                self._signals.run(run_id)
                return

    def _kind(self, run_id: int) -> Kind | None:
        with self._store.begin() as tx:
            run = tx.runs.lock(run_id)
            return None if run is None else self._kinds.get(run.kind)


def supersede(tx: Transaction, run_id: int) -> None:
    """Another configuration has come: the run that judged the last one is over, if it is not already."""
    run = tx.runs.take(run_id)
    if run is not None and run.state not in (RunState.DONE, RunState.FAILED, RunState.CANCELLED):
        tx.runs.save(superseded(tx, run), tx.now)
        clear_if_none_is_held(tx)


def superseded(tx: Transaction, run: Run) -> Run:
    """The run ended because another configuration has come."""
    facts: dict[str, Json] = {"run": run.id, "reason": "a worker was started with another configuration"}
    tx.audit(Entry(OPERATORS, f"run:{run.kind}:superseded", SELF, facts))
    return replace(run, state=RunState.CANCELLED)


def tell_held(tx: Transaction, run: Run) -> None:
    """Its plan would change too much: an alarm, and the audit."""
    message = f"run {run.id} ({run.kind}) is held: {told(run)}; see `hirewire runs show {run.id}`"
    tx.targets.raise_alarm(HELD_ALARM, None, message, tx.now)
    facts: dict[str, Json] = {"run": run.id, "plan": run.plan_hash, "counted": dict(_counted(run))}
    tx.audit(Entry(OPERATORS, f"run:{run.kind}:held", SELF, facts))


def told(run: Run) -> str:
    """How much the run's plan would change, in words."""
    held, counted = run.note.get("held"), _counted(run)
    proposed = run.note.get("proposed")  # of an enrolment, which waits for somebody in any case
    if isinstance(proposed, dict):
        return f"it would link {proposed.get('link', 0)} accounts"
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
