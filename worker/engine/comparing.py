"""Comparing: one page of a listing against the rows. Writes drift, and counts; changes no account.

A page may be older than what a worker settled meanwhile, so an account that is in hand, in doubt, or was
seen since the page was asked for says nothing: it is counted as in motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.sdk.model import Json, Record
from worker.domain.account import ACCOUNT
from worker.domain.drift import Cause, Difference, differences
from worker.domain.guard import is_protected_name
from worker.domain.masking import masked, shortened
from worker.domain.policy import Policy
from worker.engine.judge import Tally
from worker.engine.listing import Read
from worker.engine.ports import Transaction
from worker.engine.reconcile_ports import Drift, Linked
from worker.engine.shelter import sheltered
from worker.engine.target import Target

_GONE = "@missing"  # among the fields of a plan
STRANGERS_KEPT = 1000  # of more than that, only how many they are is of use


@dataclass(slots=True)
class Found:
    """What a reconciliation has counted so far. `differing` counts accounts, `causes` fields."""

    listed: int = 0
    linked: int = 0
    differing: int = 0
    strangers: int = 0
    protected: int = 0  # nobody's, and protected: expected there
    in_motion: int = 0
    unread: int = 0  # comparing them failed here
    missing: int = 0
    marked: int = 0
    passed: int = 0  # to be marked, and something came in between: nothing is lost by leaving them
    causes: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        counts: dict[str, Json] = {name: getattr(self, name) for name in COUNTS}
        return {**counts, "causes": dict(self.causes)}

    def add(self, rows: Sequence[Drift]) -> None:
        for row in rows:
            self.causes[row.cause.value] = self.causes.get(row.cause.value, 0) + 1


COUNTS = (
    "listed",
    "linked",
    "differing",
    "strangers",
    "protected",
    "in_motion",
    "unread",
    "missing",
    "marked",
    "passed",
)


@dataclass(slots=True)
class _Comparison:
    """One account's. What fails in it is this account's alone."""

    linked: Linked
    found: list[Difference] = field(default_factory=list)
    failed: bool = False

    @property
    def label(self) -> str:
        return f"account {self.linked.account.id}"

    def stumbled(self, why: str, now: float) -> None:  # noqa: ARG002 - as the shelter calls it
        self.failed = True


@dataclass(frozen=True, slots=True)
class Comparing:
    """For one page; `found` and `tally` grow."""

    target: Target
    run_id: int
    found: Found
    tally: Tally

    def page(self, tx: Transaction, read: Read) -> None:
        """Take a page in. An account that a moving listing shows twice counts once."""
        records = dict(read.page.records)
        fresh = tx.drifts.meet(self.run_id, list(records))
        linked = tx.drifts.linked(self.target.id, sorted(fresh))
        rows: list[Drift] = []
        for remote_id in (name for name in records if name in fresh):
            known = linked.get(remote_id)
            if known is None:
                rows += self._stranger(remote_id, records[remote_id], read.asked_at)
            else:
                rows += self._compared(known, records[remote_id], read.asked_at, tx.now)
        self.found.listed += len(fresh)
        self.found.add(rows)
        tx.drifts.add(self.run_id, rows)

    def _compared(self, known: Linked, record: Record, asked_at: float, now: float) -> list[Drift]:
        self.found.linked += 1
        if is_in_motion(known, asked_at):
            self.found.in_motion += 1
            return []
        comparison = _Comparison(known)
        with sheltered(comparison, now):
            comparison.found = self._differences(known, record, now)
        self.found.unread += comparison.failed
        self.found.differing += bool(comparison.found)
        mending = {one.field: one.wanted for one in comparison.found if one.mends}
        if mending:
            self.tally.add(self.target.name, known.account, mending)
        return [self._row(known, one, asked_at) for one in comparison.found]

    def _differences(self, known: Linked, record: Record, now: float) -> list[Difference]:
        target = self.target
        return differences(
            known.account, known.identity, target.view, target.policy, target.fingerprint, record, now
        )

    def _row(self, known: Linked, one: Difference, asked_at: float) -> Drift:
        return Drift(
            str(known.account.remote_id),
            known.account.id,
            known.identity.subject,
            one.field,
            one.cause,
            shown(self.target.policy, one.field, one.wanted),
            shown(self.target.policy, one.field, one.listed),
            one.mends,
            asked_at,
        )

    def _stranger(self, remote_id: str, record: Record, asked_at: float) -> list[Drift]:
        policy = self.target.policy
        name = record.get(policy.name_field)
        if remote_id in policy.protected_ids or is_protected_name(name, policy):
            self.found.protected += 1
            return []
        self.found.strangers += 1
        if self.found.strangers > STRANGERS_KEPT:
            return []
        called = shown(policy, policy.name_field, name)
        return [
            Drift(
                remote_id, None, None, ACCOUNT, Cause.STRANGER, None, called, mends=False, asked_at=asked_at
            )
        ]

    def missing(self, known: Sequence[Linked], began: float) -> list[Drift]:
        """Linked accounts that the whole listing did not have; who showed itself since it began is there."""
        gone = [one for one in known if not is_in_motion(one, began)]
        self.found.missing += len(gone)
        for one in filter(self._is_judged, gone):
            self.tally.add(self.target.name, one.account, {_GONE: Cause.MISSING.value})
        rows = [self._gone(one, began) for one in gone]
        self.found.add(rows)
        return rows

    def _gone(self, one: Linked, began: float) -> Drift:
        known, subject = one.account, one.identity.subject
        return Drift(
            str(known.remote_id),
            known.id,
            subject,
            ACCOUNT,
            Cause.MISSING,
            None,
            None,
            mends=self._is_judged(one),
            asked_at=began,
        )

    def _is_judged(self, one: Linked) -> bool:
        """No run has yet to judge another configuration for it."""
        return one.account.mapping_hash == self.target.fingerprint


def shown(policy: Policy, name: str, value: Json) -> Json:
    """The value as the drift table has it."""
    return masked(value) if name in policy.masked else shortened(value)


def is_in_motion(known: Linked, asked_at: float) -> bool:
    """Whether the page may be older than what the account shows by now."""
    account = known.account
    return known.leased or account.doubt is not None or account.observed_at >= asked_at
