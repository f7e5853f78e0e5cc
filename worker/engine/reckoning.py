"""Reckoning: how many accounts a run would change that brings people, not only reads. Rows alone, no request.

As `worker.engine.judge` counts resyncs; people who are at a target for the first time count too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.arriving import takes_away
from worker.domain.identity import Identity
from worker.domain.policy import Policy
from worker.domain.strict_json import digest
from worker.engine.judge import Tally
from worker.engine.ports import Transaction

_MANY = 1_000_000  # accounts of one page of people: more than there are targets for


@dataclass(slots=True)
class PeopleTally(Tally):
    """`chain` also names people: one who has no account yet has no number either."""

    deactivated: dict[str, int] = field(default_factory=dict)  # target -> accounts that lose their rights

    @classmethod
    def of(cls, note: Mapping[str, Json]) -> PeopleTally:
        counted: Any = note.get("counted") or {}
        return cls(**counted)

    def reckon(self, policy: Policy, account: Account, subject: str, changes: Mapping[str, Json]) -> None:
        """One account more; nothing where nothing changes."""
        self.accounts += 1
        if not changes:
            return
        before = self.chain
        self.add(policy.target, account, changes)
        item = f"{before}\n{account.id}:{subject}:{digest(dict(changes))}"
        self.chain = hashlib.sha256(item.encode("utf-8", "surrogatepass")).hexdigest()
        gone = takes_away(changes, policy)
        self.deactivated[policy.target] = self.deactivated.get(policy.target, 0) + gone

    def as_json(self) -> dict[str, Json]:
        return {**Tally.as_json(self), "deactivated": dict(self.deactivated)}


def accounts_of(tx: Transaction, people: Iterable[Identity]) -> dict[tuple[str, int], Account]:
    """(subject, target's row) to the account as stored."""
    subjects: list[Json] = [person.subject for person in people]
    pairs = tx.accounts.page({"subjects": subjects}, 0, _MANY) if subjects else []
    return {(person.subject, account.target_id): account for account, person in pairs}
