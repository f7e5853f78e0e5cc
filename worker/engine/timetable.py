"""The timetable: which targets are to be reconciled now. Beat pokes it; any number may look at once.

Promise: for one target and slot there is one run, whoever looks and however often: the run is a row,
unique by target and slot, and made under the target's lock. A slot that passed while nobody looked is made
up for once, the newest one only. While a reconciliation of the target goes on no other begins, whoever
asked for it; one that is held is replaced by the schedule's next, since its list is old by then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.cron import Slots
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.reconciling import RECONCILE, Policy
from worker.engine.rows import Entry, Run, RunState
from worker.engine.runs import OPERATORS, clear_if_none_is_held

SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Planned:
    """A target that is reconciled by schedule."""

    name: str
    slots: Slots
    policy: Policy


class Timetable:
    """`planned` by the target's row."""

    def __init__(self, store: Store, signals: Signals, planned: Mapping[int, Planned]) -> None:
        self._store = store
        self._signals = signals
        self._planned = planned

    def run(self) -> list[int]:
        """Write down what is due; the runs that are new."""
        made = [self._due(row, planned) for row, planned in sorted(self._planned.items())]
        new = [run.id for run in made if run is not None]
        for run_id in new:
            self._signals.run(run_id)
        return new

    def _due(self, row: int, planned: Planned) -> Run | None:
        with self._store.begin() as tx:
            slot = planned.slots.newest(tx.now)
            if slot is None or tx.drifts.has_slot(_key(planned, slot)):
                return None
            why = f"the schedule of {planned.name}"
            return begin(tx, row, planned.name, planned.policy, SCHEDULE, why, _key(planned, slot))


def begin(  # noqa: PLR0913 - what a run is
    tx: Transaction,
    row: int,
    target: str,
    policy: Policy,
    actor: str,
    why: str,
    scheduled: str | None = None,
) -> Run | None:
    """A new run; None while another one of the target goes on, or where the slot has its run by now."""
    if scheduled is not None:
        for held in (one for one in tx.drifts.running(target) if one.state == RunState.HELD):
            _replace(tx, held.id, actor)  # runs are locked before targets
    tx.targets.lock(row)
    if tx.drifts.running(target) or (scheduled is not None and tx.drifts.has_slot(scheduled)):
        return None
    selection: dict[str, Json] = {"targets": [target], "policy": policy.value}
    run = tx.runs.create(RECONCILE, selection, actor, tx.now, scheduled)
    facts: dict[str, Json] = {"run": run.id, "selection": selection, "why": why, "slot": scheduled}
    tx.audit(Entry(OPERATORS, "run:reconcile:requested", actor, facts))
    return run


def _replace(tx: Transaction, run_id: int, actor: str) -> None:
    run = tx.runs.take(run_id)
    if run is None or run.state != RunState.HELD:
        return
    tx.runs.save(replace(run, state=RunState.CANCELLED), tx.now)
    clear_if_none_is_held(tx)
    facts: dict[str, Json] = {"run": run_id, "reason": "a newer reconciliation of the target begins"}
    tx.audit(Entry(OPERATORS, "run:reconcile:superseded", actor, facts))


def _key(planned: Planned, slot: float) -> str:
    return f"{planned.name}@{dt.datetime.fromtimestamp(slot, dt.UTC).strftime('%Y-%m-%dT%H:%MZ')}"
