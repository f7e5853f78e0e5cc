"""What operators decided about what is held, taken in when its account is claimed. Pure.

A decision binds to what was decided on: to the held value, or, for an approval, to the guarded part
of the change, before and after. Where that is another one by now, the decision has no effect. An
approval passes one guard, for one change, until its time is over; a newer decision ends it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from connectors.sdk.fields import FieldType
from connectors.sdk.model import Json
from worker.domain.account import LEAVER, QUIET, RETURNER, Account, Approval, Hold, Person, Reason
from worker.domain.guard import judge
from worker.domain.leaving import has_left
from worker.domain.policy import Policy
from worker.domain.strict_json import digest

_SETS = (FieldType.ID_SET, FieldType.NAME_SET)
_HELD = "held:"
_ENDS_BY_APPROVAL = frozenset({Reason.APPROVAL, Reason.BRAKE, Reason.RETURNED, *QUIET})


class Word(enum.StrEnum):
    """What can be said about something held; the word stands in the audit's actions."""

    RETRY = "retry"  # look again, and send it again if it still differs
    DISCARD = "discard"  # it is not to be sent
    APPROVE = "approve"  # it may pass its guard, once
    REJECT = "reject"  # it may not


class Kind(enum.StrEnum):
    """Which guard an approval passes."""

    GRANT = "grant"  # a privileged field with the policy "approve"
    BRAKE = "brake"  # a revocation that the brake holds; for an account that is to go, the deletion as well
    DELETE = "delete"  # deleting a leaver's account
    RETURN = "return"  # a returner's reminder: nothing is sent for it


