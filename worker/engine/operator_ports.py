"""What the engine asks of the rows of operators and of their decisions; a part of `worker.engine.ports`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from worker.domain.decisions import Decided, Word
from worker.domain.operator import Principal, Role


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """An operator as stored. `token_hash` is all that is kept of the token, `targets` its scope."""

    name: str
    role: Role
    token_hash: str
    created_by: str
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    targets: frozenset[str] | None = None

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.role, self.targets)

    def active(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Operators(Protocol):
    def lock(self) -> None:
        """Until the transaction ends nobody else adds or revokes."""

    def all(self) -> list[OperatorRow]: ...

    def by_token_hash(self, wanted: str) -> OperatorRow | None: ...

    def add(self, row: OperatorRow) -> None:
        """A new row, or a new token for a name that is known."""

    def revoke(self, name: str, now: float) -> None: ...


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision as stored; rows are never changed. `until` is the end of an approval."""

    account_id: int
    field: str
    word: Word
    binds: str
    by: str
    why: str
    at: float
    until: float | None = None


class Decisions(Protocol):
    def add(self, row: DecisionRow) -> int:
        """Its id."""

    def verdict(self, account_id: int, field: str) -> Decided | None:
        """The newest decision about the field, but for `retry`, which says nothing about the change."""
