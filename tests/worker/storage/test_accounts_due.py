"""Accounts become due: by fold, by a read that somebody asks for; never under a foreign lease."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from connectors.sdk.model import Json
from tests.waiting import until
from tests.worker.storage.world import (
    NORMAL,
    NOW,
    URGENT,
    account_row,
    at_once,
    claim,
    lease,
    make_due,
    one_due,
    people,
    register,
    rows,
    waits_for_a_lock,
)
from worker.engine.rows import Due, Progress, Settled
from worker.storage import tables
from worker.storage.store import SqlStore


def test_a_person_gets_one_account_at_each_target_however_often_made_due(
    store: SqlStore, engine: sa.Engine
) -> None:
    targets = register(store, awx=1, django=1)
    (person,) = people(store, "E1")
    for _ in range(2):
        make_due(store, [person], list(targets.values()))
    found = [(row.identity_id, row.target_id, row.applied_revision) for row in rows(engine, tables.account)]
    assert found == [(person, targets["awx"], 0), (person, targets["django"], 0)]


def test_two_folds_at_once_create_an_account_once(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    persons = people(store, "E1", "E2")
    both_ready = threading.Barrier(2)

    def fold(order: list[int]) -> None:
        both_ready.wait(60)
        make_due(store, order, [target])

    at_once(lambda: fold(persons), lambda: fold(persons))
    assert [row.identity_id for row in rows(engine, tables.account)] == persons


def test_an_account_lies_on_the_shard_of_its_person(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, people(store, "E1", "E2", "E3"), [target])
    assert all(row.shard == row.identity_id % 2 for row in rows(engine, tables.account))


def test_nobody_and_nowhere_make_nothing_due(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, [], [target])
    make_due(store, people(store, "E1"), [])
    assert rows(engine, tables.account) == []


def test_a_leased_account_keeps_its_lease(store: SqlStore, engine: sa.Engine) -> None:
    person, target = one_due(store)
    claim(store, target, lease())
    make_due(store, [person], [target], now=NOW + 1, priority=URGENT)
    row = account_row(engine)
    assert (row.lease_token, row.due_at, row.priority) == ("ours", NOW + 60, URGENT)


@pytest.mark.parametrize(
    ("first", "second"), [(URGENT, NORMAL), (NORMAL, URGENT)], ids=["urgent first", "urgent last"]
)
def test_the_more_urgent_priority_stays(store: SqlStore, engine: sa.Engine, first: int, second: int) -> None:
    target = register(store, awx=1)["awx"]
    persons = people(store, "E1")
    make_due(store, persons, [target], priority=first)
    make_due(store, persons, [target], priority=second)
    assert account_row(engine).priority == URGENT


@pytest.mark.parametrize(("first", "second"), [(80.0, 90.0), (90.0, 80.0)])
def test_pending_is_counted_from_the_oldest_event(
    store: SqlStore, engine: sa.Engine, first: float, second: float
) -> None:
    target = register(store, awx=1)["awx"]
    persons = people(store, "E1")
    make_due(store, persons, [target], since=first)
    make_due(store, persons, [target], since=second)
    assert account_row(engine).pending_since == 80.0


def test_due_targets_are_those_of_the_shard_whose_time_has_come(store: SqlStore) -> None:
    targets = register(store, awx=1, django=1)
    even, odd = sorted(people(store, "E1", "E2"), key=lambda row: row % 2)
    make_due(store, [even], [targets["awx"]])
    make_due(store, [odd], [targets["django"]], now=NOW + 5)
    with store.begin() as tx:
        assert tx.accounts.due_targets(0, NOW) == {targets["awx"]}
        assert tx.accounts.due_targets(1, NOW) == set()
        assert tx.accounts.due_targets(1, NOW + 5) == {targets["django"]}


def settle_all(store: SqlStore, target: int) -> list[int]:
    claims = claim(store, target, lease(), limit=100)
    done = Settled(NOW, None, None, NORMAL)
    with store.begin() as tx:
        tx.accounts.save([Progress(replace(c.account, must_read=False), done) for c in claims], "ours")
    return sorted(c.account.id for c in claims)


def test_reads_are_asked_for_page_by_page_in_the_order_of_rows(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, people(store, *(f"E{n}" for n in range(5))), [target])
    ids = settle_all(store, target)
    pages: list[list[int]] = []
    while not pages or pages[-1]:
        after = pages[-1][-1] if pages else 0
        with store.begin() as tx:
            pages.append(tx.accounts.require_read({}, after, 2, NOW + 1))
    assert pages == [ids[:2], ids[2:4], ids[4:], []]
    assert [(row.due_at, row.verify_at) for row in rows(engine, tables.account)] == [(NOW + 1, NOW + 1)] * 5


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({}, {("E1", "awx"), ("E2", "awx"), ("E1", "django"), ("E2", "django")}),
        ({"targets": ["awx"]}, {("E1", "awx"), ("E2", "awx")}),
        ({"subjects": ["E2"]}, {("E2", "awx"), ("E2", "django")}),
        ({"targets": ["django"], "subjects": ["E1"]}, {("E1", "django")}),
        ({"targets": []}, set()),
    ],
)
def test_a_selection_names_targets_and_people(
    store: SqlStore, engine: sa.Engine, selection: dict[str, Json], expected: set[tuple[str, str]]
) -> None:
    targets = register(store, awx=1, django=1)
    make_due(store, people(store, "E1", "E2"), list(targets.values()))
    with store.begin() as tx:
        marked = tx.accounts.require_read(selection, 0, 100, NOW)
    join = tables.account.join(tables.identity).join(tables.target)
    query = sa.select(tables.identity.c.subject, tables.target.c.name).select_from(join)
    with engine.connect() as connection:
        found = connection.execute(query.where(tables.account.c.id.in_(marked)))
        assert {(row.subject, row.name) for row in found} == expected


def test_a_read_of_a_leased_account_waits_for_its_settle(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    claim(store, target, lease())
    with store.begin() as tx:
        tx.accounts.require_read({}, 0, 10, NOW + 1)
    row = account_row(engine)
    assert (row.lease_token, row.due_at) == ("ours", NOW + 60)
    assert row.verify_at is not None


def test_a_read_asked_for_while_the_claim_was_under_way_is_not_lost(
    postgres_store: SqlStore, postgres_engine: sa.Engine
) -> None:
    """The asking transaction read the clock first and then waited for the claim's rows."""
    _, target = one_due(postgres_store)

    def ask() -> None:
        with postgres_store.begin() as tx:
            tx.accounts.require_read({}, 0, 10, NOW)

    with postgres_store.begin() as tx:
        (found,) = [c for shard in (0, 1) for c in tx.accounts.claim(shard, target, 5, lease(now=NOW + 1))]
        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: waits_for_a_lock(postgres_engine), "it waits for the lock")
    asking.join(60)
    with postgres_store.begin() as tx:
        done = Progress(found.account, Settled(NOW + 1, None, None, NORMAL))
        tx.accounts.save([done], "ours")
    (again,) = claim(postgres_store, target, lease("next", now=NOW + 2))
    assert again.account.must_read


