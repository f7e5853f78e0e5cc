"""Rehearsal: one account on its way through a sync, without sending and without storing anything.

The steps are those of a real sync: the same `Job`, the same guards. Where a sync would read, either the
target is really read (GET only), or it is taken to show what it showed last. Where a sync would write, the
request is kept and taken to be applied, so that what follows it is seen as well.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from connectors.sdk.model import Exchange, Found, Json, Outcome, OutcomeKind
from connectors.sdk.rest import write_until
from worker.domain.answer import Moment
from worker.domain.clash import UniqueValue, awaits, reopened, waiting_fields
from worker.domain.identity import Identity
from worker.domain.plan import Census, Create, Delete, Demote, Fetch, Patch, Send
from worker.domain.policy import Timing
from worker.engine import consent
from worker.engine.braking import Brake, Counted, brake_holds
from worker.engine.dispatch import call
from worker.engine.job import Answer, Job, is_write
from worker.engine.others import namesakes, taken
from worker.engine.rows import Claim
from worker.engine.shelter import sheltered
from worker.engine.target import Rules, Target
from worker.engine.view_ports import View

_STEPS = 40  # a sync that takes more for one account has gone astray
_NO_JITTER = 0.0

Begin = Callable[[], AbstractContextManager[View]]


@dataclass(frozen=True, slots=True)
class Meant:
    """A request as it would be sent, and the job at that moment."""

    send: Send
    changes: tuple[Json, ...]  # as the audit would tell them: field, before, after, row of the event
    approved: tuple[str, ...] = ()  # fields that an approval lets pass


@dataclass(slots=True)
class Rehearsed:
    """How it went. `job` is where it ended; its step says why it went no further."""

    job: Job
    meant: list[Meant] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sent_before: int = 0  # revocations of other accounts within the brake's window
    unanswered: bool = False  # the target was asked, and gave no answer to go on with
    seen_at: float = 0.0  # when the target really showed what this is planned from


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`begin` opens a view, or gives one that is open. `reads`: whether the target is really asked."""

    begin: Begin
    timing: Timing
    brake: Brake
    crash_limit: int
    reads: bool = False

    def of(self, target: Target, claim: Claim, braked: int = 0) -> Rehearsed:
        """As if no run had to judge anything. `braked`: revocations planned for others just before."""
        with self.begin() as view:
            job = Job.start(_enforcing(target), claim, view.now, None, self.crash_limit)
            news = view.news(job.account.id) if waiting_fields(job.account) else frozenset()
        seen = Rehearsed(job, sent_before=braked, seen_at=claim.account.observed_at)
        if job.spoilt:
            return seen
        for _ in range(_STEPS):
            with self.begin() as view:
                self._decide(view, seen, news)
                now = view.now
            news = frozenset()
            if job.finished or job.spoilt or not self._went_on(seen, now):
                break
        return seen

    def _went_on(self, seen: Rehearsed, now: float) -> bool:
        step = seen.job.step
        if isinstance(step, Patch | Create | Demote | Delete):
            seen.meant.append(_meant(seen.job, step))
            return not isinstance(step, Create | Delete) and self._applied(seen.job, step, now)
        return self._looked(seen, now) if self.reads else self._assumed(seen, now)

    def _decide(self, view: View, seen: Rehearsed, news: AbstractSet[UniqueValue]) -> None:
        """As `worker.engine.settle.Settler` does, with the same guards."""
        job = seen.job
        if waiting_fields(job.account):
            asked = awaits(job.account, job.person, job.target.policy)
            job.account = reopened(job.account, job.person, job.target.policy, news, view.holders(asked))
        with sheltered(job, view.now):
            job.decide(self.timing, view.now)
        while not self._may_go(view, seen):
            with sheltered(job, view.now):
                job.decide(self.timing, view.now)

    def _may_go(self, view: View, seen: Rehearsed) -> bool:
        job, step = seen.job, seen.job.step
        if isinstance(step, Create):
            return consent.stands(view, job)
        if not isinstance(step, Patch | Demote | Delete):
            return True
        return consent.stands(view, job) and not self._is_braked(view, seen, step)

    def _is_braked(self, view: View, seen: Rehearsed, send: Patch | Demote | Delete) -> bool:
        if not send.revocation:
            return False
        job = seen.job
        since = view.now - self.brake.window_s
        sent = view.revocations(job.target.id, since, but=job.account.id) + seen.sent_before
        counted = Counted(sent, view.linked(job.target.id))
        holds = brake_holds(job, send, counted, self.brake, view.now)
        job.account = job.account.hold(holds)
        return bool(holds)

    def _applied(self, job: Job, send: Patch | Demote, now: float) -> bool:
        """Take it that the target showed the wanted values at once."""
        job.intend(send, now)
        record = {**(job.account.observed or {}), **send.changes}
        opaque = {name: "" for name in send.changes if _is_opaque(job.target, name)}
        exchange = Exchange("PATCH", "")
        outcome = Outcome(OutcomeKind.APPLIED, exchange, record=record, digests=opaque)
        self._answer(Answer(job, job.step, outcome), now)
        return True

    def _assumed(self, seen: Rehearsed, now: float) -> bool:
        """What was last observed stands for the answer to a read; nothing stands for a search."""
        job = seen.job
        match job.step:
            case Fetch() if job.account.observed is not None and job.account.doubt is None:
                if not seen.meant:
                    seen.notes.append("planned from what was last seen; a sync reads the account first")
                outcome = Outcome(
                    OutcomeKind.OBSERVED, Exchange("GET", ""), record=dict(job.account.observed)
                )
                self._answer(Answer(job, job.step, outcome), now)
                return True
            case Census():
                job.others = True
                seen.notes.append("the target is asked first whether another superuser is left")
                return True
            case _:
                return False

    def _looked(self, seen: Rehearsed, now: float) -> bool:
        """Ask the target. An answer that is none ends the rehearsal."""
        job = seen.job
        if job.target.rate_per_s is not None:
            time.sleep(1 / job.target.rate_per_s)
        result = contextvars.copy_context().run(_read, job)
        outcome = result.outcome if isinstance(result, Found) else result
        if outcome.kind not in (OutcomeKind.OBSERVED, OutcomeKind.MISSING):
            said = outcome.detail or f"status {outcome.exchange.status}"
            seen.unanswered = True
            seen.notes.append(f"reading failed: {outcome.kind.value}: {said}")
            return False
        with self.begin() as view:
            answer = Answer(job, job.step, result)
            others = taken(answer, view.owners), namesakes(answer, view.namesakes)
        self._answer(answer, now, *others)
        seen.seen_at = now
        return not job.spoilt

    def _answer(
        self,
        answer: Answer,
        now: float,
        owned: frozenset[str] = frozenset(),
        alike: Sequence[Identity] = (),
    ) -> None:
        with sheltered(answer.job, now):
            answer.job.answered(answer, Moment(now, _NO_JITTER, self.timing), owned, alike)


def _enforcing(target: Target) -> Target:
    """The same target as if its mode were `enforce`: what a plan shows is what it would send."""
    if not target.policy.observe_only:
        return target
    return replace(target, rules=Rules(replace(target.policy, observe_only=False)))


def _is_opaque(target: Target, name: str) -> bool:
    spec = target.policy.fields.get(name)
    return spec is not None and spec.opaque


def _meant(job: Job, send: Send) -> Meant:
    return Meant(send, tuple(job.subject.changes(send.changes)), tuple(sorted(job.relied_on())))


def _read(job: Job) -> Outcome | Found:
    """One read. In a context of its own, in which no write can leave."""
    if is_write(job.step):
        raise AssertionError("a rehearsal sends no write")
    write_until.set(0.0)
    return call(job)
