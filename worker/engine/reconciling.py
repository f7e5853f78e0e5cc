"""Reconciling: a run compares all that a target lists with what HR says, and has it mended where asked to.

Promise: the listing is read page by page; each page commits with the run's place, so that a worker that
dies costs one page. Nothing is marked before the whole listing was read, and nothing at all where it was
empty or short, or where more would change than a run may. A listing never becomes what an account was
observed as: a repair only makes accounts due with a read, where nothing was settled since their page was
asked for, and the ordinary sync sends under all guards. Nothing is ever deleted for being absent.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from connectors.sdk.model import Json
from worker.engine.comparing import Comparing, Found
from worker.engine.judge import Tally
from worker.engine.listing import Lister, Read
from worker.engine.ports import Transaction
from worker.engine.rows import Entry, Run, RunState
from worker.engine.runs import OPERATORS, SELF, tell_held
from worker.engine.target import Target
from worker.engine.target_runs import TargetRuns
from worker.engine.telling import TOLD, heard, next_to_ask

RECONCILE = "reconcile"
RECONCILE_ALARM = "reconcile_failed"
_PAGE = 500
_PLACE = "reconcile"


class Policy(enum.StrEnum):
    """What a reconciliation does about drift; the words stand in the configuration."""

    REPORT = "report"
    REPAIR = "repair"


class _Stage(enum.StrEnum):
    LISTING = "listing"
    ABSENT = "absent"  # the listing is over: which linked accounts did it not have?
    TELLING = "telling"  # who changed what was changed outside?
    MARKING = "marking"


@dataclass(slots=True)
class _Work:
    """How far a run is. It is kept in the run's `position`, and shown in its `note`."""

    stage: _Stage
    found: Found
    tally: Tally
    began: float = 0.0

    @classmethod
    def of(cls, run: Run) -> _Work:
        raw: Any = run.position.get(_PLACE)
        if raw is None:
            return cls(_Stage.LISTING, Found(), Tally())
        return cls(_Stage(raw["stage"]), Found(**raw["found"]), Tally(**raw["tally"]), raw["began"])

    def on(self, run: Run) -> Run:
        self.tally.accounts = self.found.listed
        counted: dict[str, Json] = {"found": self.found.as_json(), "counted": self.tally.as_json()}
        place: dict[str, Json] = {
            "stage": self.stage.value,
            "began": self.began,
            "found": counted["found"],
            "tally": counted["counted"],
        }
        position = {**run.position, _PLACE: place}
        told = {TOLD: position[TOLD]} if TOLD in position else {}  # an approval begins a new note
        return replace(run, position=position, note={**run.note, **counted, **told}, done=self.found.listed)


