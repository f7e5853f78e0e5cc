"""Explaining: of each owned field what is wanted and who said so, what is there, and why not yet.

Built on the plan: a field that no request would change and that nothing holds is as it is wanted.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.sdk.fields import same
from connectors.sdk.model import Json
from worker.domain.account import Account, Hold, Person
from worker.domain.identity import Identity
from worker.domain.mapping import Expression
from worker.domain.masking import masked
from worker.engine.account_plan import AccountPlan, Verdict, Why
from worker.engine.deciding import as_planned
from worker.engine.foreseeing import Fold
from worker.engine.planning import Planning
from worker.engine.rows import StoredEvent
from worker.engine.target import Target
from worker.engine.view_ports import Told, View, Viewer

_RECORDS = 500  # of the account's newest, in which its last requests are looked for
_WHOLE = "@"  # begins the name of what is held of an account as a whole
_ACKNOWLEDGED = ("applied", "confirmed")


class FieldState(enum.StrEnum):
    """How it stands with one field; the words are part of `explain --json`."""

    THERE = "there"
    PENDING = "pending"
    HELD = "held"
    UNSAID = "unsaid"  # HR never said it: it is neither compared nor sent


@dataclass(frozen=True, slots=True)
class EventName:
    """Which event it was; `time` is when it happened, by its source's clock. Nothing of what it said."""

    id: str
    source: str
    time: float
    correlation: str

    @classmethod
    def of(cls, stored: StoredEvent) -> EventName:
        return cls(stored.event.id, stored.event.source, stored.event.time, stored.correlation)


@dataclass(frozen=True, slots=True)
class Setter:
    """One attribute that the field's expression reads, and the event that set it. None: never said."""

    attribute: str
    event: EventName | None


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that asked for the field, as the audit tells it. `answer` None: not known yet."""

    request: str
    at: float
    value: Json
    intent: Mapping[str, Json]
    answer: Told | None


@dataclass(frozen=True, slots=True)
class FieldStory:
    """One field. Values of a sensitive one are masked."""

    name: str
    state: FieldState
    desired: Json
    observed: Json
    expression: str
    setters: tuple[Setter, ...]
    origin: EventName | None  # the newest event behind it
    why: tuple[Why, ...]
    hold: Hold | None
    last: Sending | None
    acknowledged: Sending | None


@dataclass(frozen=True, slots=True)
class AccountStory:
    plan: AccountPlan
    revision: int
    fields: tuple[FieldStory, ...]

    @property
    def missing(self) -> tuple[FieldStory, ...]:
        """What is wanted and not there."""
        return tuple(one for one in self.fields if one.state in (FieldState.PENDING, FieldState.HELD))


@dataclass(frozen=True, slots=True)
class PersonStory:
    subject: str
    folds: tuple[Fold, ...]  # of events that were stored and not folded yet
    accounts: tuple[AccountStory, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """One account, with all that its fields are told from."""

    plan: AccountPlan
    person: Person
    events: Mapping[int, EventName]
    told: Sequence[Told]

    @property
    def target(self) -> Target:
        return self.plan.target

    @property
    def stored(self) -> Account:
        return self.plan.look.claim.account

    @property
    def identity(self) -> Identity:
        return self.plan.look.claim.identity


class Explaining:
    def __init__(self, viewer: Viewer, planning: Planning) -> None:
        self._viewer = viewer
        self._planning = planning

    def of(self, subject: str) -> PersonStory:
        """At every target that the planning has."""
        planned = self._planning.of_person(subject)
        with self._viewer.begin() as view:
            accounts = tuple(_account(view, plan) for plan in planned.accounts)
        return PersonStory(subject, planned.folds, accounts)


def _account(view: View, plan: AccountPlan) -> AccountStory:
    claim = plan.look.claim
    person = as_planned(plan.target, claim.account, claim.identity, view.now)
    rows = {held.event for held in claim.identity.attributes.values()}
    told = view.told(claim.account.identity_id, plan.target.stream, _RECORDS)
    events = {row: EventName.of(stored) for row, stored in view.events(rows).items()}
    case = _Case(plan, person, events, told)
    names = sorted(plan.target.view.mapping)
    return AccountStory(plan, claim.identity.revision, tuple(_field(case, name) for name in names))


def _field(case: _Case, name: str) -> FieldStory:
    policy, expression = case.target.policy, case.target.view.mapping[name]
    desired, observed = case.person.wanted.get(name), (case.stored.observed or {}).get(name)
    hide = name in policy.masked
    state = _state(case, name)
    sendings = [*_sendings(case, name)]
    row = case.person.origin.get(name)
    return FieldStory(
        name,
        state,
        masked(desired) if hide else desired,
        masked(observed) if hide else observed,
        expression.text,
        tuple(_setters(case, expression)),
        case.events.get(row) if row is not None else None,
        _why(case, state),
        _hold(case, name),
        sendings[0] if sendings else None,
        next((one for one in sendings if _is_acknowledged(one)), None),
    )


def _hold(case: _Case, name: str) -> Hold | None:
    return case.plan.account.held.get(name) or case.person.problems.get(name)


def _state(case: _Case, name: str) -> FieldState:
    """What would be sent is pending even where a part of it is held."""
    if any(name in request.body for request in case.plan.requests):
        return FieldState.PENDING
    if _hold(case, name) is not None:
        return FieldState.HELD
    if name not in case.person.wanted:
        return FieldState.UNSAID
    return FieldState.THERE if _is_there(case, name) else FieldState.PENDING


def _is_there(case: _Case, name: str) -> bool:
    observed, spec = case.stored.observed, case.target.policy.fields[name]
    if observed is None or name not in observed:
        return False
    if spec.opaque:  # the plan has compared what was sent
        return case.plan.verdict not in (Verdict.SEARCH, Verdict.READ)
    return same(spec, case.person.wanted[name], observed[name])


def _why(case: _Case, state: FieldState) -> tuple[Why, ...]:
    if state is not FieldState.PENDING:
        return ()
    since = case.plan.look.claim.pending_since
    waits = (Why("pending since", since),) if since is not None else ()
    held = case.plan.account.held.items()
    whole = tuple(Why(hold.message, hold.since) for name, hold in held if name.startswith(_WHOLE))
    next_ = (Why("the next sync sends it"),) if case.plan.verdict is Verdict.SEND else ()
    return (*case.plan.reasons, *next_, *whole, *waits)


def _setters(case: _Case, expression: Expression) -> Iterator[Setter]:
    for name in expression.reads:
        held = case.identity.attributes.get(name)
        yield Setter(name, None if held is None else case.events.get(held.event))


def _sendings(case: _Case, name: str) -> Iterator[Sending]:
    """The newest first."""
    answers: dict[str, Told] = {}
    hide = name in case.target.policy.masked
    for record in case.told:
        request = record.facts.get("request")
        if not isinstance(request, str):
            continue
        if not record.action.endswith(":intended"):
            answers.setdefault(request, record)
            continue
        for change in _changes(record):
            if change.get("field") == name:
                value = masked(change.get("after")) if hide else change.get("after")
                yield Sending(request, record.at, value, record.facts, answers.get(request))


def _changes(record: Told) -> list[Mapping[str, Json]]:
    listed = record.facts.get("changes")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _is_acknowledged(sending: Sending) -> bool:
    return sending.answer is not None and sending.answer.action.rpartition(":")[2] in _ACKNOWLEDGED
