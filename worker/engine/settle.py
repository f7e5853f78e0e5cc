"""Settling: what answers and claims become in the database, inside the coordinator's transaction.

Locks are taken in the order of DESIGN 2.7: accounts by id, then the target's row (brake, pause),
then the audit heads when the transaction commits. Used by one coordinator at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from worker.domain.answer import Absorbed, Blame, Moment, Wait
from worker.domain.plan import Census, Create, Delete, Demote, Later, Patch, Withheld
from worker.domain.policy import Timing
from worker.engine import consent
from worker.engine.braking import Brake, Counted, brake_holds
from worker.engine.census import CensusTaker
from worker.engine.clashes import Clashes
from worker.engine.fold import NORMAL
from worker.engine.job import Answer, Job
from worker.engine.keeper import BRAKE_ALARM, Keeper
from worker.engine.others import namesakes, taken
from worker.engine.ports import Transaction
from worker.engine.rows import Progress, Settled
from worker.engine.shelter import sheltered

_APPLIED = "account:patch:applied"
_ACKNOWLEDGED = (":applied", ":confirmed")  # of a patch, a creation or a demotion


class Settler:
    """`random` gives numbers in [0, 1) for the jitter of delays."""

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        timing: Timing,
        brake: Brake,
        keeper: Keeper,
        clashes: Clashes,
        census: CensusTaker,
        random: Callable[[], float],
    ) -> None:
        self._timing = timing
        self._brake = brake
        self._keeper = keeper
        self._clashes = clashes
        self._census = census
        self._random = random

    def settle(self, tx: Transaction, answers: Sequence[Answer], token: str) -> list[Job]:
        """Take the answers in; the jobs that are over."""
        if not answers:
            return []
        owned = tx.accounts.lock_owned([answer.job.account.id for answer in answers], token)
        lost = [answer for answer in answers if answer.job.account.id not in owned]
        for entry in filter(None, (answer.job.late(answer) for answer in lost)):
            tx.audit(entry)
        ours = [answer for answer in answers if answer.job.account.id in owned]
        for answer in ours:
            self._absorb(tx, answer)
        return [answer.job for answer in lost] + self.plan(tx, [answer.job for answer in ours], token)

    def _absorb(self, tx: Transaction, answer: Answer) -> None:
        job = answer.job
        healthy = job.target.health.others_succeed(job.account.id, job.account.failing_since)
        moment = Moment(tx.now, self._random(), self._timing, healthy)
        others = taken(answer, tx.accounts.owners), namesakes(answer, tx.identities.namesakes)
        # What fails up to here is not the account's.
        absorbed: Absorbed | None = None
        with sheltered(job, tx.now):
            absorbed = job.answered(answer, moment, *others)
        if job.spoilt:
            job.unheard(answer)
        elif absorbed is None:
            job.follow = Wait(tx.now)
        else:
            self._note_health(tx, job, absorbed)
            self._keeper.heed(tx, job.target, job.account.id, absorbed)

    def _note_health(self, tx: Transaction, job: Job, absorbed: Absorbed) -> None:
        if absorbed.blame is Blame.NOBODY and not job.account.failure:
            applied = bool(job.entries) and job.entries[-1].action == _APPLIED
            job.target.health.succeeded(job.account.id, applied=applied, now=tx.now)
            if job.target.health.proved(applied=applied):
                self._keeper.proved(tx, job.target)

    def plan(self, tx: Transaction, jobs: Sequence[Job], token: str) -> list[Job]:
        """Decide what comes next for each; write intents and settle what is over."""
        progress: list[Progress] = []
        sound = [job for job in jobs if not job.spoilt]
        self._clashes.reopen(tx, sound)
        for job in sound:
            self._decide(tx, job)
        _intend(tx, jobs)
        self._clashes.note(tx, [job for job in jobs if not job.spoilt])
        finished = [job for job in jobs if job.finished]
        revisions = tx.identities.revisions([job.account.identity_id for job in finished]) if finished else {}
        for job in jobs:
            if job.finished:
                self._census.end(tx, job)
                progress.append(_settle(job, tx.now, revisions[job.account.identity_id]))
            elif job.entries:
                progress.append(Progress(job.account))
            for entry in job.entries:
                tx.audit(entry)
            job.entries = []
        tx.accounts.save(progress, token)
        return finished

    def committed(self, jobs: Sequence[Job]) -> None:
        """What is left to do once the transaction that planned these jobs is over."""
        self._clashes.wake(jobs)

    def _decide(self, tx: Transaction, job: Job) -> None:
        with sheltered(job, tx.now):
            job.decide(self._timing, tx.now)
        while not self._may_go(tx, job):
            with sheltered(job, tx.now):
                job.decide(self._timing, tx.now)

    def _may_go(self, tx: Transaction, job: Job) -> bool:
        """Whether the guards that need rows let the step pass; where they do not, decide anew."""
        match job.step:
            case Census():
                return self._census.begin(tx, job)
            case Create():
                return consent.stands(tx, job)
            case Patch() | Demote() | Delete() as send:
                agreed = consent.stands(tx, job) and self._census.stands(tx, job)
                return agreed and not self._is_braked(tx, job, send)
            case _:
                return True

    def _is_braked(self, tx: Transaction, job: Job, send: Patch | Demote | Delete) -> bool:
        """Count a revocation under the target's lock; too many hold it."""
        if not send.revocation:
            return False
        target = job.target
        tx.targets.lock(target.id)
        sent = tx.targets.revocations(target.id, tx.now - self._brake.window_s, but=job.account.id)
        holds = brake_holds(job, send, Counted(sent, tx.accounts.count(target.id)), self._brake, tx.now)
        if not holds:
            tx.targets.add_revocation(target.id, job.account.id, tx.now)
            return False
        job.account = job.account.hold(holds)
        message = next(iter(holds.values())).message
        tx.targets.raise_alarm(BRAKE_ALARM, target.id, message, tx.now)
        return True


