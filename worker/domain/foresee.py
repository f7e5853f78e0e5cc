"""Foresee: what a run would change about one account, from what is stored alone. Pure, sends nothing.

Only what the run itself brings about is foreseen. A field that reads an attribute which moved since
the account was last acknowledged is left out: that change is on its way without the run.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from connectors.sdk.model import Json
from worker.domain.account import ACCOUNT, LEAVER, Account
from worker.domain.identity import Identity
from worker.domain.leaving import has_left
from worker.domain.person import View
from worker.domain.plan import Done, Find, decide
from worker.domain.policy import Policy, Timing


def foreseen(account: Account, identity: Identity, view: View, policy: Policy, now: float) -> dict[str, Json]:
    """Field to value; `@account` for a creation, `@leaver` for a demotion or a deletion.

    Empty: nothing, or unknown. An account that was never read, or never acknowledged, has no plan that
    could be foreseen.
    """
    if account.applied_revision == 0:
        return {}
    person = view.of(identity, now)
    moved = _moved(account, identity, view, now)
    step = decide(_at_rest(account, now), person, _looking(policy), Timing(), now, now).step
    if isinstance(step, Find):
        creates = policy.on_missing == "create" and not has_left(person) and not moved
        return {ACCOUNT: "create"} if creates else {}
    if not isinstance(step, Done) or step.planned is None:
        return {}
    planned = dict(step.planned) or {LEAVER: policy.leaver}
    return {name: value for name, value in planned.items() if name not in _on_their_way(view, policy, moved)}


def _at_rest(account: Account, now: float) -> Account:
    """As if it had been read just now and showed what it last did."""
    asks = account.remote_id is None  # a run has such a person searched for
    return replace(account, observed_at=now, must_read=asks, doubt=None, recheck_at=None, ignored={})


def _looking(policy: Policy) -> Policy:
    return replace(policy, observe_only=True)


def _moved(account: Account, identity: Identity, view: View, now: float) -> frozenset[str]:
    """Attributes that changed since the account was last acknowledged."""
    known = account.applied_revision
    moved = {name for name, held in identity.attributes.items() if held.revision > known}
    if identity.revision > known and view.dates.ended(identity, now):
        moved.add("active")
    return frozenset(moved)


def _on_their_way(view: View, policy: Policy, moved: AbstractSet[str]) -> set[str]:
    fields = {name for name, expression in view.mapping.items() if moved & set(expression.reads)}
    leaving = {"active", *(view.scope.reads if view.scope is not None else ())}
    if moved & leaving:
        fields |= {LEAVER, *([policy.active_field] if policy.active_field else [])}
    return fields
