"""Values that only one account of a target may have: who has one, and who waits for it. Pure.

Two people may swap a value, and a chain of people may pass it on. Nothing is guessed and nothing
is sent twice in vain: whoever is refused waits, knows the holder by the HR key, and is let go
again once a holder gave the value up and nobody else is known to have it. So a chain ends by
itself, in any order, and a circle stays held until HR or an operator changes one of its members.

A value is known by its digest in the field's own normal form: a field that the server compares
without regard to case says so with `normalise`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TypeAlias

from connectors.sdk.fields import normal
from connectors.sdk.model import Json, Record
from worker.domain.account import ACCOUNT, Account, Hold, Person, Reason
from worker.domain.policy import Policy
from worker.domain.strict_json import digest


@dataclass(frozen=True, slots=True)
class UniqueValue:
    """One value of one field at one target. Compared, never shown."""

    target_id: int
    field: str
    value_hash: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The account that showed a unique value when it was last observed, and its person's HR key."""

    account_id: int
    subject: str


Holders: TypeAlias = Mapping[UniqueValue, tuple[Holder, ...]]


def has(account: Account, policy: Policy) -> frozenset[UniqueValue]:
    """What the account showed when it was last observed."""
    return frozenset(_values(account, policy, account.observed or {}))


def awaits(account: Account, person: Person, policy: Policy) -> frozenset[UniqueValue]:
    """What the account is held for, and what its write in flight asks for; never what it has."""
    wished = {value for name in waiting_fields(account) for value in _awaited(account, name, person, policy)}
    if account.doubt is not None:
        wished.update(_values(account, policy, account.doubt.changes))
    return frozenset(wished) - has(account, policy)


def seeks(account: Account, person: Person, policy: Policy) -> frozenset[UniqueValue]:
    """What a search for the person's account asks for: its current name, not the former ones."""
    wanted = {policy.correlation: person.correlation[0]} if person.correlation else {}
    return frozenset(_values(account, policy, wanted))


def waiting_fields(account: Account) -> list[str]:
    """Names of the holds that wait for a holder. Of several accounts to link, one may be renamed yet."""
    return [
        name
        for name, hold in account.held.items()
        if hold.reason is Reason.UNIQUE or (name == ACCOUNT and hold.reason is Reason.MATCHES)
    ]


def unmoved(before: Account, after: Account, policy: Policy) -> bool:
    """Whether nothing that `has` or `awaits` looks at is different: the usual case, and cheap.

    What a whole account waits for depends on the person too, so that is always looked at.
    """
    return ACCOUNT not in waiting_fields(after) and _shape(before, policy) == _shape(after, policy)


def reopened(
    account: Account, person: Person, policy: Policy, news: AbstractSet[UniqueValue], holders: Holders
) -> Account:
    """The account with its clashes looked at again. `news` are values that changed hands since.

    One of them that nobody else is known to have now is asked for once more; so is the target
    after whoever may be linked, where it was not clear which account is this person's. Of any other
    value its holder is named, or it is said that nobody here knows the holder.
    """
    for name in waiting_fields(account):
        awaited = _awaited(account, name, person, policy)
        rivals = _rivals(account, awaited, holders)
        unclear = account.held[name].reason is Reason.MATCHES
        if awaited & news and (unclear or not rivals):
            account = account.release([name])
        elif not unclear:
            account = _named(account, name, rivals, policy)
    return account


def _rivals(account: Account, awaited: AbstractSet[UniqueValue], holders: Holders) -> dict[str, str]:
    """Subject of each known holder to the field that it has."""
    return {
        holder.subject: value.field
        for value in awaited
        for holder in holders.get(value, ())
        if holder.account_id != account.id
    }


def _named(account: Account, name: str, rivals: Mapping[str, str], policy: Policy) -> Account:
    hold = account.held[name]
    holder = ", ".join(sorted(rivals))
    if hold.holder is not None and holder in ("", hold.holder):
        return account
    message = hold.message
    if rivals:
        message = f"{rivals[min(rivals)]} is held by {holder} at {policy.target}"
    elif name != ACCOUNT:
        message = f"{name} is held at {policy.target} by an account that is not in Hirewire: {message}"
    named = replace(hold, holder=holder, message=message)
    return replace(account, held={**account.held, name: named})


def _awaited(account: Account, name: str, person: Person, policy: Policy) -> frozenset[UniqueValue]:
    """What one hold waits for: the refused value, or for a whole account all that it would bring."""
    if name == ACCOUNT:
        return frozenset(_values(account, policy, person.wanted)) | seeks(account, person, policy)
    return frozenset({UniqueValue(account.target_id, name, account.held[name].value_hash)})


def _values(account: Account, policy: Policy, record: Record) -> Iterator[UniqueValue]:
    for name in _tracked(policy):
        value = normal(policy.fields[name], record[name]) if record.get(name) else None
        if value:  # a cleared field is nobody's
            yield UniqueValue(account.target_id, name, digest(value))


def _tracked(policy: Policy) -> Iterator[str]:
    """Unique fields, and the one that accounts are found by."""
    return (name for name, spec in policy.fields.items() if spec.unique or name == policy.correlation)


_Shape: TypeAlias = tuple[list[Json], list[Json], dict[str, Hold]]


def _shape(account: Account, policy: Policy) -> _Shape:
    seen, asked = account.observed or {}, account.doubt.changes if account.doubt else {}
    names = list(_tracked(policy))
    return (
        [seen.get(name) for name in names],
        [asked.get(name) for name in names],
        {name: account.held[name] for name in waiting_fields(account)},
    )