@dataclass(frozen=True, slots=True)
class Decided:
    """A stored decision. `until` is the end of an approval."""

    id: int
    field: str
    word: Word
    binds: str
    by: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What an approval would let pass. `binds` stands for kind, field, before and after."""

    kind: Kind
    before: Json
    after: Json
    binds: str


def question(name: str, hold: Hold, account: Account, person: Person, policy: Policy) -> Question | None:
    """What may be approved here; None where an approval is not the way out.

    `person` is as it is planned: with leavers and memberships worked in.
    """
    kind = _kind(name, hold, account, person, policy)
    return None if kind is None else _asked(kind, name, account, person, policy)


def _kind(name: str, hold: Hold, account: Account, person: Person, policy: Policy) -> Kind | None:
    if hold.reason is Reason.BRAKE:
        return Kind.BRAKE
    if name == RETURNER:
        return Kind.RETURN
    if name == LEAVER:
        return Kind.DELETE if policy.leaver == "delete" and _is_open(hold) else None
    if not _is_open(hold) or name not in policy.fields or name not in person.wanted:
        return None
    before = (account.observed or {}).get(name)
    verdict = judge(policy.fields[name], policy, before, person.wanted[name], 0.0)
    if verdict.hold is not None:
        return Kind.GRANT if verdict.hold.reason is Reason.APPROVAL else None
    return Kind.BRAKE if verdict.revocation else None


def _is_open(hold: Hold) -> bool:
    """Whether it waits for an approval, or did before somebody said no."""
    return hold.reason is Reason.APPROVAL or hold.reason in QUIET


def _asked(kind: Kind, name: str, account: Account, person: Person, policy: Policy) -> Question | None:
    """The guarded part of a change as it is now; None where there is no such change any more."""
    observed = account.observed or {}
    if name == RETURNER:
        return Question(kind, None, None, f"{kind.value}:{digest(account.remote_id)}")
    if name == LEAVER:
        if not has_left(person) or account.remote_id is None:
            return None
        before: Json = {"id": account.remote_id, "name": observed.get(policy.name_field)}
        return _bound(kind, [policy.leaver], before, None)
    if name not in policy.fields or name not in person.wanted:
        return None
    before, after = observed.get(name), person.wanted[name]
    if policy.fields[name].type in _SETS:
        before, after = _part(kind, before, after)
    return None if before == after else _bound(kind, [name], before, after)


def _part(kind: Kind, before: Json, after: Json) -> tuple[Json, Json]:
    """Of a set only what is added, or only what is taken away."""
    have, want = _members(before), _members(after)
    if kind is Kind.GRANT:
        return [], [*sorted(want - have)]
    return [*sorted(have - want)], []


def _members(value: Json) -> set[str]:
    return {str(item) for item in value} if isinstance(value, list) else set()


def _bound(kind: Kind, what: list[Json], before: Json, after: Json) -> Question:
    return Question(kind, before, after, f"{kind.value}:{digest([*what, before, after])}")


def held_binds(value_hash: str) -> str:
    """What every word but `approve` binds to: the value that is held."""
    return _HELD + value_hash


def heed(account: Account, decided: Sequence[Decided], now: float) -> Account:
    """The account after the decisions that it has not heeded yet, in the order of their ids."""
    for one in sorted(decided, key=_row):
        if one.id > account.heeded:
            account = replace(_after(account, one, now), heeded=one.id)
    return account


def _row(one: Decided) -> int:
    return one.id


def _after(account: Account, one: Decided, now: float) -> Account:
    match one.word:
        case Word.RETRY:
            return _again(account, one)
        case Word.DISCARD:
            return _silenced(account, one, Reason.DISCARDED, now)
        case Word.REJECT:
            return _silenced(account, one, Reason.DECLINED, now)
        case Word.APPROVE:
            return _approved(account, one, now)


def _again(account: Account, one: Decided) -> Account:
    hold = account.held.get(one.field)
    if hold is None or held_binds(hold.value_hash) != one.binds:
        return account
    marks = {name: mark for name, mark in account.ignored.items() if name != one.field}
    return replace(account.release([one.field]), ignored=marks, crashes=0).at_rest()


def _silenced(account: Account, one: Decided, reason: Reason, now: float) -> Account:
    """Held for this value until there is new data; an approval that was given before is void."""
    hold = account.held.get(one.field)
    waiting = account.approvals.get(one.field)
    account = without_approvals(account, [one.field])
    value_hash = one.binds.removeprefix(_HELD)
    if hold is not None:
        before = f"{hold.reason.value}: {hold.message}" if hold.value_hash == value_hash else None
    else:
        before = f"approved by {waiting.by}" if waiting is not None else None
    if before is None:
        return account
    message = f"{reason.value} by {one.by}; before that {before}"
    silent = Hold(reason, message, value_hash, now)
    return replace(account, held={**account.held, one.field: silent})


def _approved(account: Account, one: Decided, now: float) -> Account:
    hold = account.held.get(one.field)
    over = one.until is None or one.until <= now
    if over or (hold is not None and hold.reason not in _ENDS_BY_APPROVAL):
        return account
    released = account.release([one.field])
    if one.binds.startswith(f"{Kind.RETURN.value}:"):
        return released
    approval = Approval(one.id, one.binds, one.until or now, one.by)
    return replace(released, approvals={**account.approvals, one.field: approval})


def without_approvals(account: Account, names: Iterable[str]) -> Account:
    gone = set(names) & account.approvals.keys()
    if not gone:
        return account
    return replace(account, approvals={n: a for n, a in account.approvals.items() if n not in gone})


def still_bound(account: Account, person: Person, policy: Policy, now: float) -> Account:
    """Without the approvals that are over, are for another change, or have been used.

    One that was used is for a change that is not there any more: the target shows it.
    """
    gone = [
        name
        for name, given in account.approvals.items()
        if given.until <= now or not _fits(given, name, account, person, policy)
    ]
    return without_approvals(account, gone)


def _fits(given: Approval, name: str, account: Account, person: Person, policy: Policy) -> bool:
    asked = _asked(kind_of(given), name, account, person, policy)
    return asked is not None and asked.binds == given.binds


def kind_of(given: Approval) -> Kind:
    return Kind(given.binds.partition(":")[0])


def is_granted(account: Account, name: str) -> bool:
    given = account.approvals.get(name)
    return given is not None and kind_of(given) is Kind.GRANT


def passes_brake(account: Account, names: Iterable[str]) -> bool:
    """Whether each of these revocations was approved in spite of the brake."""
    given = [account.approvals.get(name) for name in names]
    return bool(given) and all(one is not None and kind_of(one) is Kind.BRAKE for one in given)
