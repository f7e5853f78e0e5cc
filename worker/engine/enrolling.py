"""Enrolling: a run says whose the accounts of a target are, and links them once somebody else approved.

Promise: nothing is linked before the whole listing was read and somebody with the role of an approver,
other than who asked, let this list pass. Each proposal is judged by the rules of live linking, once from
the listing and once more when it is linked: what is another's by then, or speaks for the person no
more, is left. Nothing is sent: a linked account is read by the ordinary sync first. Each page is one
commit with the run's place, so that a worker that dies costs one page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from connectors.sdk.model import Json
from worker.domain.enrol import Verdict, is_left_alone, is_missed
from worker.domain.strict_json import digest
from worker.engine.accepting import Accepting
from worker.engine.enrol_ports import Called, Proposal
from worker.engine.listing import Lister, Read
from worker.engine.ports import Transaction
from worker.engine.proposing import Proposing, unfit
from worker.engine.reconciling import shortage
from worker.engine.rows import Entry, Run, RunState
from worker.engine.runs import OPERATORS, SELF, tell_held
from worker.engine.target import Target
from worker.engine.target_runs import TargetRuns

PROPOSED = "proposed"  # in the note: accounts by verdict, and `unmatched` people
LINKED = "linked"  # in the note: what became of the links that were approved
_PAGE = 200
_PLACE = "enrol"


@dataclass(slots=True)
class _Work:
    """How far a run is. It is kept in the run's `position`."""

    stage: str = "listing"  # then people, who have none; then links, once they are approved
    listed: int = 0
    linked: int = 0  # of the listed, those that were somebody's already
    began: float = 0.0
    chain: str = ""
    done: dict[str, int] = field(default_factory=dict)  # of the proposed links

    @classmethod
    def of(cls, run: Run) -> _Work:
        raw: Any = run.position.get(_PLACE) or {}
        return cls(**raw)

    def on(self, run: Run) -> Run:
        place: dict[str, Json] = {
            "stage": self.stage,
            "listed": self.listed,
            "linked": self.linked,
            "began": self.began,
            "chain": self.chain,
            "done": {**self.done},
        }
        return replace(run, position={**run.position, _PLACE: place})


