"""Rows of unique values: who has one, who waits, who is told; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.storage import world
from worker.domain.account import Account, Hold, Reason
from worker.domain.clash import Holder, UniqueValue
from worker.engine.rows import Progress, Settled
from worker.storage import tables
from worker.storage.store import SqlStore

HAS, WAITS = False, True


@pytest.fixture
def target(store: SqlStore) -> int:
    return world.register(store, awx=2)["awx"]


@pytest.fixture
def accounts(store: SqlStore, target: int) -> list[int]:
    """The accounts of E1, E2 and E3; all have been looked at, nothing is due."""
    world.make_due(store, world.people(store, "E1", "E2", "E3"), [target])
    claims = world.claim(store, target, world.lease())
    settle(store, [claim.account for claim in claims])
    return sorted(claim.account.id for claim in claims)


def settle(store: SqlStore, accounts: Sequence[Account], *, held: bool = True) -> None:
    holds = {"username": Hold(Reason.UNIQUE, "taken", "h", 1.0)} if held else {}
    done = Settled(world.NOW, None, None, world.NORMAL)
    with store.begin() as tx:
        tx.accounts.save([Progress(found.hold(holds), done) for found in accounts], "ours")


def keep(store: SqlStore, account: int, **kept: tuple[UniqueValue, bool]) -> None:
    with store.begin() as tx:
        tx.unique_values.keep({account: dict(kept.values())})


def bob(target: int, field: str = "username") -> UniqueValue:
    return UniqueValue(target, field, "hash-of-bob")


def due(engine: sa.Engine) -> list[int]:
    return [row.id for row in world.rows(engine, tables.account) if row.due_at is not None]


def test_who_has_a_value_is_told_with_the_hr_key(store: SqlStore, target: int, accounts: list[int]) -> None:
    first, second, _ = accounts
    keep(store, first, a=(bob(target), HAS))
    keep(store, second, a=(bob(target), WAITS))
    with store.begin() as tx:
        found = tx.unique_values.holders([bob(target), bob(target, "email")])
    assert found == {bob(target): (Holder(first, "E1"),)}


def test_what_an_account_has_and_waits_for_is_replaced_as_a_whole(
    store: SqlStore, engine: sa.Engine, target: int, accounts: list[int]
) -> None:
    first, second, _ = accounts
    keep(store, second, a=(bob(target), HAS))
    keep(store, first, a=(bob(target), WAITS), b=(bob(target, "email"), HAS))
    keep(store, first, a=(bob(target), HAS))
    found = [(row.account_id, row.field, row.waiting) for row in world.rows(engine, tables.unique_value)]
    assert sorted(found) == [(first, "username", HAS), (second, "username", HAS)]


def test_those_that_wait_for_a_value_are_told_once(store: SqlStore, target: int, accounts: list[int]) -> None:
    first, second, third = accounts
    keep(store, first, a=(bob(target), WAITS))
    keep(store, second, a=(bob(target, "email"), WAITS))
    with store.begin() as tx:
        assert tx.unique_values.tell({third: frozenset({bob(target)})}) == {first}
    with store.begin() as tx:
        assert tx.unique_values.take_news([first, second]) == {first: {bob(target)}}
    with store.begin() as tx:
        assert tx.unique_values.take_news([first, second]) == {}


def test_nobody_is_told_by_itself(store: SqlStore, target: int, accounts: list[int]) -> None:
    keep(store, accounts[0], a=(bob(target), WAITS))
    with store.begin() as tx:
        assert tx.unique_values.tell({accounts[0]: frozenset({bob(target)})}) == frozenset()


def test_a_held_account_becomes_due_and_a_leased_one_keeps_its_lease(
    store: SqlStore, engine: sa.Engine, target: int, accounts: list[int]
) -> None:
    first, second, third = accounts
    world.make_due(store, [2], [target])
    (claim,) = world.claim(store, target, world.lease("other"))
    assert claim.account.id == second
    with store.begin() as tx:
        shards = tx.unique_values.wake([first, second], 110.0)
    found = {row.id: row.due_at for row in world.rows(engine, tables.account)}
    assert found == {first: 110.0, second: 160.0, third: None}
    assert shards == {1}


def test_an_account_that_is_not_held_is_left_alone(
    store: SqlStore, engine: sa.Engine, target: int, accounts: list[int]
) -> None:
    world.make_due(store, [1], [target])
    (claim,) = world.claim(store, target, world.lease())
    settle(store, [claim.account.release(["username"])], held=False)
    with store.begin() as tx:
        assert tx.unique_values.wake(accounts[:1], 110.0) == set()
    assert due(engine) == []


def test_whoever_was_told_and_never_woken_is_found(
    store: SqlStore, engine: sa.Engine, target: int, accounts: list[int]
) -> None:
    first, second, third = accounts
    keep(store, first, a=(bob(target), WAITS))
    keep(store, second, a=(bob(target), WAITS))
    with store.begin() as tx:
        tx.unique_values.tell({third: frozenset({bob(target)})})
    keep(store, second)  # its data changed meanwhile
    with store.begin() as tx:
        tx.unique_values.wake_forgotten(110.0)
    assert due(engine) == [first]
    assert [row.account_id for row in world.rows(engine, tables.unique_news)] == [first]


def test_to_wake_waits_for_a_waiter_that_is_just_settling(
    postgres_store: SqlStore, postgres_engine: sa.Engine
) -> None:
    """The lost wake-up: it was told too late to see it, and is leased until it commits."""
    target = world.register(postgres_store, awx=2)["awx"]
    world.make_due(postgres_store, world.people(postgres_store, "E1"), [target])
    (claim,) = world.claim(postgres_store, target, world.lease())
    locked = threading.Event()

    def settles() -> set[int] | None:
        with postgres_store.begin() as tx:
            tx.accounts.lock_owned([claim.account.id], "ours")
            locked.set()
            until(lambda: world.waits_for_a_lock(postgres_engine), "the other waits for the row")
            hold = {"username": Hold(Reason.UNIQUE, "taken", "h", 1.0)}
            done = Settled(world.NOW, None, None, world.NORMAL)
            tx.accounts.save([Progress(claim.account.hold(hold), done)], "ours")
        return None

    def wakes() -> set[int] | None:
        locked.wait(60)
        with postgres_store.begin() as tx:
            return tx.unique_values.wake([claim.account.id], 110.0)

    assert world.at_once(settles, wakes) == [None, {1}]
    assert due(postgres_engine) == [claim.account.id]


def test_telling_waits_for_no_lock_of_the_waiter(postgres_store: SqlStore) -> None:
    target = world.register(postgres_store, awx=2)["awx"]
    world.make_due(postgres_store, world.people(postgres_store, "E1", "E2"), [target])
    first, second = (claim.account.id for claim in world.claim(postgres_store, target, world.lease()))
    keep(postgres_store, first, a=(bob(target), WAITS))
    with postgres_store.begin() as waiter:
        waiter.accounts.lock_owned([first], "ours")
        waiter.unique_values.keep({first: {bob(target): HAS}})
        with postgres_store.begin() as teller:
            assert teller.unique_values.tell({second: frozenset({bob(target)})}) == {first}
