"""The store: a transaction is whole or nothing, and its clock is the database's."""

from __future__ import annotations

import time

import sqlalchemy as sa

from tests.worker.storage.world import NOW, arrival, failing, people, rows
from worker.engine.rows import Entry
from worker.storage import tables
from worker.storage.store import SqlStore, SqlTransaction


def test_state_and_audit_are_committed_together(store: SqlStore, engine: sa.Engine) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("e1")])
        tx.audit(Entry("intake", "event:accept:accepted", "hr"))
    assert (len(rows(engine, tables.event)), len(rows(engine, tables.audit))) == (1, 1)


def test_an_exception_undoes_everything(store: SqlStore, engine: sa.Engine) -> None:
    def work(tx: SqlTransaction) -> None:
        tx.identities.lock(["E1"], NOW)
        tx.targets.register({"awx": 2}, 2)
        tx.audit(Entry("intake", "event:accept:accepted", "hr"))

    failing(store, work)
    kept = [rows(engine, table) for table in (tables.identity, tables.target, tables.slot, tables.audit)]
    assert kept == [[], [], [], []]


def test_the_clock_stands_still_within_a_transaction(store: SqlStore) -> None:
    with store.begin() as tx:
        first = tx.now
        assert tx.now == first
        assert abs(first - time.time()) < 5
    with store.begin() as tx:
        assert tx.now > first


def test_a_disposed_store_opens_again_when_it_is_used(store: SqlStore) -> None:
    store.dispose()
    assert len(people(store, "E1")) == 1
