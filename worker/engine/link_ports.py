"""What linking by hand asks of the rows; a part of `worker.engine.ports`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from worker.domain.account import Account
from worker.domain.identity import Identity


@dataclass(frozen=True, slots=True)
class AtHand:
    """An account as its row is now. `leased`: a worker has it or died with it; nobody else may write it."""

    account: Account
    identity: Identity
    leased: bool
    decided: int  # the newest decision about it, heeded or not


class Links(Protocol):
    def find(self, target_id: int, subject: str) -> AtHand | None:
        """As `take`, and nothing is locked or made: the account's id is 0 where there is none yet."""

    def take(self, target_id: int, subject: str) -> AtHand | None:
        """The person's account, locked, made where there is none yet. None: no event ever spoke of them."""

    def take_all(self, target_id: int, people: Collection[int]) -> dict[int, AtHand]:
        """As `take`, by the rows of identities; those that are gone or were merged are left out."""

    def owner(self, target_id: int, remote_id: str) -> str | None:
        """Whose account it is, by HR key."""

    def write(self, account: Account, now: float) -> bool:
        """The state of an account that nobody leases; due now. False: its remote id is another's by now."""
