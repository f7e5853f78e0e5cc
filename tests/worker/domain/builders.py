"""What tests of the domain start from: a target with every kind of field, a person, an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connectors.sdk.fields import Field, FieldType, Null
from connectors.sdk.model import Exchange, Json, Outcome, OutcomeKind, Record, Rejection
from worker.domain.account import Account, Doubt, Hold, Person, Reason
from worker.domain.answer import Moment
from worker.domain.event import CHANGED, Event, read_event
from worker.domain.extract import as_sent
from worker.domain.plan import Decision, decide
from worker.domain.policy import Policy, Timing
from worker.domain.strict_json import RefusedError, digest

NOW = 1_000_000.0
TIMING = Timing()


def _text(name: str) -> Field:
    return Field(name, FieldType.TEXT, "document", max_length=150, null_as=Null.EMPTY)


def _flag(name: str, *, privileged: bool) -> Field:
    return Field(name, FieldType.BOOLEAN, "document", privileged=privileged)


FIELDS: dict[str, Field] = {
    spec.name: spec
    for spec in (
        _text("username"),
        _text("first_name"),
        _text("email"),
        _flag("is_active", privileged=False),
        _flag("is_staff", privileged=True),
        Field("groups", FieldType.ID_SET, "document", null_as=Null.EMPTY, privileged=True),
        Field("type", FieldType.TEXT, "document", choices=("internal", "external"), privileged=True),
    )
}
POLICY = Policy(
    target="crm",
    title="The CRM",
    fields=FIELDS,
    correlation="username",
    name_field="username",
    active_field="is_active",
    containers=frozenset({"groups"}),
    leaver="deactivate",
    observe_only=False,
)
RECORD: dict[str, Json] = {
    "username": "mira",
    "first_name": "Mira",
    "email": "mira@example.com",
    "is_active": True,
    "is_staff": False,
    "groups": [1, 2],
    "type": "external",
}
PERSON = Person(
    revision=3,
    in_scope=True,
    leaver=False,
    wanted=RECORD,
    problems={},
    correlation=("mira",),
    origin={},
)
LINKED = Account(
    id=1, identity_id=1, target_id=1, remote_id="7", applied_revision=2, observed=RECORD, observed_at=NOW
)
UNLINKED = replace(LINKED, remote_id=None, observed=None, observed_at=0.0)


def wanting(**values: Json) -> Person:
    return replace(PERSON, wanted={**RECORD, **values})


def showing(**values: Json) -> Account:
    return replace(LINKED, observed={**RECORD, **values})


def doubting(*, at: float = NOW, revocation: bool = False, **changes: Json) -> Account:
    """The account with a write in flight."""
    return replace(LINKED, doubt=Doubt("r1", changes, at, 3, revocation))


def holding(account: Account, reason: Reason = Reason.REJECTED, **values: Json) -> Account:
    return account.hold({name: Hold(reason, "why", digest(value), NOW) for name, value in values.items()})


def outcome(  # one argument for each part of an answer
    kind: OutcomeKind,
    record: Record | None = None,
    *,
    status: int | None = 200,
    fields: Mapping[str, Rejection] | None = None,
    wrong: tuple[str, ...] = (),
    retry_after_s: float | None = None,
    detail: str = "",
) -> Outcome:
    exchange = Exchange("PATCH", "/users/7/", status)
    return Outcome(kind, exchange, record, fields or {}, wrong, retry_after_s, detail)


def moment(now: float = NOW, *, jitter: float = 0.5, healthy: bool = False) -> Moment:
    return Moment(now, jitter, TIMING, healthy)


def step_of(account: Account, person: Person = PERSON, policy: Policy = POLICY, now: float = NOW) -> Decision:
    """The decision of a worker that claimed the account just now."""
    return decide(account, person, policy, TIMING, now, min(now, account.observed_at))


@dataclass(frozen=True)
class Source:
    """What a configured source says about its events."""

    order: str = "integer"
    payload: str = "delta"
    attributes: tuple[str, ...] = ("user_name", "given_name", "email", "active", "groups", "custom.*")
    types: Mapping[str, str] = field(default_factory=dict)
    subjects: str | None = None
    only_types: tuple[str, ...] = ()


def body(**changes: Json) -> dict[str, Json]:
    """A good CloudEvent with these keys in place of its own."""
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "hr",
        "type": CHANGED,
        "subject": "E1001",
        "time": "2026-01-31T09:30:00Z",
        "sequence": "7",
        "data": {"given_name": "Mira"},
        **changes,
    }


def read(document: Mapping[str, Json], rules: Source | None = None) -> Event:
    return read_event(document, "hr", rules or Source(), as_sent)


def refused(document: Mapping[str, Json], rules: Source | None = None) -> tuple[str, str]:
    """Pointer and reason of the refusal; fails when there is none."""
    try:
        event = read(document, rules)
    except RefusedError as error:
        return error.refusal.pointer, error.refusal.reason
    raise AssertionError(f"taken: {event}")
