"""Small worlds for the storage contract: events, people, targets, accounts; and looking at rows.

Times are small numbers of our own, so that a test says which moment is which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from worker.domain.account import Account
from worker.domain.event import Event
from worker.engine.rows import (
    Arrival,
    Claim,
    Due,
    Lease,
    Progress,
    Settled,
)
from worker.storage import tables
from worker.storage.store import SqlStore, SqlTransaction

NOW = 100.0
NORMAL, URGENT = 5, 0
_T = TypeVar("_T")


def arrival(name: str, body: str = "a", *, fold_at: float = NOW, source: str = "hr") -> Arrival:
    event = Event(
        source=source,
        id=name,
        type="hirewire.person.changed",
        subject="E1",
        time=NOW,
        order="2026",
        snapshot=False,
        assertions={"title": body},
        body_hash=body,
    )
    return Arrival(event, f"c-{name}", NOW, fold_at)


def lease(token: str = "ours", now: float = NOW, lasts: float = 60.0) -> Lease:
    return Lease(token, now, now + lasts)


def register(store: SqlStore, **slots: int) -> dict[str, int]:
    """Targets by name with their number of slots; name to row."""
    with store.begin() as tx:
        tx.targets.register(slots, 2)
        return {state.name: state.id for state in tx.targets.all()}


def people(store: SqlStore, *subjects: str) -> list[int]:
    """Identities in the order of the subjects."""
    with store.begin() as tx:
        known = {subject: tx.identities.lock([subject], NOW)[subject][0] for subject in subjects}
    return [known[subject] for subject in subjects]


def make_due(
    store: SqlStore,
    identity_ids: Sequence[int],
    target_ids: Sequence[int],
    now: float = NOW,
    priority: int = NORMAL,
    since: float = 90.0,
) -> None:
    with store.begin() as tx:
        tx.accounts.make_due([Due(row, priority, since) for row in identity_ids], target_ids, now)


def one_due(store: SqlStore) -> tuple[int, int]:
    """A person with one due account; the rows of identity and target."""
    target = register(store, awx=2)["awx"]
    (person,) = people(store, "E1")
    make_due(store, [person], [target])
    return person, target


def claim(store: SqlStore, target: int, taken: Lease, limit: int = 10) -> list[Claim]:
    """From both shards."""
    with store.begin() as tx:
        return [found for shard in (0, 1) for found in tx.accounts.claim(shard, target, limit, taken)]


def settle(store: SqlStore, taken: Claim, due_at: float | None = None, **state: object) -> None:
    """Give the account back with this state."""
    account: Account = replace(taken.account, applied_revision=1, **state)  # type: ignore[arg-type]
    with store.begin() as tx:
        tx.accounts.save([Progress(account, Settled(NOW, due_at, None, 5))], "ours")


def failing(store: SqlStore, work: Callable[[SqlTransaction], object]) -> None:
    """Do the work in a transaction that fails at its end."""

    def fail() -> None:
        with store.begin() as tx:
            work(tx)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fail()


def rows(engine: sa.Engine, table: sa.Table) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))


def account_row(engine: sa.Engine) -> Any:
    """The only account."""
    (row,) = rows(engine, tables.account)
    return row


def at_once(*jobs: Callable[[], _T]) -> list[_T]:
    """Run each in a thread of its own; their results, or the first exception."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=30) for future in [pool.submit(job) for job in jobs]]


def waits_for_a_lock(engine: sa.Engine) -> bool:
    """Whether some connection to this PostgreSQL database waits for a row."""
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with engine.connect() as connection:
        return bool(connection.execute(query).scalar_one())
