"""What reconciliations ask of the rows; a part of `worker.engine.ports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.sdk.model import Change, Json
from worker.domain.account import Account
from worker.domain.drift import Cause
from worker.domain.identity import Identity
from worker.engine.rows import Run


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked account as it is stored. `leased`: a worker has it in hand, what it shows may be over."""

    account: Account
    identity: Identity
    leased: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """One row of the drift table. `account_id` None: nobody's. `asked_at`: when its page was asked for."""

    remote_id: str
    account_id: int | None
    subject: str | None
    field: str
    cause: Cause
    wanted: Json
    observed: Json
    mends: bool
    asked_at: float


@dataclass(frozen=True, slots=True)
class Changed:
    """An account that was changed outside. `observed`: field to the value that the drift table shows."""

    account_id: int
    remote_id: str
    observed: Mapping[str, Json]


class Drifts(Protocol):
    def meet(self, run_id: int, remote_ids: Sequence[str]) -> set[str]:
        """Write down that the listing has these; those that the run had not met before."""

    def met(self, run_id: int, target_id: int) -> int:
        """How many linked accounts of the target the run has met."""

    def linked(self, target_id: int, remote_ids: Sequence[str]) -> dict[str, Linked]:
        """Those of the remote accounts that are somebody's, by remote id. No locks."""

    def unmet(self, run_id: int, target_id: int, after: int, limit: int) -> list[Linked]:
        """The next linked accounts that the run has not met, in the order of their rows."""

    def add(self, run_id: int, rows: Sequence[Drift]) -> None: ...

    def to_mend(self, run_id: int, after: int, limit: int) -> dict[int, float]:
        """The next accounts, by row, that a repair would send something to, and when they were listed."""

    def changed(self, run_id: int, after: int) -> Changed | None:
        """The next account, by row, that was changed outside."""

    def tell(self, run_id: int, account_id: int, by: Mapping[str, Change]) -> None:
        """Write down who changed these fields of an account, and when."""

    def require_read(self, listed: Mapping[int, float], now: float, run_id: int) -> list[int]:
        """Make due with a read those that nothing was settled for since, and nothing is under way for."""

    def forget(self, run_id: int) -> None:
        """Whom the run has met; and whom runs have that were cancelled."""

    def running(self, target: str) -> list[Run]:
        """Reconciliations of the target that are not over, held ones included."""

    def has_slot(self, scheduled: str) -> bool:
        """Whether there is a run for this slot of a schedule."""
