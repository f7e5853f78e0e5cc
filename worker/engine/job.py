"""One claimed account on its way through a sync: what it was, what it is, what comes next."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.sdk.model import Found, Json, Match, Outcome, OutcomeKind, Record
from worker.domain.account import FAULT, LEAVER, Account, Approval, Doubt, Hold, Person, Reason, Write
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
from worker.domain.decisions import heed, passes_brake
from worker.domain.identity import Asserted, Identity
from worker.domain.last_superuser import keep_last
from worker.domain.link import absorb_found, contested, evidence
from worker.domain.plan import (
    Census,
    Create,
    Delete,
    Demote,
    Done,
    Fetch,
    Find,
    Later,
    Patch,
    Send,
    Step,
    Withheld,
    decide,
    decide_create,
)
from worker.domain.policy import Policy, Timing
from worker.domain.restraint import is_restrained, restrained
from worker.engine.cause import Cause
from worker.engine.entries import Subject
from worker.engine.rows import Claim, Entry, Lease
from worker.engine.shelter import sheltered
from worker.engine.target import Target


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request. `result` None: it was not sent, and why says `unsent`."""

    job: Job
    step: Step
    result: Outcome | Found | None
    unsent: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What was last written of the account's unique values. `account` None: nothing since the claim."""

    account: Account | None = None
    sought: bool = False  # the value that it is searched by was written
    read: bool = False  # the target showed the account since
    woken: frozenset[int] = frozenset()  # accounts that were told of a value and are to be made due


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
    noted: Noted = field(default_factory=Noted)
    cause: Cause = field(default_factory=Cause)
    spoilt: bool = False  # held whole: nothing is decided about it any more
    others: bool | None = None  # whether another superuser is left; asked before one is taken away
    census: Lease | None = None  # while it is the one that asks
    judged: bool = True  # False: a run has yet to judge the mapping that is new to the account

    @classmethod
    def start(
        cls, target: Target, claim: Claim, now: float, mapping_run: int | None, crash_limit: int
    ) -> Job:
        """`mapping_run`: the open run that judges the target's mapping."""
        account = heed(claim.account, claim.decided, now)
        job = cls(target, claim, account, _stranger(claim), Done(), cause=_first_cause(claim))
        if claim.crashed and claim.account.doubt is not None:
            job._abandoned(claim.account.doubt)
        if claim.fell_alone and job.account.crashes >= crash_limit:
            job._shut(Reason.CRASHED, f"{job.account.crashes} workers died with nothing else in hand", now)
        elif job.account.is_shut(claim.identity.revision):
            job.spoilt = True
        else:
            with sheltered(job, now):
                job.person = target.view.of(claim.identity, now)
        job.judged = mapping_run is None or not is_restrained(claim.account, target.fingerprint)
        return job

    def _abandoned(self, doubt: Doubt) -> None:
        """The worker before us died between intent and outcome: nobody knows whether it was applied."""
        facts = {"class": "ambiguous", "detail": "its worker died before an answer"}
        self.entries.append(self.subject.write(doubt.write, "ambiguous", doubt.request, dict(facts)))

    @property
    def label(self) -> str:
        return f"account {self.account.id} at {self.target.name}"

    def stumbled(self, why: str, now: float) -> None:
        """Our own code raised for this account."""
        self._shut(Reason.FAULT, why, now)

    def _shut(self, reason: Reason, why: str, now: float) -> None:
        before = {name: hold for name, hold in self.claim.account.held.items() if name == FAULT}
        kept = replace(self.account, held={**self.account.held, **before})
        self.account = kept.shut(reason, why, self.person.revision, now)
        self.step, self.planned, self.spoilt = Done(), None, True

    def unheard(self, answer: Answer) -> None:
        """An answer that we could not take in: its request still has its outcome."""
        told = any(entry.facts.get("request") == self.request for entry in self.entries)
        if is_write(answer.step) and not told:
            facts = {"class": "ambiguous", "detail": "its answer could not be taken in"}
            self.entries.append(
                self.subject.write(write_of(answer.step), "ambiguous", self.request, dict(facts))
            )

    @property
    def subject(self) -> Subject:
        return Subject(self.target, self.account, self.person, self.cause)

    @property
    def identifiers(self) -> dict[str, str | int]:
        """What every log line about it carries."""
        known: dict[str, str | int | None] = {
            "target": self.target.name,
            "account": self.account.id,
            "request": self.request or None,
            "correlation": self.cause.correlation,
        }
        return {name: value for name, value in known.items() if value is not None}

    @property
    def finished(self) -> bool:
        return isinstance(self.step, Done | Later | Withheld)

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
                self._decide_further(timing, now)
        if not self.judged:
            self.step = restrained(self.step, self.person)
        if isinstance(self.step, Done):
            self.planned = self.step.planned

    def _decide_further(self, timing: Timing, now: float) -> None:
        policy, since = self.target.policy, self.claim.claimed_at
        decision = decide(self.account, self.person, policy, timing, now, since)
        kept = keep_last(decision, policy, self.others, now)
        self.account, self.step = kept.account, kept.step
        if kept.account is not decision.account:  # the last superuser is held: what else is there to do?
            self._decide_further(timing, now)

    def relied_on(self) -> dict[str, Approval]:
        """The approvals that the step makes use of, by field."""
        match self.step:
            case Patch(changes) | Create(changes):
                names = set(changes)
            case Demote() | Delete():
                names = {LEAVER}
            case _:
                return {}
        return {name: given for name, given in self.account.approvals.items() if name in names}

    def passes_brake(self, send: Patch | Demote | Delete) -> bool:
        """Whether somebody approved of this revocation in spite of the brake."""
        observed = self.account.observed or {}
        changed = [name for name, value in send.changes.items() if observed.get(name) != value]
        return passes_brake(self.account, changed or [LEAVER])

    def events(self) -> set[int]:
        """Rows of the events behind what it is about to send, plan or hold."""
        if self.claim.run is not None and self.claim.account.applied_revision >= self.person.revision:
            return set()  # nothing is new, the run found it
        told = self._told()
        rows = {self.person.origin[name] for name in told if name in self.person.origin}
        newest = max(self.claim.identity.attributes.values(), key=_revision, default=None)
        return rows or ({newest.event} if newest is not None and told else set())

    def _told(self) -> set[str]:
        """Names of fields, or of the whole account, that the step speaks of."""
        match self.step:
            case Patch(changes) | Create(changes):
                return set(changes)
            case Demote() | Delete():
                return {LEAVER}
            case Census() | Find() | Fetch():
                return set()
            case _:
                before = self.claim.account.held
                fresh = {name for name, hold in self.account.held.items() if before.get(name) != hold}
                return {*fresh, *(self.planned or ())}

    def because(self, correlations: Sequence[str]) -> None:
        """`correlations` are those of `events`, the newest last."""
        if correlations:
            self.cause = replace(self.cause, correlations=tuple(correlations))
            self.entries = [_because(entry, self.cause) for entry in self.entries]

    def intend(self, send: Send, now: float) -> None:
        """Write down what is about to be sent; from here on its effect is in doubt."""
        self.request = uuid.uuid4().hex
        write = write_of(send)
        facts: dict[str, Json] = {"changes": self.subject.changes(send.changes)}
        if relied := self.relied_on():
            facts["approved"] = {name: [given.by, given.decision] for name, given in relied.items()}
        self.entries.append(self.subject.write(write, "intended", self.request, facts))
        doubt = Doubt(
            self.request,
            send.changes,
            now,
            self.person.revision,
            send.revocation,
            write,
            self.cause.correlation or "",
        )
        self.account = replace(self.account, doubt=doubt)

    def answered(
        self, answer: Answer, at: Moment, taken: frozenset[str], namesakes: Sequence[Identity] = ()
    ) -> Absorbed | None:
        """Take an answer in; None when nothing was sent. `taken`: remote ids of other identities.

        `namesakes`: people without an account at the target who are or were called alike.
        """
        if answer.result is None:
            self._not_sent(answer)
            return None
        rivals = {known.subject: self.target.view.of(known, at.now) for known in namesakes}
        absorbed = self._absorb(answer.step, answer.result, at, taken, rivals)
        self.noted = replace(self.noted, read=self.noted.read or not is_write(answer.step))
        self._tell_doubt(answer.step, absorbed)
        former, self.account, self.follow = self.account, absorbed.account, absorbed.follow
        if self.account.remote_id != former.remote_id:
            self.entries.append(self.subject.link(former.remote_id, self.evidence))
        if absorbed.refusal is not None:
            self._hold_whole(absorbed.refusal, at.now)
        return absorbed

    def _absorb(
        self,
        step: Step,
        result: Outcome | Found,
        at: Moment,
        taken: frozenset[str],
        rivals: Mapping[str, Person],
    ) -> Absorbed:
        policy = self.target.policy
        self.others = None
        if isinstance(step, Census) and isinstance(result, Found) and _worked(result):
            self.others = bool(result.matches)
            return Absorbed(self.account, Continue())
        if isinstance(result, Outcome):
            outcome = replace(result, record=_owned(result.record, policy))
            if is_write(step):
                word = outcome.kind.value
                self.entries.append(self.subject.outcome(write_of(step), word, self.request, outcome))
            return absorb(self.account, outcome, policy, at)
        if not _worked(result):
            return absorb(self.account, result.outcome, policy, at)
        matches = tuple(replace(match, record=_owned(match.record, policy) or {}) for match in result.matches)
        others = contested(matches, self.person, rivals, policy)
        absorbed = absorb_found(self.account, matches, taken, self.person, policy, at, others)
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
        elif doubt.write is Write.DELETE:
            shown = after.remote_id is None
        else:
            shown = doubt.write is Write.PATCH and shows(
                self.target.policy, doubt.changes, after.observed or {}
            )
        word = "confirmed" if shown else "refuted"
        self.entries.append(self.subject.write(doubt.write, word, doubt.request, {}))

    def _hold_whole(self, refusal: Refusal, now: float) -> None:
        reason = Reason.UNIQUE if refusal.unique else Reason.REJECTED
        hold = Hold(reason, refusal.message, self.person.correlation_hash, now)
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

    def close(self, now: float) -> None:
        with sheltered(self, now):
            self.entries += self.closing_entries()
            return
        self.entries += self.closing_entries()  # the hold that came of it

    def closing_entries(self) -> list[Entry]:
        """What changed for the account beside its requests: holds, and the plan in observe mode."""
        entries = self.subject.holds(self.claim.account.held)
        if self.planned is not None:
            changes = {"changes": self.subject.changes(self.planned)}
            entries.append(self.subject.entry("account:patch:planned", dict(changes)))
        return entries


