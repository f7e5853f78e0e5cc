"""Deciding about what is held: look, and write a decision down. A worker heeds it under its lease.

A decision is a row that is never changed, and a mark on the account that makes it due with a read. The
account's state is not touched here, so that this is safe beside any worker. What an approval binds to
is computed from the same rows and by the same rules as the plan that will ask for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sdk.model import Json
from worker.domain.account import ACCOUNT, QUIET, Account, Approval, Hold, Person, Reason
from worker.domain.decisions import Question, Word, held_binds, question
from worker.domain.identity import Identity
from worker.domain.leaving import as_leaver
from worker.domain.operator import Principal
from worker.domain.sets import with_memberships
from worker.domain.strict_json import digest
from worker.engine.operator_ports import DecisionRow
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Entry
from worker.engine.runs import OPERATORS
from worker.engine.target import Target


class UndecidableError(ValueError):
    """That cannot be said about this; the message says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Held:
    """One held field, or one that waits to be sent with an approval. `question`: what may be approved."""

    target: Target
    subject: str
    account: Account
    field: str
    hold: Hold | None
    approval: Approval | None
    question: Question | None
    after: Json

    @property
    def before(self) -> Json:
        return (self.account.observed or {}).get(self.field)

    @property
    def hash(self) -> str:
        """What a decision binds to."""
        if self.question is not None:
            return self.question.binds
        if self.hold is not None:
            return held_binds(self.hold.value_hash)
        return self.approval.binds if self.approval is not None else ""


class Deciding:
    """`targets` by row; `valid_s` is how long an approval lasts."""

    def __init__(
        self, store: Store, signals: Signals, targets: Mapping[int, Target], shards: int, valid_s: float
    ) -> None:
        self._store = store
        self._signals = signals
        self._targets = {target.name: target for target in targets.values()}
        self._shards = shards
        self._valid_s = valid_s

    def look(self, target: str, subject: str) -> list[Held]:
        """Everything that is held, or approved and not sent yet, of one account, by name."""
        with self._store.begin() as tx:
            return self._look(tx, target, subject)

    def _look(self, tx: Transaction, name: str, subject: str) -> list[Held]:
        target = self._targets[name]
        found = tx.accounts.lock_of(target.id, subject)
        if found is None:
            return []
        account, identity = found
        person = as_planned(target, account, identity, tx.now)
        names = sorted({*account.held, *account.approvals})
        return [_held(target, subject, account, person, field) for field in names]

    def decide(  # noqa: PLR0913 - what, about what, by whom and why
        self, target: str, subject: str, field: str, word: Word, by: Principal, why: str, seen: str | None
    ) -> Held:
        """Write the decision down and have the account looked at. Raises UndecidableError.

        `seen` is the beginning of the hash that was looked at: another one by now is refused.
        """
        with self._store.begin() as tx:
            known = {held.field: held for held in self._look(tx, target, subject)}
            if field not in known:
                raise UndecidableError(f"{field} of {subject} at {target} is not held")
            held = known[field]
            refusal = _refusal(held, word) or _changed(held, seen)
            if refusal is not None:
                raise UndecidableError(refusal)
            self._write(tx, held, word, by, why)
        for shard in range(self._shards):
            self._signals.sync(shard)
        return held

    def _write(self, tx: Transaction, held: Held, word: Word, by: Principal, why: str) -> None:
        until = tx.now + self._valid_s if word is Word.APPROVE else None
        row = DecisionRow(held.account.id, held.field, word, _binds(held, word), by.actor, why, tx.now, until)
        decision = tx.decisions.add(row)
        tx.accounts.decided(held.account.id, decision, tx.now)
        facts: dict[str, Json] = {
            "decision": decision,
            "target": held.target.name,
            "account": held.account.id,
            "field": held.field,
            "reason": held.hold.reason.value if held.hold is not None else None,
            "binds": row.binds,
            "until": until,
            "why": why,
        }
        facts = {name: value for name, value in facts.items() if value is not None}
        identity = held.account.identity_id
        tx.audit(Entry(OPERATORS, f"held:{word.value}:decided", by.actor, facts, identity))


def as_planned(target: Target, account: Account, identity: Identity, now: float) -> Person:
    """The person as the plan sees them."""
    person = target.view.of(identity, now)
    return with_memberships(as_leaver(person, target.policy), account, target.policy)


def _held(target: Target, subject: str, account: Account, person: Person, field: str) -> Held:
    hold, approval = account.held.get(field), account.approvals.get(field)
    asked = None if hold is None else question(field, hold, account, person, target.policy)
    return Held(target, subject, account, field, hold, approval, asked, person.wanted.get(field))


def _binds(held: Held, word: Word) -> str:
    if word is Word.APPROVE and held.question is not None:
        return held.question.binds
    value_hash = digest(held.after) if held.hold is None else held.hold.value_hash
    return held_binds(value_hash)


def _changed(held: Held, seen: str | None) -> str | None:
    bare = held.hash.rpartition(":")[2]
    if seen is None or held.hash.startswith(seen) or bare.startswith(seen):
        return None
    return f"what is held of {held.field} changed meanwhile: its hash is {held.hash}, look at it again"


def _refusal(held: Held, word: Word) -> str | None:
    """Why this word cannot be said about it; None where it can."""
    match word:
        case Word.APPROVE:
            return None if held.question is not None else _unapprovable(held)
        case Word.REJECT:
            waits = held.question is not None or held.approval is not None
            return None if waits else "nothing waits for an approval here: use discard"
        case Word.RETRY | Word.DISCARD:
            return _undecidable(held, word)


def _unapprovable(held: Held) -> str:
    policy = held.target.policy
    if held.hold is None:
        return "it is approved already, and will be sent"
    if held.hold.reason is Reason.PRIVILEGED:
        return (
            f'targets.{policy.target}.privileged.{held.field} = "deny": nobody can approve of it. '
            f'Say "approve" there first, if it is meant'
        )
    if held.hold.reason is Reason.PROTECTED:
        return f"nobody can approve of it: {held.hold.message}"
    if held.hold.reason is Reason.APPROVAL:
        return "the change that waited for an approval is not there any more: try retry"
    return f"what is held as {held.hold.reason.value} needs no approval: use retry"


def _undecidable(held: Held, word: Word) -> str | None:
    if held.hold is None:
        return f"it was approved and will be sent: reject takes that back, {word.value} does not"
    if word is Word.RETRY:
        return None
    if held.hold.reason is Reason.UNLINKED:
        return "nothing is sent to an account that is not linked"
    if held.hold.reason in QUIET:
        return f"it is {held.hold.reason.value} already"
    if held.hold.reason is Reason.PROTECTED and held.field == ACCOUNT:
        return "nothing is sent to a protected account anyhow"
    return None
