"""Restraint: what an account may do while a run judges the mapping that is new to it. Pure.

Reads and searches go on, and so does what a leaver loses: a lock-out that HR asked for waits for
nobody. Every other change waits until the run has judged the whole plan, whoever made the account due.
"""

from __future__ import annotations

from worker.domain.account import Account, Person
from worker.domain.plan import Create, Delete, Demote, Patch, Step, Withheld


def is_restrained(account: Account, fingerprint: str) -> bool:
    """Whether another mapping decided about this account; a new one was never planned with any."""
    return account.applied_revision > 0 and account.mapping_hash != fingerprint


def restrained(step: Step, person: Person) -> Step:
    """The step as far as it may be taken now."""
    if not isinstance(step, Patch | Create | Demote | Delete) or (step.revocation and person.leaver):
        return step
    return Withheld()
