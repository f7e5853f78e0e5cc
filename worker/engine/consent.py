"""Consent: in the transaction of an intent, whether each approval that it relies on still stands.

An approval is kept with its account; the stored decision has the last word. It is void where a newer
verdict was given about the field, where its time is over, and where who approved was revoked since.
"""

from __future__ import annotations

from worker.domain.account import Approval
from worker.domain.decisions import Word, without_approvals
from worker.domain.operator import Role
from worker.engine.job import Job
from worker.engine.view_ports import Consents


def stands(tx: Consents, job: Job) -> bool:
    """True where the step relies on nobody; where it is False the void approvals are gone: decide anew."""
    void = [name for name, given in job.relied_on().items() if not _stands(tx, job, name, given)]
    job.account = without_approvals(job.account, void)
    return not void


def _stands(tx: Consents, job: Job, name: str, given: Approval) -> bool:
    newest = tx.decisions.verdict(job.account.id, name)
    if newest is None or newest.id != given.decision or newest.word is not Word.APPROVE:
        return False
    in_time = newest.until is not None and tx.now < newest.until
    return in_time and newest.binds == given.binds and _is_trusted(tx, newest.by, job.target.name)


def _is_trusted(tx: Consents, by: str, target: str) -> bool:
    """Whether who approved may still decide there. A token that merely expired takes nothing back."""
    for row in tx.operators.all():
        who = row.principal
        if who.actor == by:
            return row.revoked_at is None and who.may(Role.APPROVER) and who.covers([target])
    return False