class Reconciling:
    """See `worker.engine.runs.Kind`. `least_seen`: of linked accounts and of what the target counts."""

    def __init__(self, runs: TargetRuns, lister: Lister, least_seen: Mapping[str, float]) -> None:
        self._runs = runs
        self._lister = lister
        self._least_seen = least_seen

    def step(self, run_id: int) -> bool:
        with self._runs.store.begin() as tx:
            taken = self._runs.take(tx, run_id)
            if taken is None:
                return False
            run, target = taken
            work = _Work.of(run)
            asked = next_to_ask(tx, run) if work.stage is _Stage.TELLING else None
            if asked is None and work.stage is not _Stage.LISTING:
                return self._go_on(tx, run, target, work)
        if asked is not None:
            hear = partial(heard, target.policy, asked)
            return self._lister.history(run_id, target, asked.remote_id, hear)
        return self._lister.step(run_id, target, partial(self._taken, target))

    def _taken(self, target: Target, tx: Transaction, run: Run, read: Read) -> Run:
        """One page, in the transaction that commits it."""
        work = _Work.of(run)
        if read.first:
            work.began = read.asked_at
            run = replace(run, state=RunState.RUNNING, total=read.page.total or 0)
        Comparing(target, run.id, work.found, work.tally).page(tx, read)
        if not read.last:
            return work.on(run)
        work.stage = _Stage.ABSENT
        short = shortage(tx, run, target, work.found.listed, self._least_seen[target.name])
        return _failed(tx, work.on(run), target, short) if short else work.on(run)

    def _go_on(self, tx: Transaction, run: Run, target: Target, work: _Work) -> bool:
        """What follows the listing without a request, one page of rows at a time."""
        if run.state == RunState.JUDGING:  # somebody approved of the list
            moved = work.on(replace(self._runs.judge.verdict(tx, run, work.tally), total=run.total))
        elif work.stage is _Stage.ABSENT:
            moved = self._absent(tx, run, target, work)
        elif work.stage is _Stage.TELLING:
            moved = self._compared(tx, run, target, work)
        else:
            moved = self._mark(tx, run, target, work)
        tx.runs.save(moved, tx.now)
        return moved.state == RunState.RUNNING

    def _absent(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        rows = tx.drifts.unmet(run.id, target.id, run.cursor, _PAGE)
        comparing = Comparing(target, run.id, work.found, work.tally)
        tx.drifts.add(run.id, comparing.missing(rows, work.began))
        if len(rows) == _PAGE:
            return replace(work.on(run), cursor=rows[-1].account.id)
        tx.drifts.forget(run.id)
        if not target.connector.descriptor.can_tell:
            return self._compared(tx, run, target, work)
        work.stage = _Stage.TELLING
        return replace(work.on(run), cursor=0)

    def _compared(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        """All is known: a report ends, a repair is judged."""
        if run.selection.get("policy") != Policy.REPAIR:
            return _done(tx, work.on(run), target)
        work.stage = _Stage.MARKING  # at once, or when somebody approved of the list
        judged = replace(self._runs.judge.verdict(tx, work.on(run), work.tally), total=run.total)
        if judged.state == RunState.HELD:
            tell_held(tx, judged)
        return judged

    def _mark(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        asked = tx.drifts.to_mend(run.id, run.cursor, _PAGE)
        marked = tx.drifts.require_read(asked, tx.now, run.id)
        work.found.marked += len(marked)
        work.found.passed += len(asked) - len(marked)
        if marked:
            self._runs.wake()
        if len(asked) == _PAGE:
            return replace(work.on(run), cursor=max(asked))
        return _done(tx, work.on(run), target)


def shortage(tx: Transaction, run: Run, target: Target, listed: int, share: float) -> str:
    """Why what the run was listed cannot be all that the target has; empty where it may be.

    `share`: how much of the linked accounts, and of what the target counts, has to be there.
    """
    linked, met = tx.accounts.count(target.id), tx.drifts.met(run.id, target.id)
    if met < share * linked:
        return f"the listing of {target.name} has {met} of {linked} linked accounts"
    if listed < share * run.total:
        return f"{target.name} counts {run.total} accounts and listed {listed}"
    return ""


def _done(tx: Transaction, run: Run, target: Target) -> Run:
    tx.targets.clear_alarm(RECONCILE_ALARM, target.id, tx.now)
    facts: dict[str, Json] = {"run": run.id, "target": target.name, "found": run.note.get("found")}
    tx.audit(Entry(OPERATORS, "run:reconcile:done", SELF, facts))
    return replace(run, state=RunState.DONE)


def _failed(tx: Transaction, run: Run, target: Target, why: str) -> Run:
    tx.drifts.forget(run.id)
    message = f"run {run.id} (reconcile) failed: {why}; nothing was marked"
    tx.targets.raise_alarm(RECONCILE_ALARM, target.id, message, tx.now)
    facts: dict[str, Json] = {"run": run.id, "target": target.name, "reason": why}
    tx.audit(Entry(OPERATORS, "run:reconcile:failed", SELF, facts))
    return replace(run, state=RunState.FAILED, note={**run.note, "failed": why})
