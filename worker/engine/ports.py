"""What the engine asks of the world: rows in one transaction, signals, time, randomness.

`worker.storage` implements the store on SQLite and PostgreSQL, `worker.signals` the signals on
Redis. A transaction commits when its `with` block ends without an exception, and its audit records
are chained at that moment, last of all locks (DESIGN 2.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.clash import Holders, UniqueValue
from worker.domain.event import Event
from worker.domain.identity import Identity
from worker.engine.enrol_ports import Proposals
from worker.engine.gaps import Sequences
from worker.engine.import_ports import Crowd, Snapshots, StagedEvents
from worker.engine.link_ports import Links
from worker.engine.operator_ports import Decisions, Operators
from worker.engine.reconcile_ports import Drifts
from worker.engine.rows import (
    Acceptance,
    Arrival,
    Claim,
    Due,
    Effect,
    Entry,
    Lease,
    Progress,
    RefusedBody,
    Run,
    Slot,
    StoredEvent,
    TargetState,
)
from worker.engine.subject_ports import Subjects


class Events(Protocol):
    def store(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        """Keep the new ones; one verdict for each, in order. Known ids are compared by body."""

    def take_unfolded(self, limit: int, now: float) -> list[StoredEvent]:
        """The oldest events whose time has come, locked; another fold's are left out."""

    def mark_folded(self, effects: Sequence[Effect]) -> None: ...

    def set_aside(self, rows: Sequence[int], until: float) -> None:
        """Folding these failed: they are kept, and come again then."""

    def any_aside(self) -> bool: ...

    def waiting(self, now: float) -> bool:
        """Whether any event is due to be folded."""

    def correlations(self, rows: Sequence[int]) -> dict[int, str]:
        """Row to the correlation id that its event was accepted with."""

    def first_correlations(self, events: Sequence[Event]) -> list[str]:
        """The correlation id under which each event's `source, id` was stored; they were, all of them."""


class RefusedBodies(Protocol):
    def keep(self, refused: Sequence[RefusedBody]) -> None:
        """The first bytes of each, for those who ask their sender about it."""


class Identities(Protocol):
    def lock(self, subjects: Sequence[str], now: float) -> dict[str, tuple[int, Identity]]:
        """Subject to (row, identity), created where new, locked in the order of rows."""

    def save(self, identities: Mapping[int, Identity], wakes: Mapping[int, float | None]) -> None:
        """`wakes`: when a date of the person comes next; None or absent: never."""

    def take_waking(self, limit: int, now: float) -> dict[int, Identity]:
        """By row, those whose moment has come, locked; another relay's are left out."""

    def set_wakes(self, wakes: Mapping[tuple[int, int], float | None]) -> None:
        """(row, revision) to the next moment; one that moved meanwhile is left to who moved it."""

    def namesakes(self, identity_id: int, target_id: int) -> list[Identity]:
        """People without a linked account at the target who are or were called as this one is or was."""

    def revisions(self, ids: Sequence[int]) -> dict[int, int]:
        """The committed revision of each; read after its accounts are locked."""


class Accounts(Protocol):
    def make_due(self, due: Sequence[Due], target_ids: Sequence[int], now: float) -> None:
        """Create the missing ones and make all due now; a leased one keeps its lease."""

    def due_targets(self, shard: int, now: float) -> set[int]:
        """Targets at which accounts of the shard are due."""

    def claim(self, shard: int, target_id: int, limit: int, lease: Lease) -> list[Claim]:
        """Take up to `limit` due accounts, revocations first; those that others hold are skipped.

        Crash suspects are left for `claim_suspect`.
        """

    def has_suspect(self, shard: int, target_ids: Sequence[int], now: float) -> bool:
        """Whether the lease of an account ran out: its worker died."""

    def claim_suspect(self, shard: int, target_id: int, lease: Lease) -> Claim | None:
        """Take one account whose worker died, to work on it alone; counts a worker that died so."""

    def give_back(self, token: str, now: float) -> None:
        """Let go of all leases of the token; what was in doubt stays so, and is due at once."""

    def lock_owned(self, ids: Sequence[int], token: str) -> set[int]:
        """Lock these accounts in order and say which are still ours."""

    def save(self, progress: Sequence[Progress], token: str) -> None: ...

    def renew(self, token: str, until: float) -> None: ...

    def owners(self, target_id: int, remote_ids: Sequence[str]) -> dict[str, int]:
        """Remote id to the account that is linked to it."""

    def count(self, target_id: int) -> int:
        """How many accounts are linked at the target."""

    def require_read(
        self,
        selection: Mapping[str, Json],
        after: int,
        limit: int,
        now: float,
        run_id: int | None = None,
    ) -> list[int]:
        """Mark the next accounts of a selection as due with a read; their rows, in order."""

    def page(self, selection: Mapping[str, Json], after: int, limit: int) -> list[tuple[Account, Identity]]:
        """The next accounts of a selection as they are stored, in the order of their rows. No locks."""

    def take_up(  # noqa: PLR0913 - a page of a target, and who asks
        self, target_id: int, fingerprint: str, after: int, limit: int, now: float, run_id: int
    ) -> list[int]:
        """Make due the next accounts that were not acknowledged with this configuration, or wait for it."""

    def lock_of(self, target_id: int, subject: str) -> tuple[Account, Identity] | None:
        """One person's account at a target, locked, whoever leases it."""

    def decided(self, account_id: int, decision: int, now: float) -> None:
        """Mark it as decided upon and due with a read; its state and its lease are left alone."""


