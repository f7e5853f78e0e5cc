"""What passes between the engine and the rows: events, claims, targets, audit records, runs. Values only."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.decisions import Decided
from worker.domain.event import Event
from worker.domain.identity import Identity
from worker.domain.strict_json import Refusal


class Acceptance(enum.StrEnum):
    """What became of an event at the door."""

    NEW = "accepted"
    DUPLICATE = "duplicate"  # the same id with the same body: answers as the first did
    REFUSED = "refused"  # bad, or the same id with another body


@dataclass(frozen=True, slots=True)
class Arrival:
    """A checked event on its way in; `fold_at` lies ahead for an event from the future."""

    event: Event
    correlation: str
    accepted_at: float
    fold_at: float


@dataclass(frozen=True, slots=True)
class StoredEvent:
    row: int
    event: Event
    accepted_at: float
    correlation: str
    aside: bool = False  # folding it failed before


@dataclass(frozen=True, slots=True)
class Effect:
    """What folding one event did. `revision` is None when nothing changed."""

    row: int
    identity_id: int
    revision: int | None
    effect: str  # changed | unchanged | superseded


@dataclass(frozen=True, slots=True)
class Due:
    """An identity whose accounts have something to do."""

    identity_id: int
    priority: int
    since: float  # when the oldest event behind it was accepted


@dataclass(frozen=True, slots=True)
class Claim:
    """An account under our lease, with its identity as it was when claimed."""

    account: Account
    identity: Identity
    pending_since: float | None
    claimed_at: float
    crashed: bool  # a write was in flight when the worker before us died
    run: int | None = None  # the run that asked for a read
    fell_alone: bool = False  # the worker before us died with nothing but this account in hand
    decided: tuple[Decided, ...] = ()  # what operators decided about it since it was claimed last


@dataclass(frozen=True, slots=True)
class Progress:
    """An account's new state under a kept lease (`settled` None), or with the lease given back."""

    account: Account
    settled: Settled | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """`claimed_at` tells a read that was asked for since from one that this work has done."""

    claimed_at: float
    due_at: float | None
    pending_since: float | None
    priority: int | None  # None: more is pending, the row keeps its rank and its oldest event


@dataclass(frozen=True, slots=True)
class TargetState:
    id: int
    name: str
    paused: bool
    reason: str | None
    paused_by: str | None
    gate_until: float
    probe_at: float | None
    fingerprint: str | None = None  # of the configuration that the last started worker has; None: none yet
    mapping_run: int | None = None  # the open run that judges it
    pauses: int = 0  # how often Hirewire paused it for `pause_kind`, without a success since
    pause_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One of a target's `max_in_flight` places; `next_send_at` carries the rate over owners."""

    n: int
    next_send_at: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit record before it is chained. `facts` is what its text holds beside the columns."""

    stream: str
    action: str
    actor: str
    facts: Mapping[str, Json] = field(default_factory=dict)
    identity_id: int | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class RefusedBody:
    """What an authenticated source sent and we refused."""

    source: str
    event_id: str | None
    refusal: Refusal
    raw: bytes
    at: float


class RunState(enum.StrEnum):
    """How far a run is; the words stand in its row."""

    STAGING = "staging"  # its file is being read, nobody works on it
    WAITING = "waiting"
    JUDGING = "judging"  # its whole plan is being made, nothing moves yet
    HELD = "held"  # the plan would change too much, somebody has to approve it
    RUNNING = "running"  # its accounts are made due, page by page
    DONE = "done"
    FAILED = "failed"  # what it was given is not to be relied on: it ended without moving anything
    CANCELLED = "cancelled"


OVER = (RunState.DONE, RunState.FAILED, RunState.CANCELLED)
"""A run in one of these states never moves again."""


@dataclass(frozen=True, slots=True)
class Run:
    """`state` is a RunState. `note` is what the judging counted, and who decided.

    `position` is where a listing or a file goes on; `scheduled` names target and slot of the schedule.
    """

    id: int
    kind: str
    state: str
    selection: Mapping[str, Json]
    cursor: int
    total: int
    done: int
    requested_by: str
    plan_hash: str | None = None  # of the list of (account, changes) that the run is held for
    note: Mapping[str, Json] = field(default_factory=dict)
    position: Mapping[str, Json] = field(default_factory=dict)
    scheduled: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    token: str
    now: float
    until: float
