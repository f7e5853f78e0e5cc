"""Identities: created once, locked in the order of their rows, written whole."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.storage.world import (
    NOW,
    at_once,
    claim,
    lease,
    make_due,
    people,
    register,
    rows,
    waits_for_a_lock,
)
from worker.domain.identity import Asserted, Identity, Mark
from worker.engine.errors import BusyError
from worker.engine.rows import Progress
from worker.storage import tables
from worker.storage.store import SqlStore, SqlTransaction


def test_two_folds_at_once_create_a_person_once(store: SqlStore, engine: sa.Engine) -> None:
    both_arrived = threading.Barrier(2)

    def lock() -> int:
        both_arrived.wait(60)
        with store.begin() as tx:
            return tx.identities.lock(["E1", "E2"], NOW)["E1"][0]

    one, other = at_once(lock, lock)
    assert one == other
    assert [row.subject for row in rows(engine, tables.identity)] == ["E1", "E2"]


def test_a_new_person_has_no_revision_and_no_attributes(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.identities.lock(["E1", "E1"], NOW)["E1"][1] == Identity("E1")


def test_a_person_comes_back_as_saved(store: SqlStore) -> None:
    (row,) = people(store, "E1")
    asserted = Asserted("Åsa \u202eب", "2026", 4, 2, "hr", ("Asa", None))
    grown = Identity("E1", 2, {"given_name": asserted}, {"hr": Mark("2026", 4)})
    with store.begin() as tx:
        tx.identities.save({row: grown}, {})
        tx.identities.save({}, {})
    with store.begin() as tx:
        assert tx.identities.lock(["E1"], NOW) == {"E1": (row, grown)}
        assert tx.identities.revisions([row, row + 1]) == {row: 2}
        assert tx.identities.revisions([]) == {}


def test_people_come_in_the_order_of_their_rows(store: SqlStore) -> None:
    people(store, "Z", "A")
    with store.begin() as tx:
        assert list(tx.identities.lock(["A", "Z"], NOW)) == ["Z", "A"]


def test_people_are_locked_in_the_order_of_their_rows(
    postgres_store: SqlStore, postgres_engine: sa.Engine
) -> None:
    _, second = people(postgres_store, "Z", "A")

    def lock() -> None:
        with postgres_store.begin() as tx:
            tx.identities.lock(["A", "Z"], NOW)

    with postgres_store.begin() as holder:
        holder.identities.lock(["Z"], NOW)
        waiting = threading.Thread(target=lock)
        waiting.start()
        until(lambda: waits_for_a_lock(postgres_engine), "it waits for the lock")
        query = sa.select(tables.identity.c.id).where(tables.identity.c.id == second)
        with postgres_engine.begin() as probe:
            assert probe.execute(query.with_for_update(nowait=True)).scalar_one() == second
    waiting.join(60)


def rename(tx: SqlTransaction, before: str, after: str) -> None:
    tx.subjects.rename(tx.subjects.take([before])[before], after, "operator:x", NOW)


def test_an_alias_is_followed_and_makes_nobody_new(store: SqlStore, engine: sa.Engine) -> None:
    (row, other) = people(store, "E1", "E2")
    with store.begin() as tx:
        rename(tx, "E1", "E9")
    with store.begin() as tx:
        locked = tx.identities.lock(["E1", "E2", "E9"], NOW)
        assert {name: found for name, (found, _) in locked.items()} == {"E1": row, "E2": other, "E9": row}
    assert [found.subject for found in rows(engine, tables.identity)] == ["E9", "E2"]


@pytest.mark.parametrize("first", [True, False], ids=["whose row was seen", "whose key was free"])
def test_who_gets_another_subject_while_a_fold_waits_is_looked_for_again(
    postgres_store: SqlStore, postgres_engine: sa.Engine, first: bool
) -> None:
    """The fold makes nobody new under the subject of before, whatever it saw before it had to wait."""
    (row,) = people(postgres_store, "E1")
    ended: list[object] = []

    def lock() -> int:
        with postgres_store.begin() as tx:
            return tx.identities.lock(["E1"], NOW)["E1"][0]

    def fold() -> None:
        try:
            ended.append(lock())
        except BusyError:
            ended.append("again")
            ended.append(lock())

    with postgres_store.begin() as holder:
        if first:
            holder.subjects.take(["E1"])
        else:
            rename(holder, "E1", "E9")
        waiting = threading.Thread(target=fold)
        waiting.start()
        until(lambda: waits_for_a_lock(postgres_engine), "it waits")
        if first:
            rename(holder, "E1", "E9")
    waiting.join(60)
    assert ended == ["again", row]
    assert [found.subject for found in rows(postgres_engine, tables.identity)] == ["E9"]


def test_folds_over_the_same_people_never_deadlock_and_lose_nothing(store: SqlStore) -> None:
    names = [f"E{n}" for n in range(6)]

    def count_up(turn: int) -> None:
        for step in range(10):
            with store.begin() as tx:
                chosen = [names[(turn * 5 + step + n) % 6] for n in range(4)]
                locked = tx.identities.lock(chosen, NOW)
                grown = {row: replace(found, revision=found.revision + 1) for row, found in locked.values()}
                tx.identities.save(grown, {})

    at_once(*(lambda turn=turn: count_up(turn) for turn in range(4)))
    with store.begin() as tx:
        total = sum(found.revision for _, found in tx.identities.lock(names, NOW).values())
    assert total == 4 * 10 * 4


def called(store: SqlStore, subject: str, *names: str) -> int:
    """A person who was called these names one after the other."""
    (row,) = people(store, subject)
    for place, name in enumerate(names):
        with store.begin() as tx:
            asserted = Asserted(name, "2026", 4, 2, "hr", names[:place])
            known = tx.identities.lock([subject], NOW)[subject][1]
            tx.identities.save({row: replace(known, attributes={"user_name": asserted})}, {})
    return row


def test_namesakes_are_people_without_an_account_who_are_or_were_called_alike(store: SqlStore) -> None:
    target = register(store, awx=2)["awx"]
    ours = called(store, "E1", "bob")
    others = [called(store, "E2", "Bob", "robert"), called(store, "E3", "rob"), called(store, "E4", "BOB ")]
    make_due(store, [ours, *others], [target])
    linked = [found.account for found in claim(store, target, lease()) if found.identity.subject == "E4"]
    with store.begin() as tx:
        tx.accounts.save([Progress(replace(linked[0], remote_id="7"))], "ours")
        assert [found.subject for found in tx.identities.namesakes(ours, target)] == ["E2"]
        assert [found.subject for found in tx.identities.namesakes(others[1], target)] == []


def test_a_name_is_kept_once_however_often_it_comes(store: SqlStore, engine: sa.Engine) -> None:
    called(store, "E1", "bob", "robert", "bob")
    assert sorted(row.name for row in rows(engine, tables.identity_name)) == ["bob", "robert"]