class Targets(Protocol):
    def register(self, slots: Mapping[str, int], shards: int) -> None:
        """Create what the configuration names: targets, slots; move accounts to their shard."""

    def all(self) -> list[TargetState]: ...

    def lock(self, target_id: int) -> TargetState: ...

    def close_gate(self, target_id: int, until: float) -> None:
        """Never opens it earlier than it was."""

    def pause(self, target_id: int, reason: str, by: str, probe_at: float | None) -> None: ...

    def resume(self, target_id: int) -> None: ...

    def count_pause(self, target_id: int, kind: str) -> int:
        """Which pause of this kind it is, without a success between."""

    def forget_pauses(self, target_id: int) -> None: ...

    def announce(self, target_id: int, fingerprint: str, run_id: int | None) -> None:
        """From now on only workers with this configuration claim; the run judges what it changes."""

    def end_mapping_run(self, target_id: int, run_id: int) -> None:
        """Nothing at the target waits for this run any more."""

    def enrolled(self, target_id: int, now: float) -> None:
        """Its whole listing was compared with the people of whom HR spoke; what was approved is linked."""

    def set_probe(self, target_id: int, probe_at: float) -> None: ...

    def revocations(self, target_id: int, since: float, but: int) -> int:
        """How many accounts but one had a revocation sent since then."""

    def add_revocation(self, target_id: int, account_id: int, at: float) -> None: ...

    def take_slots(self, target_id: int, want: int, most: int, lease: Lease) -> list[Slot]:
        """Up to `want` free ones of the first `most`."""

    def renew_slots(self, owner: str, until: float) -> None: ...

    def give_back(self, target_id: int, owner: str, slots: Sequence[Slot]) -> None: ...

    def free_slots(self, owner: str) -> None:
        """Give back whatever the owner still has."""

    def due_shards(self, target_ids: Sequence[int], now: float) -> set[int]:
        """Shards with due accounts at those of the targets that may be sent to and have a free slot."""

    def overdue(self, target_ids: Sequence[int], before: float, now: float) -> set[int]:
        """Those that may be sent to and have accounts that have been due since before then."""

    def open_alarms(self, kind: str) -> set[int]:
        """The targets that an alarm of the kind is open for."""

    def raise_alarm(self, kind: str, target_id: int | None, message: str, now: float) -> None:
        """One open alarm for a kind and target, however often it is raised."""

    def expire_alarms(self, kind: str, before: float, now: float) -> None:
        """Clear the alarms of a kind that were raised before then."""

    def clear_alarm(self, kind: str, target_id: int | None, now: float) -> None: ...


class Runs(Protocol):
    def create(
        self,
        kind: str,
        selection: Mapping[str, Json],
        requested_by: str,
        now: float,
        scheduled: str | None = None,
    ) -> Run:
        """`scheduled`: target and slot of a schedule; there is one run for it."""

    def lock(self, run_id: int) -> Run | None:
        """The run, locked; None where another worker has it, it is held or over, or does not exist."""

    def take(self, run_id: int) -> Run | None:
        """The run in whatever state, locked; waits for who has it. None: it does not exist."""

    def save(self, run: Run, now: float) -> None: ...

    def unfinished(self) -> list[int]: ...

    def held(self) -> list[int]: ...


class Leases(Protocol):
    def take(self, name: str, wanted: Lease) -> bool:
        """Whether it is ours now. Whoever holds it, ourselves included, keeps it until its end."""

    def give_back(self, name: str, token: str) -> None: ...


class UniqueValues(Protocol):
    """Who has a unique value and who waits for it; an account's own are written under its lease."""

    def keep(self, values: Mapping[int, Mapping[UniqueValue, bool]]) -> None:
        """Account to all its values from now on: true, it waits for the value, false, it has it."""

    def holders(self, values: Iterable[UniqueValue]) -> Holders: ...

    def tell(self, moved: Mapping[int, AbstractSet[UniqueValue]]) -> frozenset[int]:
        """These accounts got the values or gave them up: tell others that wait for one; their ids."""

    def take_news(self, ids: Sequence[int]) -> Mapping[int, AbstractSet[UniqueValue]]:
        """The values that each of these accounts was told of; each is given once."""

    def wake(self, ids: Iterable[int], now: float) -> set[int]:
        """Make held accounts due now, but for leased ones, which look by themselves; their shards."""

    def wake_forgotten(self, now: float) -> None:
        """The same for those that were told of a value and never woken."""


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
    @property
    def operators(self) -> Operators: ...
    @property
    def decisions(self) -> Decisions: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def unique_values(self) -> UniqueValues: ...
    @property
    def links(self) -> Links: ...
    @property
    def refused(self) -> RefusedBodies: ...
    @property
    def drifts(self) -> Drifts: ...
    @property
    def proposals(self) -> Proposals: ...
    @property
    def subjects(self) -> Subjects: ...
    @property
    def staged(self) -> StagedEvents: ...
    @property
    def snapshots(self) -> Snapshots: ...
    @property
    def crowd(self) -> Crowd: ...
    @property
    def sequences(self) -> Sequences: ...

    def audit(self, entry: Entry) -> None:
        """Append to the entry's stream; chained when the transaction commits."""


class Store(Protocol):
    """Raises `BusyError` at any place of a transaction, which is undone then."""

    def begin(self) -> AbstractContextManager[Transaction]: ...


class Stopping(Protocol):
    """Set once, when the worker is to stop; checked between steps."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool: ...


class Vitals(Protocol):
    """What the watchdog of a worker sees of its processes. `name` begins every owner of its leases."""

    @property
    def name(self) -> str: ...

    def settled(self, shard: int) -> None:
        """A sync of the shard got something done."""

    def folded(self) -> None: ...


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
