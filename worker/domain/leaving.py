"""Leavers and returners: who counts as gone, and what becomes of the account. Pure.

A person leaves when HR says inactive, or by leaving the scope of a target with
`on_leave_scope = "leaver"`. The target's `leaver` says what follows.
"""

from __future__ import annotations

from dataclasses import replace

from worker.domain.account import LEAVER, QUIET, RETURNER, Account, Hold, Person, Reason
from worker.domain.policy import Policy

_REFUSED = frozenset({Reason.REJECTED, Reason.BRAKE, Reason.PROTECTED, *QUIET})


def as_leaver(person: Person, policy: Policy) -> Person:
    """A leaver by `on_leave_scope` is deactivated like one whom HR calls inactive.

    A leaver who is demoted gets no right back, whatever HR's data still says.
    """
    active, wanted = policy.active_field, dict(person.wanted)
    if active is not None and active in policy.fields and leaves_scope(person, policy):
        wanted[active] = False
    if policy.leaver == "demote" and has_left(person):
        wanted = {name: value for name, value in wanted.items() if not policy.fields[name].privileged}
    return person if wanted == person.wanted else replace(person, wanted=wanted)


def leaves_scope(person: Person, policy: Policy) -> bool:
    """Whether being out of scope makes this person a leaver; a scope that gave no answer never does."""
    return not person.in_scope and person.scope_known and policy.on_leave_scope == "leaver"


def has_left(person: Person) -> bool:
    """Whether the account is to be treated as a leaver's."""
    return person.leaver or not person.in_scope


def hold_leaver(account: Account, person: Person, policy: Policy, now: float) -> Account:
    """The account with a hold where nothing deactivates or demotes it, and without one where that is over."""
    deactivates = policy.leaver == "deactivate" and policy.active_field in policy.fields
    if not has_left(person) or deactivates:
        return account.release([LEAVER])
    if policy.leaver == "demote":
        return account if _is_refused(account) else account.release([LEAVER])
    if policy.leaver == "delete" and _is_refused(account):
        return account
    if policy.leaver == "delete":
        message = f"the person left, deleting the account at {policy.title} waits for an approval"
        return account.hold({LEAVER: Hold(Reason.APPROVAL, message, "", now)})
    message = (
        f"the person left, and {policy.title} has no way to deactivate an account"
        if policy.active_field is None
        else f'the person left: targets.{policy.target}.leaver = "{policy.leaver}"'
    )
    return account.hold({LEAVER: Hold(Reason.LEAVER, message, "", now)})


def told_apart(account: Account, person: Person, policy: Policy, now: float) -> Account:
    """A returner whose account was demoted: an operator has to hand out a password."""
    if not account.demoted or has_left(person):
        return account
    message = f"the person returned: the account at {policy.title} was demoted and needs a new password"
    hold = Hold(Reason.RETURNED, message, "", now)
    return replace(account, demoted=False).hold({RETURNER: hold})


def is_to_demote(account: Account, person: Person, policy: Policy) -> bool:
    """Whether rights and password are still to be taken away."""
    due = has_left(person) and policy.leaver == "demote" and not account.demoted
    return due and not _is_refused(account)


def is_to_delete(account: Account, person: Person, policy: Policy) -> bool:
    """Whether the account is to go, and somebody approved of that: nothing is deleted without."""
    due = has_left(person) and policy.leaver == "delete" and LEAVER in account.approvals
    return due and not _is_refused(account)


def _is_refused(account: Account) -> bool:
    """Whether a demotion or a deletion waits for an operator."""
    return LEAVER in account.held and account.held[LEAVER].reason in _REFUSED
