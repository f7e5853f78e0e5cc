"""Judge: a run's whole plan, made before anything moves (DESIGN section 4).

Works from rows alone, page by page: no request, and memory for one page. Each page is one
transaction that ends with the tally in the run's row, so a judging that was interrupted goes on
where it was. What a page saw may change before the next one: the brake of single revocations and all
guards hold besides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.sdk.model import Json
from worker.domain.account import ACCOUNT, Account
from worker.domain.dates import has_dates
from worker.domain.foresee import foreseen
from worker.domain.identity import Identity
from worker.domain.strict_json import digest
from worker.engine.choosing import Takes, dates_of, taking
from worker.engine.ports import Transaction
from worker.engine.rows import Run, RunState
from worker.engine.shelter import sheltered
from worker.engine.target import Target

MAPPING = "mapping"
_PAGE = 200
_FIELDS_SHOWN = 20
UNKNOWN = "@unknown"


@dataclass(frozen=True, slots=True)
class PlanBrake:
    """A run that would change more than `share` of a target with `least` accounts is held."""

    share: float
    least: int

    def holds(self, changed: int, accounts: int) -> bool:
        return accounts >= self.least and changed > self.share * accounts


@dataclass(slots=True)
class Tally:
    """What was counted so far. `chain` runs over (account, hash of its changes), in the order of rows."""

    accounts: int = 0
    chain: str = ""
    changed: dict[str, int] = field(default_factory=dict)  # target -> accounts that would change
    created: dict[str, int] = field(default_factory=dict)  # target -> of them, accounts not there yet
    fields: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)  # target -> accounts that the run is about

    @classmethod
    def of(cls, note: Mapping[str, Json]) -> Tally:
        counted: Any = note.get("counted") or {}
        return cls(**counted)

    def add(self, target: str, account: Account, changes: Mapping[str, Json]) -> None:
        item = f"{self.chain}\n{account.id}:{digest(dict(changes))}"
        self.chain = hashlib.sha256(item.encode()).hexdigest()
        self.changed[target] = self.changed.get(target, 0) + 1
        self.created[target] = self.created.get(target, 0) + (ACCOUNT in changes)
        for name in changes:
            if name in self.fields or len(self.fields) < _FIELDS_SHOWN:
                self.fields[name] = self.fields.get(name, 0) + 1

    def as_json(self) -> dict[str, Json]:
        return {
            "accounts": self.accounts,
            "chain": self.chain,
            "changed": dict(self.changed),
            "created": dict(self.created),
            "fields": dict(self.fields),
            "read": dict(self.read),
        }


@dataclass(slots=True)
class Look:
    """One account's plan. One that cannot be made counts as a change: it may be anything."""

    account: Account
    changes: dict[str, Json] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"account {self.account.id}"

    def stumbled(self, why: str, now: float) -> None:  # noqa: ARG002 - as the shelter calls it
        self.changes = {UNKNOWN: why}


class Judge:
    """`targets` are the configured ones, by row."""

    def __init__(self, targets: Mapping[int, Target], brake: PlanBrake) -> None:
        self._targets = targets
        self._brake = brake

    def is_current(self, tx: Transaction, run: Run) -> bool:
        """Whether this process has the configuration that counts at every target of the run."""
        chosen = run.selection.get("targets")
        states = {state.id: state for state in tx.targets.all()}
        return all(
            states[target.id].fingerprint in (None, target.fingerprint)
            for target in self._targets.values()
            if not isinstance(chosen, list) or target.name in chosen
        )

    def page(self, tx: Transaction, run: Run) -> Run:
        """The run with one page more in its tally, or with the verdict: running or held."""
        pairs = tx.accounts.page(run.selection, run.cursor, _PAGE)
        takes = self.taking(run, tx.now)
        chosen = [pair for pair in pairs if takes(pair[1])]
        tally = Tally.of(run.note)
        self._count(tally, chosen)
        for target, account, changes in self._plans(run, chosen, tx.now):
            tally.add(target.name, account, changes)
        if run.kind == MAPPING:
            tx.identities.set_wakes(self._wakes(pairs, tx.now))
        note = {**run.note, "counted": tally.as_json()}
        if len(pairs) == _PAGE:
            return replace(run, state=RunState.JUDGING, cursor=pairs[-1][0].id, note=note)
        return self.verdict(tx, replace(run, note=note), tally)

    def taking(self, run: Run, now: float) -> Takes:
        """Whether the run is about somebody, as far as rows do not tell."""
        return taking(run.selection, dates_of(self._targets.values()), now)

    def _count(self, tally: Tally, chosen: Sequence[tuple[Account, Identity]]) -> None:
        tally.accounts += len(chosen)
        for account, _ in chosen:
            if (target := self._targets.get(account.target_id)) is not None:
                tally.read[target.name] = tally.read.get(target.name, 0) + 1

    def _plans(
        self, run: Run, pairs: Iterable[tuple[Account, Identity]], now: float
    ) -> Iterator[tuple[Target, Account, dict[str, Json]]]:
        """The accounts that would change, and how."""
        for account, identity in pairs:
            target = self._targets.get(account.target_id)
            if target is None or (run.kind == MAPPING and account.mapping_hash == target.fingerprint):
                continue
            look = Look(account)
            with sheltered(look, now):
                look.changes = foreseen(account, identity, target.view, target.policy, now)
            if look.changes:
                yield target, account, look.changes

    def _wakes(
        self, pairs: Iterable[tuple[Account, Identity]], now: float
    ) -> dict[tuple[int, int], float | None]:
        """When dates come next: what is a day, and what it means, may have changed as well."""
        return {
            (account.identity_id, identity.revision): target.view.dates.wake_at(identity, now)
            for account, identity in pairs
            if has_dates(identity) and (target := self._targets.get(account.target_id)) is not None
        }

    def verdict(self, tx: Transaction, run: Run, tally: Tally) -> Run:
        """The run whose whole plan was counted: running, or held where that would change too much."""
        judged = replace(run, cursor=0, total=tally.accounts, plan_hash=tally.chain or None)
        held = self._over(tx, tally)
        if not held or run.note.get("approved") == tally.chain:
            return replace(judged, state=RunState.RUNNING)
        return replace(judged, state=RunState.HELD, note={**run.note, "held": held})

    def _over(self, tx: Transaction, tally: Tally) -> dict[str, Json]:
        """Target to the accounts that the share was taken of, where too many would change."""
        found: dict[str, Json] = {}
        for target in self._targets.values():
            changed = tally.changed.get(target.name, 0)
            if not changed or target.policy.observe_only:  # nothing would be sent
                continue
            accounts = tx.accounts.count(target.id) + tally.created[target.name]
            if self._brake.holds(changed, accounts):
                found[target.name] = accounts
        return found