def _intend(tx: Transaction, jobs: Sequence[Job]) -> None:
    """Name what each job's step is done for, by one query for all; write down what will be sent."""
    behind = {job: job.events() for job in jobs}
    correlations = tx.events.correlations(sorted(set().union(*behind.values())))
    for job, rows in behind.items():
        with sheltered(job, tx.now):
            job.because([correlations[row] for row in sorted(rows) if row in correlations])
            if isinstance(job.step, Patch | Create | Demote | Delete):
                job.intend(job.step, tx.now)


def _settle(job: Job, now: float, revision: int) -> Progress:
    """The end of a job: acknowledged, or to be looked at later."""
    job.close(now)
    moved = revision > job.person.revision
    claim = job.claim
    if isinstance(job.step, Later):
        again_at = now if moved else _earlier(job.step.due_at, job.account.recheck_at)
        return Progress(job.account, Settled(claim.claimed_at, again_at, claim.pending_since, None))
    if isinstance(job.step, Withheld):
        since = claim.pending_since if claim.pending_since is not None else claim.claimed_at
        look_at = now if moved else job.account.recheck_at
        return Progress(job.account, Settled(claim.claimed_at, look_at, since, None))
    acknowledged = replace(
        job.account, applied_revision=job.person.revision, mapping_hash=job.target.fingerprint, crashes=0
    )
    _tell_latency(job, now)
    if moved:
        return Progress(acknowledged, Settled(claim.claimed_at, now, claim.claimed_at, None))
    return Progress(acknowledged, Settled(claim.claimed_at, acknowledged.recheck_at, None, NORMAL))


def _earlier(due_at: float, recheck_at: float | None) -> float:
    return due_at if recheck_at is None else min(due_at, recheck_at)


def _tell_latency(job: Job, now: float) -> None:
    """From the oldest event's acceptance to its acknowledgement, on the entry that ended it."""
    if job.claim.pending_since is None:
        return
    for place, entry in reversed(list(enumerate(job.entries))):
        if entry.action.startswith("account:") and entry.action.endswith(_ACKNOWLEDGED):
            job.entries[place] = replace(entry, latency_s=now - job.claim.pending_since)
            return
