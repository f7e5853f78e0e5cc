"""What the engine asks of the world: rows in one transaction, signals, time, randomness.

`worker.storage` implements the store on SQLite and PostgreSQL, `worker.signals` the signals on
Redis. A transaction commits when its `with` block ends without an exception, and its audit records
are chained at that moment, last of all locks (DESIGN 2.7).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.event import Event
from worker.domain.identity import Identity


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
class Run:
    id: int
    kind: str
    state: str
    selection: Mapping[str, Json]
    cursor: int
    total: int
    done: int
    requested_by: str


class Events(Protocol):
    def store(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """Keep the new ones; one verdict for each, in order. Known ids are compared by body."""

    def take_unfolded(self, limit: int, now: float) -> list[StoredEvent]:
        """The oldest events whose time has come, locked; another fold's are left out."""

    def mark_folded(self, effects: Sequence[Effect]) -> None: ...

    def waiting(self, now: float) -> bool:
        """Whether any event is due to be folded."""


class Identities(Protocol):
    def lock(self, subjects: Sequence[str], now: float) -> dict[str, tuple[int, Identity]]:
        """Subject to (row, identity), created where new, locked in the order of rows."""

    def save(self, identities: Mapping[int, Identity]) -> None: ...

    def revisions(self, ids: Sequence[int]) -> dict[int, int]:
        """The committed revision of each; read after its accounts are locked."""


class Accounts(Protocol):
    def make_due(self, due: Sequence[Due], target_ids: Sequence[int], now: float) -> None:
        """Create the missing ones and make all due now; a leased one keeps its lease."""

    def due_targets(self, shard: int, now: float) -> set[int]:
        """Targets at which accounts of the shard are due."""

    def claim(self, shard: int, target_id: int, limit: int, lease: Lease) -> list[Claim]:
        """Take up to `limit` due accounts, revocations first; those that others hold are skipped."""

    def lock_owned(self, ids: Sequence[int], token: str) -> set[int]:
        """Lock these accounts in order and say which are still ours."""

    def save(self, progress: Sequence[Progress], token: str) -> None: ...

    def renew(self, token: str, until: float) -> None: ...

    def owners(self, target_id: int, remote_ids: Sequence[str]) -> dict[str, int]:
        """Remote id to the account that is linked to it."""

    def count(self, target_id: int) -> int:
        """How many accounts are linked at the target."""

    def require_read(self, selection: Mapping[str, Json], after: int, limit: int, now: float) -> list[int]:
        """Mark the next accounts of a selection as due with a read; their rows, in order."""


@dataclass(frozen=True, slots=True)
class Lease:
    token: str
    now: float
    until: float


class Targets(Protocol):
    def register(self, slots: Mapping[str, int], shards: int) -> None:
        """Create what the configuration names: targets, slots; move accounts to their shard."""

    def all(self) -> list[TargetState]: ...

    def lock(self, target_id: int) -> TargetState: ...

    def close_gate(self, target_id: int, until: float) -> None:
        """Never opens it earlier than it was."""

    def pause(self, target_id: int, reason: str, by: str, probe_at: float | None) -> None: ...

    def resume(self, target_id: int) -> None: ...

    def set_probe(self, target_id: int, probe_at: float) -> None: ...

    def revocations(self, target_id: int, since: float, but: int) -> int:
        """How many accounts but one had a revocation sent since then."""

    def add_revocation(self, target_id: int, account_id: int, at: float) -> None: ...

    def take_slots(self, target_id: int, want: int, most: int, lease: Lease) -> list[Slot]:
        """Up to `want` free ones of the first `most`."""

    def renew_slots(self, owner: str, until: float) -> None: ...

    def give_back(self, target_id: int, owner: str, slots: Sequence[Slot]) -> None: ...

    def due_shards(self, target_ids: Sequence[int], now: float) -> set[int]:
        """Shards with due accounts at those of the targets that may be sent to."""

    def raise_alarm(self, kind: str, target_id: int | None, message: str, now: float) -> None:
        """One open alarm for a kind and target, however often it is raised."""

    def expire_alarms(self, kind: str, before: float, now: float) -> None:
        """Clear the alarms of a kind that were raised before then."""

    def clear_alarm(self, kind: str, target_id: int | None, now: float) -> None: ...


class Runs(Protocol):
    def create(self, kind: str, selection: Mapping[str, Json], requested_by: str, now: float) -> Run: ...

    def lock(self, run_id: int) -> Run | None:
        """The run, locked; None where another worker has it or it does not exist."""

    def save(self, run: Run, now: float) -> None: ...

    def unfinished(self) -> list[int]: ...


class Transaction(Protocol):
    """`now` is the database's clock, one for the whole installation."""

    @property
    def now(self) -> float: ...
    @property
    def events(self) -> Events: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def targets(self) -> Targets: ...
    @property
    def runs(self) -> Runs: ...

    def audit(self, entry: Entry) -> None:
        """Append to the entry's stream; chained when the transaction commits."""


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Transaction]: ...


class Stopping(Protocol):
    """Set once, when the worker is to stop; checked between steps."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool: ...


class Signals(Protocol):
    """Hints that there is something to do. Losing one loses nothing: the relay looks at the rows."""

    def fold(self) -> None:
        """At most one waiting signal."""

    def fold_seen(self) -> None:
        """A fold is about to look at the rows: the next signal counts again."""

    def sync(self, shard: int) -> None:
        """At most one waiting signal for a shard (`signal_ttl_s`)."""

    def sync_runs(self, shard: int) -> None:
        """The shard's sync is at work: signals for it are dropped for `signal_ttl_s` more."""

    def sync_seen(self, shard: int) -> None:
        """The shard's sync is about to look at the rows: the next signal counts again."""

    def run(self, run_id: int) -> None: ...
