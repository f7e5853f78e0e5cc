"""Importing: runs of the kind `import`. What a file says is judged as a whole, and then accepted.

Promise: nothing of the file is accepted before its whole plan was made and found small enough, or was
approved. Then its events pass the one door, page by page; a page that a crash cut short is accepted
again, which changes nothing. Somebody whom two complete files in a row did not name has left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.arriving import brought
from worker.domain.event import LEFT, Event
from worker.domain.file_rows import absent_id
from worker.domain.identity import Identity, fold
from worker.domain.strict_json import RefusedError
from worker.engine.accept import Intake
from worker.engine.import_ports import Snapshot, Staged
from worker.engine.judge import Judge, Look
from worker.engine.ports import Store, Transaction
from worker.engine.reckoning import PeopleTally, accounts_of
from worker.engine.rows import Acceptance, Entry, Run, RunState
from worker.engine.runs import OPERATORS, SELF, tell_held
from worker.engine.shelter import sheltered
from worker.engine.target import Target

IMPORT = "import"
_PEOPLE = 100  # of one page of the judging
_PAGE = 200  # rows of one page of the accepting
_AHEAD = 1 << 62  # above every row: an event that is not stored yet arrives last


@dataclass(frozen=True, slots=True)
class Doors:
    """`events` takes CloudEvents as the source sends them; `rows` those whose data names attributes."""

    events: Intake
    rows: Intake

    def of(self, run: Run, row: Staged) -> Intake:
        return self.rows if row.n < 0 or run.selection["rows"] else self.events

    def read(self, run: Run, row: Staged) -> Event:
        return self.of(run, row).read((row.body or "").encode())


class Importing:
    """See `worker.engine.runs.Kind`.

    `sources` is name to URI; `snapshots` names those whose every event says all. While more events than
    `backlog` wait to be folded, no page is accepted: what happens now never queues behind a whole file.
    """

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        store: Store,
        doors: Doors,
        judge: Judge,
        targets: Mapping[int, Target],
        sources: Mapping[str, str],
        snapshots: frozenset[str],
        backlog: int,
    ) -> None:
        self._store = store
        self._doors = doors
        self._judge = judge
        self._targets = targets
        self._sources = sources
        self._snapshots = snapshots
        self._backlog = backlog

    def step(self, run_id: int) -> bool:
        with self._store.begin() as tx:
            run = tx.runs.lock(run_id)
            if run is None or run.selection["source"] not in self._sources:
                return False
            if run.state != RunState.RUNNING:
                return self._is_current(tx, run) and self._judged(tx, run)
            if tx.crowd.more_wait_than(self._backlog, tx.now):
                return False  # the relay has the run taken up again
            page = tx.staged.page(run_id, _PAGE)
        refused = self._accept(run, page)
        return self._accepted(run_id, page, refused)

    def rehearse(self, run_id: int) -> Run:
        """Judge a run that is being staged, and end it: what is returned says what it would have done."""
        while True:
            with self._store.begin() as tx:
                run = tx.runs.take(run_id)
                if run is None or run.state not in (RunState.STAGING, RunState.JUDGING):
                    raise ValueError(f"run {run_id} is not being staged any more")
                moved = self._prepare(tx, run)
                if moved.state != RunState.JUDGING:
                    _end_rehearsal(tx, moved)
                    return moved
                tx.runs.save(replace(moved, state=RunState.STAGING), tx.now)

    def _is_current(self, tx: Transaction, run: Run) -> bool:
        return self._judge.is_current(tx, run)

    def _judged(self, tx: Transaction, run: Run) -> bool:
        moved = self._prepare(tx, run)
        if moved.state == RunState.HELD:
            tell_held(tx, moved)
        tx.runs.save(moved, tx.now)
        return moved.state in (RunState.JUDGING, RunState.RUNNING)

    def _prepare(self, tx: Transaction, run: Run) -> Run:
        """One page further: first who is absent, then what would change."""
        if run.position.get("complete") and not run.position.get("absences_found"):
            return self._look_for_absences(tx, run)
        return self._reckon(tx, run)

    def _look_for_absences(self, tx: Transaction, run: Run) -> Run:
        source = str(run.selection["source"])
        page = tx.staged.unnamed(run.id, _number(run, "absent_after"), _PAGE)
        theirs = {row: person for row, person in page.items() if _belongs(person, source)}
        again = tx.snapshots.absent(source, [person.subject for person in theirs.values()])
        staged = [
            self._absent(run, row, person, left=person.subject in again) for row, person in theirs.items()
        ]
        tx.staged.add(run.id, staged)
        position = {
            **run.position,
            "absent": _number(run, "absent") + len(theirs) - len(again),
            "left": _number(run, "left") + len(again),
        }
        if len(page) == _PAGE:
            position["absent_after"] = max(page)
        else:
            position["absences_found"] = True
        return replace(run, state=RunState.JUDGING, position=position)

    def _absent(self, run: Run, row: int, person: Identity, *, left: bool) -> Staged:
        """Absent for the first time: only noted. For the second: an event that says so."""
        source = str(run.selection["source"])
        uri = self._sources[source]
        if not left:
            return Staged(-row, person.subject)
        event = {
            "specversion": "1.0",
            "id": absent_id(uri, run.id, person.subject),
            "source": uri,
            "type": LEFT,
            "subject": person.subject,
            "time": run.selection["as_of"],
            "data": _said_by(person, source) if source in self._snapshots else {},
        }
        return Staged(-row, person.subject, str(event["id"]), json.dumps(event, ensure_ascii=False))

    def _reckon(self, tx: Transaction, run: Run) -> Run:
        after = run.position.get("judged")
        subjects = tx.staged.subjects(run.id, after if isinstance(after, str) else "", _PEOPLE)
        tally = PeopleTally.of(run.note)
        self._count(tx, run, subjects, tally)
        note = {**run.note, "counted": tally.as_json()}
        if len(subjects) == _PEOPLE:
            position = {**run.position, "judged": subjects[-1]}
            return replace(run, state=RunState.JUDGING, note=note, position=position)
        whole = {name: value for name, value in run.position.items() if name != "judged"}
        return self._judge.verdict(tx, replace(run, note=note, position=whole), tally)

    def _count(self, tx: Transaction, run: Run, subjects: Sequence[str], tally: PeopleTally) -> None:
        before = _as_they_are(tx, subjects)
        after = dict(before)
        for row, event in self._news(tx, run, subjects):
            after[event.subject] = fold(after[event.subject], event, _AHEAD + row.n).identity
        known = accounts_of(tx, before.values())
        for subject in subjects:
            for target in self._targets.values():
                account = known.get((before[subject].subject, target.id)) or Account(0, 0, target.id)
                look = Look(account)
                with sheltered(look, tx.now):
                    look.changes = brought(
                        account, before[subject], after[subject], target.view, target.policy, tx.now
                    )
                tally.reckon(target.policy, account, subject, look.changes)

    def _news(self, tx: Transaction, run: Run, subjects: Sequence[str]) -> list[tuple[Staged, Event]]:
        """The events that are not stored yet; one from the future counts as if its time had come."""
        read: list[tuple[Staged, Event]] = []
        for row in tx.staged.of(run.id, subjects):
            with suppress(
                RefusedError
            ):  # under another configuration than when it was read: the door says so
                read.append((row, self._doors.read(run, row)))
        stored = tx.crowd.body_hashes([event for _, event in read])
        return [(row, event) for row, event in read if (event.source, event.id) not in stored]

    def _accept(self, run: Run, page: Sequence[Staged]) -> int:
        """How many the door refused: those whose id was used meanwhile for something else."""
        refused = 0
        for here in (True, False):  # who has left comes first in the file's order, through a door of its own
            rows = [row for row in page if row.body is not None and (row.n < 0) is here]
            if rows:
                raws = [(row.body or "").encode() for row in rows]
                receipts = self._doors.of(run, rows[0]).accept(raws, f"run:{run.id}")
                refused += sum(receipt.verdict is Acceptance.REFUSED for receipt in receipts)
        return refused

    def _accepted(self, run_id: int, page: Sequence[Staged], refused: int) -> bool:
        with self._store.begin() as tx:
            run = tx.runs.lock(run_id)
            if run is None or run.state != RunState.RUNNING:
                return False
            done = tx.staged.drop(run_id, page[-1].n) if page else 0
            position = {**run.position, "refused_at_door": _number(run, "refused_at_door") + refused}
            run = replace(run, done=run.done + done, position=position)
            source = str(run.selection["source"])
            tx.snapshots.note(source, run_id, _absent(page), {row.subject for row in page if row.n > 0})
            if len(page) == _PAGE:
                tx.runs.save(run, tx.now)
                return True
            _end(tx, run)
            return False


def tells_of_everybody(run: Run) -> bool:
    """Whether the file is meant to: rows are a snapshot, events are what happened to a few."""
    return bool(run.selection["rows"] or run.selection["complete"])


def _as_they_are(tx: Transaction, subjects: Sequence[str]) -> dict[str, Identity]:
    """Each person with what waits to be folded; somebody new is nobody yet."""
    known = tx.crowd.named(subjects)
    people = {subject: known[subject][1] if subject in known else Identity(subject) for subject in subjects}
    for stored in tx.crowd.waiting(subjects):
        subject = stored.event.subject
        people[subject] = fold(people[subject], stored.event, stored.row).identity
    return people


def _belongs(person: Identity, source: str) -> bool:
    """Whether the source speaks about somebody who is there."""
    return not person.leaver and any(held.source == source for held in person.attributes.values())


def _said_by(person: Identity, source: str) -> dict[str, Json]:
    """All that a snapshot has to repeat, so that only the leaving is new."""
    held = person.attributes.items()
    return {name: one.value for name, one in held if one.source == source and name != "active"}


def _absent(page: Sequence[Staged]) -> set[str]:
    return {row.subject for row in page if row.n < 0 and row.body is None}


def _number(run: Run, name: str) -> int:
    value = run.position.get(name)
    return value if isinstance(value, int) else 0


def _end_rehearsal(tx: Transaction, run: Run) -> None:
    tx.staged.forget(run.id)
    facts: dict[str, Json] = {"run": run.id, "source": run.selection["source"]}
    tx.audit(Entry(OPERATORS, "run:import:rehearsed", run.requested_by, facts))
    over = replace(run, state=RunState.CANCELLED, note={**run.note, "rehearsed": True})
    tx.runs.save(over, tx.now)


def _end(tx: Transaction, run: Run) -> None:
    """From now on the file is the last one of its source."""
    source, digest = str(run.selection["source"]), str(run.selection["digest"])
    complete = bool(run.position.get("complete"))
    as_of = run.position.get("as_of")
    at = float(as_of) if isinstance(as_of, int | float) else tx.now
    people = _number(run, "people") if tells_of_everybody(run) else 0
    tx.snapshots.record(Snapshot(run.id, source, digest, at, people, complete), tx.now)
    facts: dict[str, Json] = {"run": run.id, "source": source, "rows": run.done}
    tx.audit(Entry(OPERATORS, "run:import:done", SELF, facts))
    tx.runs.save(replace(run, state=RunState.DONE), tx.now)
