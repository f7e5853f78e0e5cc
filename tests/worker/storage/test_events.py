"""Events: one row for each (source, id), folded once."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

from tests.worker.storage.world import NOW, arrival, failing, rows
from worker.engine.rows import Acceptance, Effect
from worker.storage import tables
from worker.storage.store import SqlStore

NEW, DUPLICATE, REFUSED = Acceptance.NEW, Acceptance.DUPLICATE, Acceptance.REFUSED


def stored(engine: sa.Engine) -> list[tuple[str, str, str]]:
    return [(row.source, row.event_id, row.body_hash) for row in rows(engine, tables.event)]


def test_an_event_is_stored_once_for_each_source_and_id(store: SqlStore, engine: sa.Engine) -> None:
    for expected in (NEW, DUPLICATE):
        with store.begin() as tx:
            assert tx.events.store([arrival("e1")]) == [expected]
    assert stored(engine) == [("hr", "e1", "a")]


def test_the_same_id_with_another_body_is_refused_and_changes_nothing(
    store: SqlStore, engine: sa.Engine
) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("e1")])
    with store.begin() as tx:
        assert tx.events.store([arrival("e1", "b"), arrival("e2")]) == [REFUSED, NEW]
    assert stored(engine) == [("hr", "e1", "a"), ("hr", "e2", "a")]


def test_the_same_id_of_another_source_is_another_event(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.events.store([arrival("e1"), arrival("e1", "b", source="payroll")]) == [NEW, NEW]


def test_of_one_id_in_a_batch_the_first_arrival_is_the_new_one(store: SqlStore, engine: sa.Engine) -> None:
    with store.begin() as tx:
        batch = [arrival("e1", "b"), arrival("e1", "b"), arrival("e1", "c"), arrival("e0")]
        assert tx.events.store(batch) == [NEW, DUPLICATE, REFUSED, NEW]
    assert stored(engine) == [("hr", "e1", "b"), ("hr", "e0", "a")]


def test_the_very_same_arrival_twice_in_a_batch_is_new_once(store: SqlStore) -> None:
    same = arrival("e1")
    with store.begin() as tx:
        assert tx.events.store([same, same]) == [NEW, DUPLICATE]


def test_a_big_batch_is_stored_whole_and_in_order(store: SqlStore, engine: sa.Engine) -> None:
    if engine.dialect.name == "sqlite":
        allow_few_variables(engine)
    batch = [arrival(f"e{n}") for n in range(1_200)]
    for expected in (NEW, DUPLICATE):
        with store.begin() as tx:
            assert set(tx.events.store(batch)) == {expected}
    assert [event_id for _, event_id, _ in stored(engine)] == [f"e{n}" for n in range(1_200)]


def allow_few_variables(engine: sa.Engine) -> None:
    """As builds of SQLite other than Debian's have it; the pool holds this one connection."""
    raw = engine.raw_connection()
    raw.driver_connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 9_999)  # type: ignore[union-attr]
    raw.close()


def test_nothing_is_stored_when_the_transaction_fails(store: SqlStore, engine: sa.Engine) -> None:
    failing(store, lambda tx: tx.events.store([arrival("e1")]))
    assert stored(engine) == []


def test_an_event_comes_back_as_it_was_stored(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("e1")])
        (found,) = tx.events.take_unfolded(10, NOW)
    assert (found.event, found.accepted_at, found.correlation) == (arrival("e1").event, NOW, "c-e1")


def test_the_oldest_events_whose_time_has_come_are_taken_first(store: SqlStore) -> None:
    batch = [arrival("late", fold_at=90), arrival("first", fold_at=80), arrival("second", fold_at=80)]
    with store.begin() as tx:
        tx.events.store([*batch, arrival("future", fold_at=NOW + 1)])
        taken = [found.event.id for found in tx.events.take_unfolded(2, NOW)]
        rest = [found.event.id for found in tx.events.take_unfolded(10, NOW)]
    assert taken == ["first", "second"]
    assert rest == ["first", "second", "late"]


def test_an_event_of_the_future_waits_for_its_time(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("e1", fold_at=NOW + 1)])
        assert (tx.events.waiting(NOW), tx.events.take_unfolded(10, NOW)) == (False, [])
        assert tx.events.waiting(NOW + 1)
        assert len(tx.events.take_unfolded(10, NOW + 1)) == 1


def test_a_folded_event_says_what_it_did_and_is_not_taken_again(store: SqlStore, engine: sa.Engine) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("e1"), arrival("e2")])
        one, two = (found.row for found in tx.events.take_unfolded(10, NOW))
        tx.events.mark_folded([Effect(one, 7, 3, "changed"), Effect(two, 7, None, "superseded")])
    with store.begin() as tx:
        assert (tx.events.waiting(NOW + 1e9), tx.events.take_unfolded(10, NOW + 1e9)) == (False, [])
    effects = [(row.identity_id, row.revision, row.effect) for row in rows(engine, tables.event)]
    assert effects == [(7, 3, "changed"), (7, None, "superseded")]


def test_a_fold_leaves_out_what_another_fold_has_locked(postgres_store: SqlStore) -> None:
    with postgres_store.begin() as tx:
        tx.events.store([arrival("e1"), arrival("e2"), arrival("e3")])
    with postgres_store.begin() as one, postgres_store.begin() as other:
        assert [found.event.id for found in one.events.take_unfolded(2, NOW)] == ["e1", "e2"]
        assert [found.event.id for found in other.events.take_unfolded(9, NOW)] == ["e3"]
