"""Accepting: the links of an enrolment that somebody approved, one page in one transaction.

Each is judged once more by the people of now and by what the account showed in the listing. A row that
a worker has in hand is left to that worker; nobody's link is ever replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain import link_by_hand
from worker.domain.enrol import Verdict
from worker.engine.cause import Cause
from worker.engine.enrol_ports import Proposal
from worker.engine.entries import Subject
from worker.engine.link_ports import AtHand
from worker.engine.ports import Transaction
from worker.engine.proposing import Proposing
from worker.engine.rows import Run
from worker.engine.target import Target

DONE = "linked"
GONE = "gone"  # the person was merged with somebody
OWN = "has_one"  # the person is linked to an account by now
BUSY = "busy"  # a worker has it in hand, or a request of its is in doubt
CHANGED = "changed"  # somebody else's by now, or not enough speaks for it any more


@dataclass(frozen=True, slots=True)
class Accepting:
    target: Target
    run: Run

    def page(self, tx: Transaction, rows: Sequence[Proposal]) -> list[str]:
        """What became of each, in one word."""
        people = tx.links.take_all(self.target.id, [row.row for row in rows if row.row is not None])
        proposing = Proposing(self.target, tx.now)
        again = proposing.page(tx, {row.remote_id: row.shows for row in rows if row.remote_id is not None})
        still = {(row.remote_id, row.row) for row in again if row.verdict is Verdict.LINK}
        words = [self._one(tx, proposing, row, people, still) for row in rows]
        made = [
            people[row.row].account.id
            for row, word in zip(rows, words, strict=True)
            if row.row is not None and word == DONE
        ]
        if made:
            tx.unique_values.keep({account: {} for account in made})
            tx.accounts.require_read({"accounts": [*made]}, 0, len(made), tx.now, self.run.id)
        return words

    def _one(
        self,
        tx: Transaction,
        proposing: Proposing,
        row: Proposal,
        people: dict[int, AtHand],
        still: set[tuple[str | None, int | None]],
    ) -> str:
        found = None if row.row is None else people.get(row.row)
        if found is None or row.row is None or row.remote_id is None:
            return GONE
        if found.account.remote_id is not None:
            return OWN
        if found.leased or found.account.doubt is not None:
            return BUSY
        if (row.remote_id, row.row) not in still:
            return CHANGED
        state = link_by_hand.linked(found.account, row.remote_id, found.decided)
        if not tx.links.write(state, tx.now):
            return CHANGED
        person = proposing.people[row.row].person
        subject = Subject(self.target, state, person, Cause(run=self.run.id))
        facts: dict[str, Json] = {"approved_by": self.run.note.get("approved_by")}
        linked = subject.link(None, row.agrees)
        tx.audit(replace(linked, facts={**linked.facts, **facts}))
        for entry in subject.holds(found.account.held):
            tx.audit(entry)
        return DONE
