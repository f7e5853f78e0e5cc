"""One claimed account on its way through a sync: what it was, what it is, what comes next."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

from connectors.sdk.model import Found, Match, Outcome, OutcomeKind, Record
from worker.domain.account import Account, Doubt, Hold, Person, Reason, Write
from worker.domain.answer import (
    Absent,
    Absorbed,
    Continue,
    End,
    Follow,
    Moment,
    Refusal,
    Wait,
    absorb,
    shows,
)
from worker.domain.link import absorb_found, evidence
from worker.domain.plan import Create, Demote, Done, Later, Patch, Send, Step, decide, decide_create
from worker.domain.policy import Policy, Timing
from worker.engine.entries import Subject
from worker.engine.ports import Claim, Entry
from worker.engine.target import Target


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request. `result` None: it was not sent, and why says `unsent`."""

    job: Job
    step: Step
    result: Outcome | Found | None
    unsent: str = ""


@dataclass(slots=True, eq=False)
class Job:
    """Owned by the coordinator of one sync; the sending threads only read it."""

    target: Target
    claim: Claim
    account: Account
    person: Person
    step: Step
    follow: Follow = field(default_factory=Continue)
    request: str = ""
    entries: list[Entry] = field(default_factory=list)
    evidence: tuple[str, ...] = ()
    planned: Record | None = None

    @classmethod
    def start(cls, target: Target, claim: Claim, now: float) -> Job:
        person = target.view.of(claim.identity, now)
        job = cls(target, claim, claim.account, person, Done())
        if claim.crashed and claim.account.doubt is not None:
            job._abandoned(claim.account.doubt)
        return job

    def _abandoned(self, doubt: Doubt) -> None:
        """The worker before us died between intent and outcome: nobody knows whether it was applied."""
        facts = {"class": "ambiguous", "detail": "its worker died before an answer"}
        self.entries.append(self.subject.write(doubt.write, "ambiguous", doubt.request, dict(facts)))
        self.account = replace(self.account, crashes=self.account.crashes + 1)

    @property
    def subject(self) -> Subject:
        return Subject(self.target, self.account, self.person)

    @property
    def finished(self) -> bool:
        return isinstance(self.step, Done | Later)

    def decide(self, timing: Timing, now: float) -> None:
        """Take the next step; a follow that waits or ends is a step too."""
        match self.follow:
            case Wait(due_at):
                self.step = Later(due_at)
            case End():
                self.step = Done()
            case Absent():
                decision = decide_create(self.account, self.person, self.target.policy, now)
                self.account, self.step = decision.account, decision.step
            case Continue():
                policy, since = self.target.policy, self.claim.claimed_at
                decision = decide(self.account, self.person, policy, timing, now, since)
                self.account, self.step = decision.account, decision.step
        if isinstance(self.step, Done):
            self.planned = self.step.planned

    def intend(self, send: Send, now: float) -> None:
        """Write down what is about to be sent; from here on its effect is in doubt."""
        self.request = uuid.uuid4().hex
        write = write_of(send)
        changes = {"changes": self.subject.changes(send.changes)}
        self.entries.append(self.subject.write(write, "intended", self.request, changes))
        doubt = Doubt(self.request, send.changes, now, self.person.revision, send.revocation, write)
        self.account = replace(self.account, doubt=doubt)

    def answered(self, answer: Answer, at: Moment, taken: frozenset[str]) -> Absorbed | None:
        """Take an answer in; None when nothing was sent. `taken`: remote ids of other identities."""
        if answer.result is None:
            self._not_sent(answer)
            return None
        absorbed = self._absorb(answer.step, answer.result, at, taken)
        self._tell_doubt(answer.step, absorbed)
        former, self.account, self.follow = self.account, absorbed.account, absorbed.follow
        if self.account.remote_id != former.remote_id:
            self.entries.append(self.subject.link(former.remote_id, self.evidence))
        if absorbed.refusal is not None:
            self._hold_whole(absorbed.refusal, at.now)
        return absorbed

    def _absorb(self, step: Step, result: Outcome | Found, at: Moment, taken: frozenset[str]) -> Absorbed:
        policy = self.target.policy
        if isinstance(result, Outcome):
            outcome = replace(result, record=_owned(result.record, policy))
            if is_write(step):
                word = outcome.kind.value
                self.entries.append(self.subject.outcome(write_of(step), word, self.request, outcome))
            return absorb(self.account, outcome, policy, at)
        if result.outcome.kind is not OutcomeKind.OBSERVED:
            return absorb(self.account, result.outcome, policy, at)
        matches = tuple(replace(match, record=_owned(match.record, policy) or {}) for match in result.matches)
        absorbed = absorb_found(self.account, matches, taken, self.person, policy, at)
        self._keep_evidence(matches, absorbed)
        return absorbed

    def _tell_doubt(self, step: Step, absorbed: Absorbed) -> None:
        """A read or a search that ended a doubt says so in the audit."""
        doubt = self.account.doubt
        if doubt is None or absorbed.account.doubt is not None or is_write(step):
            return
        after = absorbed.account
        if doubt.write is Write.CREATE:
            shown = after.remote_id is not None
        else:
            shown = doubt.write is Write.PATCH and shows(
                self.target.policy, doubt.changes, after.observed or {}
            )
        word = "confirmed" if shown else "refuted"
        self.entries.append(self.subject.write(doubt.write, word, doubt.request, {}))

    def _hold_whole(self, refusal: Refusal, now: float) -> None:
        hold = Hold(Reason.REJECTED, refusal.message, self.person.correlation_hash, now)
        self.account = self.account.hold({refusal.name: hold})

    def _keep_evidence(self, matches: tuple[Match, ...], absorbed: Absorbed) -> None:
        for match in matches:
            if match.remote_id == absorbed.account.remote_id:
                self.evidence = evidence(match, self.person, self.target.policy)

    def _not_sent(self, answer: Answer) -> None:
        if is_write(answer.step):
            facts = {"detail": answer.unsent}
            write = write_of(answer.step)
            self.entries.append(self.subject.write(write, "not_sent", self.request, dict(facts)))
            self.account = replace(self.account, doubt=None)

    def late(self, answer: Answer) -> Entry | None:
        """The outcome of a write whose lease was lost meanwhile: told, and nothing else."""
        if is_write(answer.step) and isinstance(answer.result, Outcome):
            return self.subject.outcome(write_of(answer.step), "late", self.request, answer.result)
        return None

    def closing_entries(self) -> list[Entry]:
        """What changed for the account beside its requests: holds, and the plan in observe mode."""
        entries = self.subject.holds(self.claim.account.held)
        if self.planned is not None:
            changes = {"changes": self.subject.changes(self.planned)}
            entries.append(self.subject.entry("account:patch:planned", dict(changes)))
        return entries


def is_write(step: Step) -> bool:
    """Whether the step's request changes something at the target."""
    return isinstance(step, Patch | Create | Demote)


def write_of(step: Step) -> Write:
    match step:
        case Create():
            return Write.CREATE
        case Demote():
            return Write.DEMOTE
        case _:
            return Write.PATCH


def _owned(record: Record | None, policy: Policy) -> Record | None:
    """Only owned fields are compared; beside them only the name is kept, for protection."""
    kept = {*policy.fields, policy.name_field}
    return None if record is None else {k: v for k, v in record.items() if k in kept}
