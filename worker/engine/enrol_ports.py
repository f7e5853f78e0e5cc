"""What enrolments ask of the rows; a part of `worker.engine.ports`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.sdk.model import Json, Record
from worker.domain.account import Account
from worker.domain.enrol import Verdict
from worker.domain.identity import Identity
from worker.engine.rows import Run

ENROL = "enrol"


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody, with their account at a target. `account` None: there was never one."""

    row: int
    identity: Identity
    account: Account | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One line of an enrolment. `remote_id` None: of a person without an account.

    `agrees` are the fields that speak for the link, `name` what the account is called, as it may be
    shown; `other` is the account that the person is linked to. `shows` is what the link was judged by.
    """

    verdict: Verdict
    remote_id: str | None = None
    row: int | None = None  # of the identity
    named: bool = False
    agrees: tuple[str, ...] = ()
    name: Json = None
    other: str | None = None
    shows: Record = field(default_factory=dict)
    id: int = 0


class Proposals(Protocol):
    def bearers(
        self, target_id: int, attributes: Collection[str], names: Collection[str]
    ) -> dict[str, list[Called] | None]:
        """Name to the people who are or were called so. None: they are too many to say anything."""

    def people(self, run_id: int, target_id: int, after: int, limit: int) -> list[Called]:
        """The next people, in the order of their rows: without a linked account, or with a proposal."""

    def add(self, run_id: int, rows: Sequence[Proposal]) -> None: ...

    def about(self, run_id: int, people: Collection[int]) -> list[Proposal]:
        """Those of these people, in the order of people and accounts."""

    def doubt(self, run_id: int, people: Collection[int]) -> None:
        """What was to be linked, or nearly, is ambiguous for these people."""

    def links(self, run_id: int, after: int, limit: int) -> list[Proposal]:
        """The next ones to be linked, in the order of their rows."""

    def counts(self, run_id: int) -> dict[str, int]:
        """By verdict: accounts, and of `unmatched` people."""

    def forget(self, run_id: int) -> None: ...

    def running(self, target: str) -> list[Run]:
        """Enrolments of the target that are not over, held ones included."""
