"""Arriving: what events that are not folded yet would change about one account. Pure, sends nothing.

From what is stored alone, as `worker.domain.foresee`; but here the person changes, and so an account
that was never found counts as a change: nobody can say yet what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.sdk.model import Json
from worker.domain.account import ACCOUNT, LEAVER, Account
from worker.domain.identity import Identity
from worker.domain.leaving import has_left
from worker.domain.person import View
from worker.domain.plan import Done, Find, decide
from worker.domain.policy import Policy, Timing

UNREAD = "@unread"  # an account that is linked and was never read


def brought(  # noqa: PLR0913 - a pure function names all it depends on
    account: Account, before: Identity, after: Identity, view: View, policy: Policy, now: float
) -> dict[str, Json]:
    """What changes because the person does: field to value, `@account` for a search or a creation.

    What a date that the events brought will change, on its day, counts as if it came today.
    """
    if after.revision == before.revision:
        return {}
    later = view.dates.wake_at(after, now)
    found = _brought(account, before, after, view, policy, now)
    return found if later is None else {**_brought(account, before, after, view, policy, later), **found}


def _brought(  # noqa: PLR0913 - as brought
    account: Account, before: Identity, after: Identity, view: View, policy: Policy, at: float
) -> dict[str, Json]:
    then = planned(account, after, view, policy, at)
    if before.revision == 0:
        return then
    anyhow = planned(account, before, view, policy, at)
    return {name: value for name, value in then.items() if name not in anyhow or anyhow[name] != value}


def planned(account: Account, identity: Identity, view: View, policy: Policy, now: float) -> dict[str, Json]:
    """All that the account lacks, as if it had been read just now."""
    person = view.of(identity, now)
    at_rest = replace(account, observed_at=now, must_read=account.remote_id is None, doubt=None, ignored={})
    step = decide(replace(at_rest, recheck_at=None), person, _looking(policy), Timing(), now, now).step
    if isinstance(step, Find):
        how = "create" if policy.on_missing == "create" and not has_left(person) else "find"
        return {ACCOUNT: {"how": how, "by": person.correlation_hash}}
    if not isinstance(step, Done):
        return {UNREAD: identity.revision}
    if step.planned is None:
        return {}
    return dict(step.planned) or {LEAVER: policy.leaver}


def takes_away(changes: Mapping[str, Json], policy: Policy) -> bool:
    """Whether the person would be deactivated, demoted or deleted there."""
    active = policy.active_field
    return LEAVER in changes or (active is not None and changes.get(active, True) in (False, None))


def _looking(policy: Policy) -> Policy:
    return replace(policy, observe_only=True)
