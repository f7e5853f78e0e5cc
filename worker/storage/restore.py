"""After a restore: nothing that the database says of a target is believed until it was read again.

Safe to run twice, and after an interruption again. A worker that is still at work finds its leases gone:
what it settles is audited as late and read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.engine.rows import Entry
from worker.engine.runs import OPERATORS
from worker.storage.anchoring import newest_fitting, read_book
from worker.storage.checkpoints import Checkpoint, Kind
from worker.storage.clock import clock
from worker.storage.seal import Sealer
from worker.storage.signing import Keys
from worker.storage.store import SqlStore
from worker.storage.tables import account, audit_head, lease, slot
from worker.storage.verify import Ask

ACTION = "database:restore:marked"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Missing:
    """Of a stream: what it holds, what was sealed of it, and up to where the two agree, sealed at `at`."""

    stream: str
    size: int
    sealed: int
    agreed: int
    at: str | None

    @property
    def records(self) -> int:
        """At most so many are missing. Those behind the last checkpoint are known to nobody."""
        return self.sealed - self.agreed


@dataclass(frozen=True, slots=True)
class Restored:
    accounts: int
    leases: int
    slots: int
    missing: tuple[Missing, ...]
    checkpoint: Checkpoint


def compared(ask: Ask, path: Path) -> tuple[Missing, ...]:
    """The streams that the newest checkpoint knows more of than the database. Raises OSError."""
    book = read_book(path, Keys())
    sizes = {row.stream: row.seq for row in ask(sa.select(audit_head))}
    found = []
    for stream, sealed in book.sealed.items():
        fitting = newest_fitting(ask, path, stream, book.since)
        agreed = fitting.streams[stream].size if fitting and stream in fitting.streams else 0
        at = fitting.at if fitting else None
        found.append(Missing(stream, sizes.get(stream, 0), sealed.size, agreed, at))
    return tuple(item for item in found if item.records > 0)


@dataclass(frozen=True, slots=True)
class Restorer:
    engine: sa.Engine
    store: SqlStore
    sealer: Sealer

    def run(self, missing: tuple[Missing, ...], actor: str, why: str) -> Restored:
        """Mark, audit, and begin the checkpoints anew. Raises SealError when all but the last is done."""
        leases, slots = _release(self.engine)
        accounts = _require_reads(self.store)
        told: dict[str, Json] = {
            "why": why,
            "accounts": accounts,
            "leases": leases,
            "slots": slots,
            "missing": {item.stream: item.records for item in missing},
        }
        with self.store.begin() as tx:
            tx.audit(Entry(OPERATORS, ACTION, actor, told))
        agreed: dict[str, Json] = {item.stream: item.agreed for item in missing}
        line = self.sealer.begin(Kind.RESTORED, {"by": actor, "why": why, "agreed": agreed})
        return Restored(accounts, leases, slots, missing, line)


def _release(engine: sa.Engine) -> tuple[int, int]:
    """Leases of accounts, in the order of their ids, then slots, then named leases."""
    leased = account.c.lease_token.is_not(None)
    with engine.begin() as connection:
        locked = sa.select(account.c.id).where(leased).order_by(account.c.id).with_for_update()
        connection.execute(locked)
        free: Mapping[str, object] = {
            "lease_token": None,
            "due_at": clock(connection),
            "alone": False,
        }
        accounts = connection.execute(sa.update(account).where(leased).values(free)).rowcount
        taken = sa.update(slot).where(slot.c.owner.is_not(None)).values(owner=None, leased_until=0.0)
        slots = connection.execute(taken).rowcount
        connection.execute(sa.update(lease).values(owner=None, until=0.0))
    return accounts, slots


def _require_reads(store: SqlStore) -> int:
    """Every account, page by page."""
    count, after = 0, 0
    while True:
        with store.begin() as tx:
            rows = tx.accounts.require_read({}, after, _PAGE, tx.now)
        count += len(rows)
        if len(rows) < _PAGE:
            return count
        after = rows[-1]
