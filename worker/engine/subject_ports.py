"""What giving people other HR keys asks of the rows; a part of `worker.engine.ports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from worker.domain.account import Account
from worker.domain.identity import Identity


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom the events of an HR key reach. `identity.subject` is the key that they have now."""

    row: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class Alias:
    """An HR key of before. `merged`: it was an identity of its own."""

    subject: str
    by: str
    at: float
    merged: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """The accounts of two identities at one target. `leased`: a worker has it, nobody else may write it."""

    target: str
    into: Account
    gone: Account
    into_leased: bool
    gone_leased: bool
    decided: int  # the newest decision about either


class Subjects(Protocol):
    def take(self, subjects: Sequence[str]) -> Mapping[str, Bearer]:
        """Subject to whom its events reach, locked in the order of rows. Absent: nobody was spoken of."""

    def rename(self, bearer: Bearer, subject: str, by: str, now: float) -> None:
        """The subject is theirs from now on, and the one before an alias. It must be nobody else's."""

    def pairs(self, into: Bearer, gone: Bearer) -> list[Pair]:
        """One for each target that `gone` has an account at, locked by id; `into`'s has the id 0 if new."""

    def make(self, into: Bearer, gone: Bearer) -> None:
        """Make the accounts of `into` that `gone` has and it has not; before `pairs`."""

    def write(self, account: Account) -> None:
        """The state of an account that nobody leases, with its link and mapping."""

    def retire(self, gone: Bearer, into: Bearer, by: str, now: float) -> None:
        """`gone` is an alias of `into`: its accounts are no more, and all that hung on them is `into`'s."""
