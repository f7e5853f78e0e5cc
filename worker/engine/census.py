"""The census: one account at a time may ask whether another superuser is left, and then be taken away.

Two workers that each take one of the last two away would both see the other one. So who asks holds the
target's census, a lease by name, from the question until the outcome is known; without one it runs out
by the clock, later than any answer can come.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from worker.domain.answer import Wait
from worker.domain.last_superuser import takes_away
from worker.engine.job import Job
from worker.engine.ports import Transaction
from worker.engine.rows import Lease


@dataclass(frozen=True, slots=True)
class CensusTaker:
    """`lasts_s`: a lease, and how late a target may apply what we sent. `wait_s`: before asking again."""

    lasts_s: float
    wait_s: float

    def begin(self, tx: Transaction, job: Job) -> bool:
        """Whether the job may ask now; where it may not, it waits."""
        self.end(tx, job)
        lease = Lease(uuid.uuid4().hex, tx.now, tx.now + self.lasts_s)
        if tx.leases.take(_name(job), lease):
            job.census = lease
            return True
        job.follow = Wait(tx.now + self.wait_s)
        return False

    def stands(self, tx: Transaction, job: Job) -> bool:
        """Whether what the census said is still good for the step; where it is not, it is asked again."""
        if job.others is None or not takes_away(job.step, job.target.policy):
            return True
        if job.census is not None and tx.now + job.target.deadline_s < job.census.until:
            return True
        job.others = None
        return False

    @staticmethod
    def end(tx: Transaction, job: Job) -> None:
        """Others may ask; but not while nobody knows what became of this job's request."""
        if job.census is not None and job.account.doubt is None:
            tx.leases.give_back(_name(job), job.census.token)
        job.census = None


def _name(job: Job) -> str:
    return f"superusers:{job.target.name}"
