"""Enrolling: whose an account of a listing is, by the rules of `worker.domain.link`. Pure.

A search asks the target for one person's accounts; here one account is looked at, and the people who
are or were called as it is. Where two people speak for it alike, or it is named like nobody's account
alone, nothing is proposed.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.sdk.model import Match, Record
from worker.domain.account import ACCOUNT, Account, Person, Reason
from worker.domain.guard import protection
from worker.domain.link import agreeing, contested, evidence, is_called
from worker.domain.policy import Policy


class Verdict(enum.StrEnum):
    """What an enrolment makes of an account, or of a person without one; the words are shown."""

    LINK = "link"  # the person's, with evidence
    AMBIGUOUS = "ambiguous"  # several people's, or one of several accounts of one person
    WEAK = "weak"  # something speaks for a person, and it is not enough
    STRANGER = "stranger"  # nobody's
    OUTSIDE = "outside"  # the person's, who does not belong here or has not begun
    UNLINKED = "unlinked"  # the person's, whose link an operator took away
    PROTECTED = "protected"  # never anybody's
    UNREAD = "unread"  # judging it failed here
    UNMATCHED = "unmatched"  # a person who belongs here, and no account answers


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who is or was called as an account is. `row`: of the identity."""

    row: int
    subject: str
    person: Person
    linked_to: str | None = None  # another account of the target
    unlinked: bool = False  # an operator took a link away

    @property
    def belongs(self) -> bool:
        """Whether an account of theirs would be looked for."""
        return self.person.in_scope and not self.person.waits and bool(self.person.correlation)


@dataclass(frozen=True, slots=True)
class Judged:
    """One line about an account. `named`: it has a name that the person has or had."""

    verdict: Verdict
    candidate: Candidate | None = None
    agrees: tuple[str, ...] = ()
    named: bool = False


def judged(
    remote_id: str, record: Record, candidates: Sequence[Candidate], policy: Policy
) -> tuple[Judged, ...]:
    """At least one line; more than one only where it is ambiguous. Nobody is linked to the account."""
    shown = Account(0, 0, 0, remote_id=remote_id, observed=record)
    if protection(shown, policy, 0.0) is not None:
        return (Judged(Verdict.PROTECTED),)
    match = Match(remote_id, record, (policy.correlation,))
    called = [one for one in candidates if is_called(match, one.person, policy)]
    if not called:
        return _alike(Match(remote_id, record, ()), candidates, policy)
    free = [one for one in called if one.linked_to is None]
    winner = next((one for one in free if _is_first(match, one, free, policy)), None)
    if winner is not None:
        return (_won(match, winner, policy),)
    return tuple(
        Judged(Verdict.AMBIGUOUS, one, _agrees(match, one, policy), named=True) for one in free or called
    )


def _is_first(match: Match, one: Candidate, free: Sequence[Candidate], policy: Policy) -> bool:
    rivals = {other.subject: other.person for other in free if other is not one}
    return not contested([match], one.person, rivals, policy)


def _won(match: Match, winner: Candidate, policy: Policy) -> Judged:
    proof = evidence(match, winner.person, policy)
    if winner.unlinked:
        verdict = Verdict.UNLINKED
    elif not winner.belongs:
        verdict = Verdict.OUTSIDE
    else:
        verdict = Verdict.LINK if proof else Verdict.WEAK
    return Judged(verdict, winner, proof or _agrees(match, winner, policy), named=True)


def _agrees(match: Match, one: Candidate, policy: Policy) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*match.matched, *agreeing(match, one.person, policy))))


def _alike(match: Match, candidates: Sequence[Candidate], policy: Policy) -> tuple[Judged, ...]:
    """It is called otherwise than anybody; other fields may still speak for somebody."""
    free = [one for one in candidates if one.linked_to is None and one.belongs and not one.unlinked]
    said = [(one, agreeing(match, one.person, policy)) for one in free]
    found = [(one, agrees) for one, agrees in said if agrees]
    verdict = Verdict.WEAK if len(found) == 1 else Verdict.AMBIGUOUS
    return tuple(Judged(verdict, one, agrees) for one, agrees in found) or (Judged(Verdict.STRANGER),)


def is_left_alone(account: Account | None) -> bool:
    """Whether an operator took its link away."""
    hold = None if account is None else account.held.get(ACCOUNT)
    return hold is not None and hold.reason is Reason.UNLINKED


def is_missed(one: Candidate) -> bool:
    """Whether a person without an account ought to have one."""
    return one.belongs and not one.person.leaver
