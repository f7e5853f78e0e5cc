"""The last superuser of a target is never taken away (DESIGN section 4). Pure.

Before a request that may take one away, the target is asked whether another active one is left. It is
asked again for every such request, just before it; while that lasts nobody else takes one away.
"""

from __future__ import annotations

from collections.abc import Iterable

from worker.domain.account import LEAVER, Account, Hold, Reason
from worker.domain.plan import Census, Decision, Delete, Demote, Patch, Step
from worker.domain.policy import Policy
from worker.domain.strict_json import digest


def keep_last(decision: Decision, policy: Policy, others: bool | None, now: float) -> Decision:
    """The decision; or to ask first, where `others` is None; or its account with what is held instead."""
    account, step = decision.account, decision.step
    if not _is_superuser(account, policy) or not takes_away(step, policy):
        return decision
    if others is None:
        return Decision(account, Census())
    return decision if others else Decision(_held(account, step, policy, now), step)


def _is_superuser(account: Account, policy: Policy) -> bool:
    """Whether it may be one. What was observed before we looked at the flag does not say."""
    observed = account.observed or {}
    if policy.superuser_field is None or observed.get(policy.superuser_field, True) is not True:
        return False
    return policy.active_field is None or observed.get(policy.active_field) is not False


def takes_away(step: Step, policy: Policy) -> bool:
    """Whether the step may leave its account without the rights of a superuser."""
    return any(True for _ in _names(step, policy))


def _names(step: Step, policy: Policy) -> Iterable[str]:
    """What of the step does so: fields, or the account as a whole."""
    match step:
        case Demote() | Delete():
            yield LEAVER
        case Patch(changes, revocation=True):
            flags = (policy.superuser_field, policy.active_field)
            yield from (name for name in flags if name is not None and changes.get(name) is False)
            yield from (name for name in sorted(policy.superuser_through) if name in changes)
        case _:
            return


def _held(account: Account, step: Step, policy: Policy, now: float) -> Account:
    words = f"no other active superuser of {policy.title} was found: the last one is kept"
    changes = step.changes if isinstance(step, Patch) else {}
    return account.hold(
        {
            name: Hold(Reason.PROTECTED, words, digest(changes[name]) if name in changes else "", now)
            for name in _names(step, policy)
        }
    )
