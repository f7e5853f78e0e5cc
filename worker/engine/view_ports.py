"""What the use cases that only look ask of the rows: nothing is locked, nothing is written.

`worker.storage.view` implements it in transactions that the database itself keeps from writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain.clash import Holders, UniqueValue
from worker.domain.decisions import Decided
from worker.domain.identity import Identity
from worker.engine.operator_ports import OperatorRow
from worker.engine.rows import Claim, StoredEvent, TargetState
from worker.engine.subject_ports import Alias


@dataclass(frozen=True, slots=True)
class Known:
    """A person as stored. `row` 0: nobody whom Hirewire knows yet."""

    row: int
    identity: Identity
    wake_at: float | None = None  # when a date of theirs comes


@dataclass(frozen=True, slots=True)
class AccountLook:
    """An account as a worker would claim it now, and what its row says beside."""

    claim: Claim
    due_at: float | None = None
    leased: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored event. `effect` None: it waits to be folded, from `fold_at` on."""

    stored: StoredEvent
    effect: str | None
    revision: int | None
    fold_at: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """One audit record about an account, the newest state of what was said."""

    at: float
    action: str
    facts: Mapping[str, Json]


class Verdicts(Protocol):
    def verdict(self, account_id: int, field: str) -> Decided | None:
        """See `worker.engine.operator_ports.Decisions`."""


class Everybody(Protocol):
    def all(self) -> list[OperatorRow]: ...


class Consents(Protocol):
    """What tells whether an approval still stands."""

    @property
    def now(self) -> float: ...
    @property
    def decisions(self) -> Verdicts: ...
    @property
    def operators(self) -> Everybody: ...


class View(Consents, Protocol):
    """One read-only transaction. Rows come in the order of their ids."""

    def targets(self) -> dict[str, TargetState]:
        """By name."""

    def person(self, subject: str) -> Known | None:
        """Whom the subject means, by an alias too."""

    def aliases(self, row: int) -> list[Alias]:
        """The HR keys that the person of this row had before, from the oldest."""

    def accounts(self, selection: Mapping[str, Json], after: int, limit: int) -> list[AccountLook]:
        """The next accounts of a selection (`worker.engine.ports.Accounts.require_read`)."""

    def waiting(self, subject: str) -> list[StoredEvent]:
        """The person's events that a fold would take now, under any subject, in the order of arrival."""

    def events_called(self, event_id: str) -> list[Kept]:
        """Every source may have one of that id."""

    def body_hash(self, source: str, event_id: str) -> str | None:
        """Of the event that was stored under this id."""

    def events(self, rows: Iterable[int]) -> dict[int, StoredEvent]: ...

    def namesakes(self, identity_id: int, target_id: int) -> list[Identity]: ...

    def owners(self, target_id: int, remote_ids: Sequence[str]) -> dict[str, int]: ...

    def linked(self, target_id: int) -> int:
        """How many accounts are linked at the target."""

    def revocations(self, target_id: int, since: float, but: int) -> int: ...

    def holders(self, values: Iterable[UniqueValue]) -> Holders: ...

    def news(self, account_id: int) -> AbstractSet[UniqueValue]:
        """The values that the account was told of and has not looked at."""

    def told(self, identity_id: int, stream: str, limit: int) -> list[Told]:
        """The newest audit records of the person's account in a target's stream, the newest first."""


class Viewer(Protocol):
    def begin(self) -> AbstractContextManager[View]: ...
