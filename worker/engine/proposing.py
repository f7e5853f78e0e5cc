"""Proposing: whose the accounts of one page are. Reads rows, asks no target, writes nothing.

The people to compare an account with are those whose user name, e-mail address or employee number is or
was one of the account's texts. One page, and whom it names, is all that memory holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.sdk.fields import FieldType
from connectors.sdk.model import Json, Record
from worker.domain.account import Account
from worker.domain.enrol import Candidate, Judged, Verdict, is_left_alone, judged
from worker.domain.guard import protection
from worker.domain.identity import FORMER_OF, name_key
from worker.domain.masking import masked, shortened
from worker.engine.enrol_ports import Called, Proposal
from worker.engine.ports import Transaction
from worker.engine.shelter import sheltered
from worker.engine.target import Target


@dataclass(slots=True)
class _Look:
    """One account's. What fails in it is this account's alone."""

    remote_id: str
    found: tuple[Judged, ...] = ()

    @property
    def label(self) -> str:
        return f"the listed account {self.remote_id}"

    def stumbled(self, why: str, now: float) -> None:  # noqa: ARG002 - as the shelter calls it
        self.found = (Judged(Verdict.UNREAD),)


@dataclass(slots=True)
class Proposing:
    """For one page of accounts of a target."""

    target: Target
    now: float
    people: dict[int, Candidate] = field(default_factory=dict)

    def page(self, tx: Transaction, records: Mapping[str, Record]) -> list[Proposal]:
        """At least one line for each account that is nobody's yet."""
        owned = tx.accounts.owners(self.target.id, list(records))
        free = {remote_id: record for remote_id, record in records.items() if remote_id not in owned}
        keys = {remote_id: set(self._keys(record)) for remote_id, record in free.items()}
        names: set[str] = set().union(*keys.values())
        bearers = tx.proposals.bearers(self.target.id, self._attributes, names)
        return [
            row
            for remote_id, record in free.items()
            for row in self._lines(
                remote_id, record, {name: bearers[name] for name in keys[remote_id] if name in bearers}
            )
        ]

    def candidate(self, one: Called) -> Candidate:
        """The person as the target should show it; worked out once for the page."""
        if one.row not in self.people:
            self.people[one.row] = Candidate(
                one.row,
                one.identity.subject,
                self.target.view.of(one.identity, self.now),
                None if one.account is None else one.account.remote_id,
                unlinked=is_left_alone(one.account),
            )
        return self.people[one.row]

    @property
    def _attributes(self) -> frozenset[str]:
        """What people are looked up by."""
        return frozenset().union(*(attributes_of(self.target, name) for name in self._texts))

    @property
    def _texts(self) -> list[str]:
        fields = self.target.policy.fields.items()
        return [name for name, spec in fields if spec.type is FieldType.TEXT]

    def _keys(self, record: Record) -> Iterator[str]:
        for name in self._texts:
            text = record.get(name)
            if isinstance(text, str) and text.strip() and attributes_of(self.target, name):
                yield name_key(text)

    def _lines(
        self, remote_id: str, record: Record, called: Mapping[str, list[Called] | None]
    ) -> list[Proposal]:
        policy = self.target.policy
        name = record.get(policy.correlation)
        if isinstance(name, str) and called.get(name_key(name), ()) is None:
            return [self._line(remote_id, record, self._of_a_crowd(remote_id, record))]
        look = _Look(remote_id)
        with sheltered(look, self.now):
            whose = {one.row: self.candidate(one) for some in called.values() for one in some or ()}
            look.found = judged(remote_id, record, [whose[row] for row in sorted(whose)], policy)
        return [self._line(remote_id, record, one) for one in look.found]

    def _of_a_crowd(self, remote_id: str, record: Record) -> Judged:
        shown = Account(0, 0, self.target.id, remote_id=remote_id, observed=record)
        protected = protection(shown, self.target.policy, self.now) is not None
        return Judged(Verdict.PROTECTED if protected else Verdict.AMBIGUOUS)

    def _line(self, remote_id: str, record: Record, one: Judged) -> Proposal:
        whose, called = one.candidate, self.target.policy.name_field
        judged_by = {name: record[name] for name in {*self._texts, called} if name in record}
        return Proposal(
            one.verdict,
            remote_id,
            None if whose is None else whose.row,
            one.named,
            one.agrees,
            self._shown(called, record.get(called)),
            None if whose is None else whose.linked_to,
            judged_by if one.verdict is Verdict.LINK else {},
        )

    def _shown(self, name: str, value: Json) -> Json:
        return masked(value) if name in self.target.policy.masked else shortened(value)


def attributes_of(target: Target, name: str) -> frozenset[str]:
    """The attributes of people's names that a field is made of."""
    expression = target.view.mapping.get(name)
    return frozenset() if expression is None else FORMER_OF & set(expression.reads)


def unfit(target: Target) -> str:
    """Why the accounts of a target cannot be enrolled; empty where they can."""
    if not target.connector.descriptor.can_scan:
        return f"{target.name} has no listing: its accounts are searched for one by one"
    by = target.policy.correlation
    if not attributes_of(target, by):
        return (
            f"accounts of {target.name} are found by {by}, which is made of no user name, e-mail address or "
            "employee number: nobody can be looked up by it"
        )
    return ""
