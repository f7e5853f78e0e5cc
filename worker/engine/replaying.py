"""Replaying: runs of the kind `replay`. People of whom events spoke are looked at anew at one target.

Hirewire goes by the newest state: a replay sends no old event again. It makes the accounts of the
people concerned, where they are missing, and makes them due with a read; the sync does the rest. The
whole plan is judged first, and people who are new at the target count in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.arriving import planned
from worker.domain.foresee import foreseen
from worker.domain.identity import Identity
from worker.engine.judge import Look
from worker.engine.ports import Transaction
from worker.engine.reckoning import PeopleTally, accounts_of
from worker.engine.rows import Entry, Run, RunState
from worker.engine.runs import OPERATORS, SELF, tell_held
from worker.engine.shelter import sheltered
from worker.engine.target import Target
from worker.engine.target_runs import TargetRuns

REPLAY = "replay"
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a replay is about. `since` is when events were accepted, `first` the row of the first of them."""

    target: str
    subjects: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: float | None = None
    first: int | None = None

    def as_selection(self) -> dict[str, Json]:
        found: dict[str, Json] = {"targets": [self.target]}
        found |= {"subjects": list(self.subjects)} if self.subjects else {}
        found |= {"sources": list(self.sources)} if self.sources else {}
        found |= {"since": self.since} if self.since is not None else {}
        return found | ({"from": self.first} if self.first is not None else {})


class Replaying:
    """See `worker.engine.runs.Kind`."""

    def __init__(self, runs: TargetRuns) -> None:
        self._runs = runs

    def step(self, run_id: int) -> bool:
        with self._runs.store.begin() as tx:
            taken = self._runs.take(tx, run_id)
            if taken is None:
                return False
            run, target = taken
            moved = self._move(tx, run, target)
            tx.runs.save(moved, tx.now)
        if run.state == RunState.RUNNING:
            self._runs.wake()
        return moved.state in (RunState.JUDGING, RunState.RUNNING)

    def rehearse(self, chosen: Chosen) -> Run:
        """What a run would be judged as; there is none, and nothing is written."""
        selection = chosen.as_selection()
        run = Run(0, REPLAY, RunState.WAITING, selection, 0, 0, 0, "")
        target = self._runs.targets[chosen.target]
        while run.state in (RunState.WAITING, RunState.JUDGING):
            with self._runs.store.begin() as tx:
                run = self._reckon(tx, run, target)
        return run

    def _move(self, tx: Transaction, run: Run, target: Target) -> Run:
        if run.state == RunState.RUNNING:
            return self._made_due(tx, run, target)
        judged = self._reckon(tx, run, target)
        if judged.state == RunState.HELD:
            tell_held(tx, judged)
        return judged

    def _reckon(self, tx: Transaction, run: Run, target: Target) -> Run:
        """One page of people more in the tally, or the verdict."""
        page = tx.crowd.spoken_of(run.selection, run.cursor, _PAGE)
        tally = PeopleTally.of(run.note)
        known = accounts_of(tx, page.values())
        for row, person in page.items():
            account = known.get((person.subject, target.id)) or Account(0, row, target.id)
            look = Look(account)
            with sheltered(look, tx.now):
                look.changes = _changes(account, person, target, tx.now)
            tally.reckon(target.policy, account, person.subject, look.changes)
        counted = replace(run, note={**run.note, "counted": tally.as_json()})
        if len(page) == _PAGE:
            return replace(counted, state=RunState.JUDGING, cursor=max(page))
        return self._runs.judge.verdict(tx, counted, tally)

    def _made_due(self, tx: Transaction, run: Run, target: Target) -> Run:
        page = tx.crowd.spoken_of(run.selection, run.cursor, _PAGE)
        tx.crowd.admit(target.id, sorted(page))
        subjects: list[Json] = [person.subject for person in page.values()]
        chosen: dict[str, Json] = {"targets": [target.name], "subjects": subjects}
        made = tx.accounts.require_read(chosen, 0, _PAGE, tx.now, run.id) if page else []
        done = run.done + len(made)
        if len(page) == _PAGE:
            return replace(run, cursor=max(page), done=done)
        facts: dict[str, Json] = {"run": run.id, "accounts": done}
        tx.audit(Entry(OPERATORS, "run:replay:done", SELF, facts))
        return replace(run, state=RunState.DONE, done=done)


def _changes(account: Account, person: Identity, target: Target, now: float) -> dict[str, Json]:
    """For an account that was acknowledged before, what a read of it would find to mend; else all of it."""
    if account.applied_revision > 0:
        return foreseen(account, person, target.view, target.policy, now)
    return planned(account, person, target.view, target.policy, now)