def test_an_answered_read_does_not_come_back(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    (found,) = claim(store, target, lease(now=NOW + 1))
    with store.begin() as tx:
        tx.accounts.require_read({}, 0, 10, NOW + 2)
        tx.accounts.save([Progress(found.account, Settled(NOW + 1, None, None, NORMAL))], "ours")
    (again,) = claim(store, target, lease("next", now=NOW + 3))
    answered = replace(again.account, must_read=False)
    with store.begin() as tx:
        tx.accounts.save([Progress(answered, Settled(NOW + 3, None, None, NORMAL))], "next")
    row = account_row(engine)
    assert (row.due_at, row.verify_at, row.lease_token) == (None, None, None)


def test_accounts_are_locked_in_the_order_of_their_rows(
    postgres_store: SqlStore, postgres_engine: sa.Engine
) -> None:
    """A fold that must wait for the first row has not locked the second yet."""
    target = register(postgres_store, awx=1)["awx"]
    persons = people(postgres_store, "E1", "E2")
    make_due(postgres_store, persons, [target])
    first, second = (row.id for row in rows(postgres_engine, tables.account))
    query = sa.select(tables.account.c.id)

    def fold() -> None:
        with postgres_store.begin() as tx:
            due = [Due(person, NORMAL, NOW) for person in reversed(persons)]
            tx.accounts.make_due(due, [target], NOW)

    with postgres_engine.begin() as holder:
        holder.execute(query.where(tables.account.c.id == first).with_for_update())
        folding = threading.Thread(target=fold)
        folding.start()
        until(lambda: waits_for_a_lock(postgres_engine), "it waits for the lock")
        with postgres_engine.begin() as probe:
            free = query.where(tables.account.c.id == second).with_for_update(nowait=True)
            assert probe.execute(free).scalar_one() == second
    folding.join(60)
