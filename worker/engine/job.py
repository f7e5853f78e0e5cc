"""One claimed account on its way through a sync: what it was, what it is, what comes next."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

from connectors.sdk.model import Found, Json, Match, Outcome, OutcomeKind, Record
from worker.domain.account import Account, Doubt, Person
from worker.domain.answer import Absorbed, Continue, End, Follow, Moment, Wait, absorb, shows
from worker.domain.link import absorb_found, evidence
from worker.domain.plan import Done, Fetch, Later, Patch, Step, decide
from worker.domain.policy import Policy, Timing
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
        self.request = doubt.request
        facts: dict[str, Json] = {"class": "ambiguous", "detail": "its worker died before an answer"}
        self.entries.append(self._entry("account:patch:ambiguous", facts))
        self.account = replace(self.account, crashes=self.account.crashes + 1)

    def decide(self, timing: Timing, now: float) -> None:
        """Take the next step; a follow that waits or ends is a step too."""
        match self.follow:
            case Wait(due_at):
                self.step = Later(due_at)
            case End():
                self.step = Done()
            case Continue():
                decision = decide(
                    self.account, self.person, self.target.policy, timing, now, self.claim.claimed_at
                )
                self.account, self.step = decision.account, decision.step
        if isinstance(self.step, Done):
            self.planned = self.step.planned

    def intend(self, patch: Patch, now: float) -> None:
        """Write down what is about to be sent; from here on its effect is in doubt."""
        self.request = uuid.uuid4().hex
        doubt = Doubt(self.request, patch.changes, now, self.person.revision, patch.revocation)
        self.account = replace(self.account, doubt=doubt)
        self.entries.append(self._entry("account:patch:intended", {"changes": self._changes(patch.changes)}))

    def _changes(self, changes: Record) -> list[Json]:
        """Field, before, after and the row of the event that set it."""
        observed, origin = self.account.observed or {}, self.person.origin
        return [
            {"field": name, "before": observed.get(name), "after": value, "event": origin.get(name)}
            for name, value in sorted(changes.items())
        ]

    def answered(self, answer: Answer, at: Moment, taken: frozenset[str]) -> Absorbed | None:
        """Take an answer in; None when nothing was sent. `taken`: remote ids of other identities."""
        if answer.result is None:
            self._not_sent(answer)
            return None
        absorbed = self._absorb(answer, answer.result, at, taken)
        self._tell_doubt(absorbed)
        former, self.account, self.follow = self.account, absorbed.account, absorbed.follow
        if self.account.remote_id != former.remote_id:
            self.entries.append(self._link_entry(former.remote_id))
        return absorbed

    def _absorb(self, answer: Answer, result: Outcome | Found, at: Moment, taken: frozenset[str]) -> Absorbed:
        policy = self.target.policy
        if isinstance(result, Outcome):
            outcome = replace(result, record=_owned(result.record, policy))
            if isinstance(answer.step, Patch):
                self.entries.append(self._outcome_entry(outcome, outcome.kind.value))
            return absorb(self.account, outcome, policy, at)
        if result.outcome.kind is not OutcomeKind.OBSERVED:
            return absorb(self.account, result.outcome, policy, at)
        matches = tuple(replace(match, record=_owned(match.record, policy) or {}) for match in result.matches)
        absorbed = absorb_found(self.account, matches, taken, self.person, policy, at)
        self._keep_evidence(matches, absorbed)
        return absorbed

    def _tell_doubt(self, absorbed: Absorbed) -> None:
        """A read that ended a doubt says so in the audit."""
        doubt, step = self.account.doubt, self.step
        if doubt is None or absorbed.account.doubt is not None or not isinstance(step, Fetch):
            return
        observed = absorbed.account.observed or {}
        shown = shows(self.target.policy, doubt.changes, observed)
        self.request = doubt.request
        self.entries.append(self._entry(f"account:patch:{'confirmed' if shown else 'refuted'}", {}))

    def _keep_evidence(self, matches: tuple[Match, ...], absorbed: Absorbed) -> None:
        for match in matches:
            if match.remote_id == absorbed.account.remote_id:
                self.evidence = evidence(match, self.person, self.target.policy)

    def _not_sent(self, answer: Answer) -> None:
        if isinstance(answer.step, Patch):
            self.entries.append(self._entry("account:patch:not_sent", {"detail": answer.unsent}))
            self.account = replace(self.account, doubt=None)

    def late(self, answer: Answer) -> Entry | None:
        """The outcome of a write whose lease was lost meanwhile: told, and nothing else."""
        if isinstance(answer.step, Patch) and isinstance(answer.result, Outcome):
            return self._outcome_entry(answer.result, "late")
        return None

    def closing_entries(self) -> list[Entry]:
        """What changed for the account beside its requests: holds, and the plan in observe mode."""
        before, after = self.claim.account, self.account
        entries: list[Entry] = []
        for name, hold in after.held.items():
            known = before.held.get(name)
            if known is None or (known.reason, known.value_hash) != (hold.reason, hold.value_hash):
                facts: dict[str, Json] = {"field": name, "reason": hold.reason.value, "detail": hold.message}
                entries.append(self._entry("account:field:held", facts))
        gone = sorted(before.held.keys() - after.held.keys())
        entries += [self._entry("account:field:released", {"field": name}) for name in gone]
        if self.planned is not None:
            entries.append(self._entry("account:patch:planned", {"changes": self._changes(self.planned)}))
        return entries

    def _link_entry(self, former: str | None) -> Entry:
        if self.account.remote_id is None:
            return self._entry("account:link:lost", {"former": former})
        facts: dict[str, Json] = {"remote_id": self.account.remote_id, "evidence": list(self.evidence)}
        return self._entry("account:link:linked", facts)

    def _outcome_entry(self, outcome: Outcome, word: str) -> Entry:
        exchange = outcome.exchange
        facts: dict[str, Json] = {
            "class": outcome.kind.value,
            "status": exchange.status,
            "duration_ms": round(exchange.duration_s * 1000, 3),
            "attempt": self.account.attempts + 1,
            "remote_request": exchange.request_id,
            "fields": {name: rejection.message for name, rejection in outcome.fields.items()},
            "wrong": list(outcome.wrong),
            "detail": outcome.detail,
        }
        return self._entry(f"account:patch:{word}", {key: value for key, value in facts.items() if value})

    def _entry(self, action: str, facts: dict[str, Json]) -> Entry:
        remote_id = self.account.remote_id
        common: dict[str, Json] = {
            "target": self.target.name,
            "account": self.account.id,
            "revision": [self.account.applied_revision, self.person.revision],
        }
        if action.startswith("account:patch:") and remote_id is not None:
            common |= {"method": "PATCH", "path": self.target.connector.path_of(remote_id)}
        if self.request and action.startswith("account:patch:"):
            common["request"] = self.request
        return Entry(self.target.stream, action, "hirewire", {**common, **facts}, self.account.identity_id)

    @property
    def finished(self) -> bool:
        return isinstance(self.step, Done | Later)


def _owned(record: Record | None, policy: Policy) -> Record | None:
    """Only owned fields are compared, so only they are kept."""
    return None if record is None else {k: v for k, v in record.items() if k in policy.fields}
