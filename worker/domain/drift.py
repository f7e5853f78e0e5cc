"""Drift: where an account, as its target lists it, is not as HR says, and why. Pure.

Only owned fields are compared, and of these only what the listing shows. Whether a repair would send
something is asked of the same `decide` as a sync's: what a guard or a hold keeps back is drift as well,
and mends nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from connectors.sdk.fields import same
from connectors.sdk.model import Json, Record
from worker.domain.account import ACCOUNT, FAULT, LEAVER, Account, Person
from worker.domain.identity import Identity
from worker.domain.leaving import as_leaver, leaves_scope
from worker.domain.person import View
from worker.domain.plan import Done, decide
from worker.domain.policy import Policy, Timing
from worker.domain.sets import with_memberships


class Cause(enum.StrEnum):
    """Why it differs; the words stand in the drift table."""

    CHANGED = "changed"  # it was right, or at least otherwise, when we last looked: somebody changed it
    NEVER = "never_applied"  # the target never had what HR says: on its way, backing off, or not sent
    HELD = "held"  # an operator or new data has to decide first
    MAPPING = "mapping"  # another configuration decided about it, a run has yet to apply the new one
    MISSING = "missing"  # a linked account that a complete listing does not have
    STRANGER = "stranger"  # an account that is nobody's: reported, never touched


@dataclass(frozen=True, slots=True)
class Difference:
    """One field. `mends`: a sync that reads the account now would send something for it."""

    field: str
    cause: Cause
    wanted: Json
    listed: Json
    mends: bool


def differences(  # noqa: PLR0913 - a pure function names all it depends on
    account: Account,
    identity: Identity,
    view: View,
    policy: Policy,
    fingerprint: str,
    record: Record,
    now: float,
) -> list[Difference]:
    """Of a linked account; none for a person who is outside the target's scope."""
    seen = _as_listed(account, {**(account.observed or {}), **record}, now)
    person = with_memberships(as_leaver(view.of(identity, now), policy), seen, policy)
    if not person.in_scope and not leaves_scope(person, policy):
        return []
    names = [*_differing(account, person, policy, record)]
    sends = _sends(seen, person, policy, now) if names else frozenset()
    judged = account.mapping_hash == fingerprint
    return [
        Difference(
            name,
            _cause(account, policy, fingerprint, name, record.get(name)),
            person.wanted[name],
            record.get(name),
            mends=judged and name in sends,
        )
        for name in names
    ]


def _as_listed(account: Account, observed: Record, now: float) -> Account:
    """As if the page were an answer to a read. Nowhere is it kept as one."""
    return replace(
        account,
        observed=observed,
        observed_at=now,
        must_read=False,
        doubt=None,
        recheck_at=None,
        ignored={},
    )


def _differing(account: Account, person: Person, policy: Policy, shown: Record) -> Iterator[str]:
    for name, wanted in sorted(person.wanted.items()):
        spec = policy.fields[name]
        if name not in shown:
            if _is_below_shown(name, shown):
                yield name
        elif spec.opaque and wanted is not None:
            before = (account.observed or {}).get(name)
            if shown[name] != before:  # only that the address moved can be seen
                yield name
        elif not same(spec, wanted, shown[name]):
            yield name


def _is_below_shown(name: str, shown: Record) -> bool:
    """Whether its container is listed without it: another key of it shows that."""
    container, dot, _ = name.partition(".")
    return bool(dot) and any(other.startswith(f"{container}.") for other in shown)


def _sends(seen: Account, person: Person, policy: Policy, now: float) -> AbstractSet[str]:
    looking = replace(policy, observe_only=True)
    step = decide(seen, person, looking, Timing(), now, now).step
    return set(step.planned or ()) if isinstance(step, Done) else set()


def _cause(account: Account, policy: Policy, fingerprint: str, name: str, listed: Json) -> Cause:
    held = {name, ACCOUNT, FAULT} | ({LEAVER} if name == policy.active_field else set())
    if held & account.held.keys():
        return Cause.HELD
    observed = account.observed or {}
    known = name in observed
    if known and not _same(policy, name, observed[name], listed):
        return Cause.CHANGED
    if account.applied_revision and account.mapping_hash != fingerprint:
        return Cause.MAPPING
    return Cause.NEVER


def _same(policy: Policy, name: str, before: Json, listed: Json) -> bool:
    spec = policy.fields[name]
    return before == listed if spec.opaque else same(spec, before, listed)
