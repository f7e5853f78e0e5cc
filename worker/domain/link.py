"""Linking: which account of a target belongs to an identity (DESIGN 2.13). Pure.

User names are reused, so one match is not enough: it takes an immutable key, or two agreeing
texts, and no other identity may own the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from connectors.sdk.fields import FieldType, same
from connectors.sdk.model import Match
from worker.domain.account import ACCOUNT, Account, Hold, Person, Reason, Write
from worker.domain.answer import Absent, Absorbed, Continue, End, Moment, Wait
from worker.domain.policy import Policy


def absorb_found(  # noqa: PLR0913 - a pure function names all it depends on
    account: Account,
    matches: tuple[Match, ...],
    taken: Iterable[str],
    person: Person,
    policy: Policy,
    at: Moment,
    contested: Mapping[str, str] = MappingProxyType({}),
) -> Absorbed:
    """The account after a search that worked. `taken` are remote ids of other identities.

    `contested`: see the function of that name.
    """
    settled = _without_creation(account)
    owned = set(taken)
    matches = tuple(m for m in matches if m.remote_id not in owned or _shows_current(m, person, policy))
    free = [match for match in matches if match.remote_id not in owned]
    clear = len(free) == 1 and free[0].remote_id not in contested
    if clear and evidence(free[0], person, policy):
        linked = replace(settled, remote_id=free[0].remote_id, crashes=0).release([ACCOUNT])
        return Absorbed(linked.saw(free[0].record, at.now), Continue())
    gone = person.leaver or not person.in_scope
    if not matches and (policy.on_missing == "ignore" or gone):
        return Absorbed(replace(settled, must_read=False).release([ACCOUNT]).at_rest(), End())
    if not matches and policy.on_missing == "create":
        return _to_create(account, at)
    hold = _no_link(matches, free, person, policy, at.now)
    if len(free) == 1 and not clear:
        hold = replace(hold, message=_contest(free[0], contested, policy))
    return Absorbed(replace(settled, must_read=False).hold({ACCOUNT: hold}).at_rest(), End())


def _to_create(account: Account, at: Moment) -> Absorbed:
    """Nobody is there. A creation in doubt may still land: wait until it is certain."""
    certain_at = account.doubt.at + at.timing.late_effect_s if account.doubt else 0.0
    if at.now < certain_at:
        return Absorbed(replace(account, must_read=True), Wait(certain_at))
    return Absorbed(replace(_without_creation(account), must_read=False).release([ACCOUNT]), Absent())


def _without_creation(account: Account) -> Account:
    """A search answers for a creation in doubt; a change in doubt needs a read of its own."""
    created = account.doubt is not None and account.doubt.write is Write.CREATE
    return replace(account, doubt=None) if created else account


def evidence(match: Match, person: Person, policy: Policy) -> tuple[str, ...]:
    """The fields that prove a match: an immutable key alone, or two agreeing texts. Else none."""
    key = policy.immutable_key
    if key is not None and key in match.matched:
        return (key,)
    names = tuple(dict.fromkeys((*match.matched, *agreeing(match, person, policy))))
    return names if len(names) > 1 else ()


def agreeing(match: Match, person: Person, policy: Policy) -> tuple[str, ...]:
    """The owned texts of which the account shows what HR says.

    One of a few words that many have, such as authentik's `type`, tells nobody apart and is none of them.
    """
    return tuple(
        name
        for name, spec in policy.fields.items()
        if spec.type is FieldType.TEXT and not spec.choices and _agrees(match, person, policy, name)
    )


def contested(
    matches: Sequence[Match], person: Person, namesakes: Mapping[str, Person], policy: Policy
) -> dict[str, str]:
    """Remote id to subject, of matches that speak for somebody else at least as much as for the person.

    `namesakes` are people by subject who have no account yet and are or were called alike: names
    are reused, and whose account it is must not depend on who is looked at first.
    """
    return {
        match.remote_id: subject
        for subject, rival in sorted(namesakes.items(), reverse=True)
        for match in matches
        if is_called(match, rival, policy)
        and _speaks_for(match, rival, policy) >= _speaks_for(match, person, policy)
    }


def is_called(match: Match, person: Person, policy: Policy) -> bool:
    """Whether the account has a name that the person has or had."""
    spec, shown = policy.fields[policy.correlation], match.record.get(policy.correlation)
    return shown is not None and any(same(spec, name, shown) for name in person.correlation)


def _speaks_for(match: Match, person: Person, policy: Policy) -> int:
    """How many texts agree, the name that the person has or had among them."""
    called = {policy.correlation} if is_called(match, person, policy) else set()
    return len({*agreeing(match, person, policy), *called})


def _contest(match: Match, contested: Mapping[str, str], policy: Policy) -> str:
    who = contested[match.remote_id]
    return f"one account of {policy.title} answers, but it may be that of {who}, who is or was called so"


def _shows_current(match: Match, person: Person, policy: Policy) -> bool:
    """Whether it is in the way. Another's account that only has what this person was called is not."""
    shown = match.record.get(policy.correlation)
    return shown is None or same(policy.fields[policy.correlation], person.correlation[0], shown)


def _agrees(match: Match, person: Person, policy: Policy, name: str) -> bool:
    wanted, shown = person.wanted.get(name), match.record.get(name)
    return bool(wanted) and shown is not None and same(policy.fields[name], wanted, shown)


def _no_link(
    matches: tuple[Match, ...], free: list[Match], person: Person, policy: Policy, now: float
) -> Hold:
    reason = Reason.MATCHES
    asked = f"{policy.correlation} = {person.correlation[0]!r}"
    if not matches:
        reason, message = Reason.MISSING, f"no account of {policy.title} has {asked}"
    elif not free:
        reason, message = Reason.UNIQUE, f"the account with {asked} belongs to another identity"
    elif len(free) > 1:
        message = f"{len(free)} accounts answer to {asked} or a former value"
    else:
        message = f"one account has {asked}, but nothing else agrees: usernames are reused, link it by hand"
    return Hold(reason, message, person.correlation_hash, now)