def _stranger(claim: Claim) -> Person:
    """Somebody of whom only the revision is known."""
    return Person(claim.identity.revision, True, False, {}, {}, (), {})  # in scope, no leaver


def _first_cause(claim: Claim) -> Cause:
    """Until more is known: what the write was done for that is in doubt, or the run that asked."""
    doubt = claim.account.doubt
    return Cause((doubt.correlation,) if doubt is not None and doubt.correlation else (), claim.run)


def _because(entry: Entry, cause: Cause) -> Entry:
    """A link that was found on the way was looked for by the same cause."""
    return entry if "correlation" in entry.facts else replace(entry, facts={**entry.facts, **cause.facts})


def _revision(held: Asserted) -> int:
    return held.revision


def is_write(step: Step) -> bool:
    """Whether the step's request changes something at the target."""
    return isinstance(step, Patch | Create | Demote | Delete)


def write_of(step: Step) -> Write:
    match step:
        case Create():
            return Write.CREATE
        case Demote():
            return Write.DEMOTE
        case Delete():
            return Write.DELETE
        case _:
            return Write.PATCH


def _worked(found: Found) -> bool:
    return found.outcome.kind is OutcomeKind.OBSERVED


def _owned(record: Record | None, policy: Policy) -> Record | None:
    """Only owned fields are compared; beside them name and superuser flag are kept, for protection."""
    kept = {*policy.fields, policy.name_field, policy.superuser_field}
    return None if record is None else {k: v for k, v in record.items() if k in kept}