class Enrolling:
    """See `worker.engine.runs.Kind`. `least_seen` by name, as for reconciliations.

    `max_age_s`: how old a listing may be when its links are made.
    """

    def __init__(
        self, runs: TargetRuns, lister: Lister, least_seen: Mapping[str, float], max_age_s: float
    ) -> None:
        self._runs = runs
        self._lister = lister
        self._least_seen = least_seen
        self._max_age_s = max_age_s

    def step(self, run_id: int) -> bool:
        with self._runs.store.begin() as tx:
            taken = self._runs.take(tx, run_id)
            if taken is None:
                return False
            run, target = taken
            if why := unfit(target):
                tx.runs.save(_failed(tx, run, target, why), tx.now)
                return False
            if _Work.of(run).stage != "listing":
                return self._go_on(tx, run, target)
        return self._lister.step(run_id, target, partial(self._taken, target))

    def _taken(self, target: Target, tx: Transaction, run: Run, read: Read) -> Run:
        """One page, in the transaction that commits it. What a moving listing shows twice counts once."""
        work = _Work.of(run)
        if read.first:
            work.began = read.asked_at
            run = replace(run, state=RunState.RUNNING, total=read.page.total or 0)
        records = dict(read.page.records)
        fresh = tx.drifts.meet(run.id, list(records))
        rows = Proposing(target, tx.now).page(tx, {name: records[name] for name in records if name in fresh})
        tx.proposals.add(run.id, rows)
        work.listed += len(fresh)
        work.linked += len(fresh) - len({row.remote_id for row in rows})
        run = work.on(replace(run, done=work.listed))
        return self._listed(tx, run, target, work) if read.last else run

    def _listed(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        """The last page was taken: was it the whole listing?"""
        if not work.listed:
            return _failed(tx, run, target, f"the listing of {target.name} is empty")
        short = shortage(tx, run, target, work.listed, self._least_seen[target.name])
        if short:
            return _failed(tx, run, target, short)
        work.stage = "people"
        return work.on(run)

    def _go_on(self, tx: Transaction, run: Run, target: Target) -> bool:
        """What follows the listing, one page of rows at a time. No request."""
        work = _Work.of(run)
        if work.stage == "people":
            moved = self._people(tx, run, target, work)
        elif run.state == RunState.JUDGING:  # somebody approved of the list
            moved = self._approved(tx, run, target, work)
        else:
            moved = self._link(tx, run, target, work)
        tx.runs.save(moved, tx.now)
        return moved.state == RunState.RUNNING

    def _people(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        """Who answers to several accounts, and who to none."""
        people = tx.proposals.people(run.id, target.id, run.cursor, _PAGE)
        rows = tx.proposals.about(run.id, [one.row for one in people])
        named: dict[int, list[Proposal]] = {}
        for row in rows:
            if row.row is not None and row.named:
                named.setdefault(row.row, []).append(row)
        tx.proposals.doubt(run.id, [row for row, theirs in named.items() if len(theirs) > 1])
        for theirs in named.values():
            work.chain = _chained(work.chain, theirs)
        missed = [one for one in people if one.row not in {row.row for row in rows}]
        tx.proposals.add(run.id, _without(Proposing(target, tx.now), missed))
        if len(people) == _PAGE:
            return work.on(replace(run, cursor=people[-1].row))
        return self._proposed(tx, run, target, work)

    def _proposed(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        """The list is whole: it waits for somebody, unless there is nothing to link."""
        tx.drifts.forget(run.id)
        work.stage = "links"
        run = _counted(tx, work.on(replace(run, plan_hash=work.chain or None)), work)
        if not work.chain:
            return _done(tx, run, target)
        held = replace(run, state=RunState.HELD)
        tell_held(tx, held)
        return held

    def _approved(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        """The list is the one that was approved: nothing was added since. It has to be fresh as well."""
        run = _counted(tx, run, work)
        if tx.now - work.began > self._max_age_s:
            return _failed(tx, run, target, "its listing is too old by now: enrol again")
        return replace(run, state=RunState.RUNNING)

    def _link(self, tx: Transaction, run: Run, target: Target, work: _Work) -> Run:
        rows = tx.proposals.links(run.id, run.cursor, _PAGE)
        for word in Accepting(target, run).page(tx, rows):
            work.done[word] = work.done.get(word, 0) + 1
        if rows:
            self._runs.wake()
        done: dict[str, Json] = {**work.done}
        run = work.on(replace(run, done=run.done + len(rows), note={**run.note, LINKED: done}))
        if len(rows) == _PAGE:
            return replace(run, cursor=rows[-1].id)
        return _done(tx, run, target)


def _counted(tx: Transaction, run: Run, work: _Work) -> Run:
    """At the beginning of the links, with what is proposed in its note."""
    counts = tx.proposals.counts(run.id)
    proposed: dict[str, Json] = {**counts}
    counted: dict[str, Json] = {"accounts": work.listed}
    note = {**run.note, "counted": counted, "already": work.linked, PROPOSED: proposed}
    return replace(run, note=note, total=counts.get(Verdict.LINK, 0), done=0, cursor=0)


def _chained(chain: str, theirs: Sequence[Proposal]) -> str:
    """With the one link that is proposed for a person; without it where there are several accounts."""
    if len(theirs) > 1 or theirs[0].verdict is not Verdict.LINK:
        return chain
    link = theirs[0]
    item = f"{chain}\n{link.row}:{link.remote_id}:{digest(list(link.agrees))}"
    return hashlib.sha256(item.encode()).hexdigest()


def _without(proposing: Proposing, people: Sequence[Called]) -> list[Proposal]:
    """Those who ought to have an account. Whose link was taken away has none on purpose."""
    return [
        Proposal(Verdict.UNMATCHED, None, one.row)
        for one in people
        if not is_left_alone(one.account) and is_missed(proposing.candidate(one))
    ]


def _done(tx: Transaction, run: Run, target: Target) -> Run:
    facts: dict[str, Json] = {"run": run.id, "target": target.name}
    facts |= {name: run.note[name] for name in (PROPOSED, LINKED) if name in run.note}
    tx.targets.enrolled(target.id, tx.now)
    tx.audit(Entry(OPERATORS, "run:enrol:done", SELF, facts))
    return replace(run, state=RunState.DONE)


def _failed(tx: Transaction, run: Run, target: Target, why: str) -> Run:
    tx.drifts.forget(run.id)
    tx.proposals.forget(run.id)
    facts: dict[str, Json] = {"run": run.id, "target": target.name, "reason": why}
    tx.audit(Entry(OPERATORS, "run:enrol:failed", SELF, facts))
    return replace(run, state=RunState.FAILED, done=0, note={**run.note, "failed": why})
