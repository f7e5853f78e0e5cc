"""The brake over single revocations: what is held where too many accounts lost rights lately. Pure.

The engine counts under the target's lock before a send; a plan asks the same question of rows it only reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from worker.domain.account import LEAVER, Hold, Reason
from worker.domain.guard import brake_limit
from worker.domain.plan import Delete, Demote, Patch
from worker.domain.strict_json import digest
from worker.engine.job import Job


@dataclass(frozen=True, slots=True)
class Brake:
    """More revocations than max(least, share of the accounts) within `window_s` are held."""

    least: int
    share: float
    window_s: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Other accounts of the target that lost rights within the window, and how many are linked there."""

    sent: int
    accounts: int


def brake_holds(
    job: Job, send: Patch | Demote | Delete, counted: Counted, brake: Brake, now: float
) -> dict[str, Hold]:
    """Empty: the revocation may go. Else what of it is held."""
    limit = brake_limit(counted.accounts, brake.least, brake.share)
    if counted.sent < limit or job.passes_brake(send):
        return {}
    window = f"{brake.window_s:.0f} s"
    message = f"the brake is on: {counted.sent} accounts of {job.target.name} lost rights within {window}"
    whole = {LEAVER: Hold(Reason.BRAKE, message, "", now)}
    return {
        name: Hold(Reason.BRAKE, message, digest(value), now) for name, value in send.changes.items()
    } or whole
