"""Two people, one name, on real databases and targets: who is held, who is let go, what was sent.

Everybody's `first_name` says whose account it is and never changes: a mix-up would show there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_faults import fault
from worker.domain.account import ACCOUNT, Reason
from worker.domain.clash import UniqueValue
from worker.storage import tables

ADMIN = {"id": 1, "username": "admin", "is_superuser": True, "is_staff": True}


def account(n: int, name: str) -> dict[str, Any]:
    return {
        "id": n + 10,
        "username": name,
        "first_name": f"P{n}",
        "last_name": "Smith",
        "email": f"p{n}@example.com",
    }


def person(n: int, name: str) -> dict[str, Any]:
    return {
        "user_name": name,
        "given_name": f"P{n}",
        "family_name": "Smith",
        "email": f"p{n}@example.com",
    }


def seed(target: ReferenceTarget, names: Sequence[str]) -> None:
    target.reset(users=[ADMIN, *(account(n, name) for n, name in enumerate(names))])


def known(rig: Rig, target: ReferenceTarget, names: Sequence[str]) -> Rig:
    """Everybody has an account and is linked to it."""
    seed(target, names)
    rig.accept(*(rig.event(f"E{n}", person(n, name)) for n, name in enumerate(names)))
    rig.work()
    assert target.writes() == []
    return rig


def names_at(target: ReferenceTarget) -> dict[str, str]:
    """First name to user name, of everybody but the administrator."""
    return {row["first_name"]: row["username"] for row in target.rows() if row["id"] != 1}


def renamed(*names: str) -> dict[str, str]:
    return {f"P{n}": name for n, name in enumerate(names)}


def refused(rig: Rig) -> int:
    return len(rig.audit("account:patch:rejected"))


def holders(rig: Rig, *subjects: str, field: str = "username") -> list[str]:
    return [rig.account(subject, "awx").held[field].message for subject in subjects]


def test_two_people_who_exchange_names_are_both_held_each_naming_the_other(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = known(make_rig(database=database_url), awx_target, ["ann", "bob"])
    rig.accept(
        rig.event("E0", {"user_name": "bob", "department": "Sales"}),
        rig.event("E1", {"user_name": "ann", "family_name": "Smith-Jones"}),
    )
    rig.work()
    assert holders(rig, "E0", "E1") == ["username is held by E1 at awx", "username is held by E0 at awx"]
    assert names_at(awx_target) == renamed("ann", "bob")
    assert refused(rig) == 2
    assert awx_target.users()["bob"]["last_name"] == "Smith-Jones"  # the rest goes out
    assert sorted(record["holder"] for record in rig.audit("account:field:held")) == ["E0", "E1"]

    rig.say("E1", {"user_name": "bobby"})
    rig.work()
    assert names_at(awx_target) == renamed("bob", "bobby")
    assert (rig.account("E0", "awx").held, rig.account("E1", "awx").held) == ({}, {})
    assert refused(rig) == 2
    assert rig.verify().breaks == ()


def test_three_people_in_a_circle_are_held_in_every_field_that_is_unique(
    make_rig: MakeRig, staff_users_target: ReferenceTarget
) -> None:
    target = staff_users_target
    rig = known(make_rig(targets={"awx": target}), target, ["ann", "bob", "cem"])
    for n, name in enumerate(["bob", "cem", "ann"]):
        rig.say(f"E{n}", {"user_name": name, "email": f"p{(n + 1) % 3}@example.com"})
    rig.work()
    for field in ("username", "email"):
        assert holders(rig, "E0", "E1", "E2", field=field) == [
            f"{field} is held by {subject} at awx" for subject in ("E1", "E2", "E0")
        ]
    assert refused(rig) <= 6
    rig.say("E2", {"user_name": "kim", "email": "kim@example.com"})
    rig.work()
    assert names_at(target) == renamed("bob", "cem", "kim")
    assert [row["email"] for row in target.rows()[1:]] == [
        "p1@example.com",
        "p2@example.com",
        "kim@example.com",
    ]


@pytest.mark.parametrize("seed_of", range(2))
def test_a_chain_of_renames_ends_by_itself(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget, seed_of: int
) -> None:
    names = [f"name{n}" for n in range(6)]
    rig = known(make_rig(database=database_url, engine={"shards": 2}), awx_target, names)
    wanted = [*names[1:], "free"]
    order = random.Random(seed_of).sample(range(6), 6)  # noqa: S311 - an order, not a secret
    for n in order:
        rig.say(f"E{n}", {"user_name": wanted[n]})
        if n % 2:
            rig.fold()
            rig.sync()
    rig.work()
    assert names_at(awx_target) == renamed(*wanted)
    assert all(rig.account(f"E{n}", "awx").held == {} for n in order)
    assert refused(rig) <= 5


def test_whoever_waits_goes_on_waiting_when_the_holder_changes_something_else(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    known(rig, awx_target, ["ann", "bob"]).say("E0", {"user_name": "bob"})
    rig.work()
    rig.say("E1", {"family_name": "Jones"})
    rig.work()
    rig.say("E0", {"family_name": "Jones"})
    rig.work()
    assert holders(rig, "E0") == ["username is held by E1 at awx"]
    assert refused(rig) == 1


def test_a_holder_that_is_not_in_hirewire_is_told_with_the_targets_words(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    seed(awx_target, ["ann", "zoe"])
    rig.say("E0", person(0, "ann"))
    rig.work()
    rig.say("E0", {"user_name": "zoe"})
    rig.work()
    (message,) = holders(rig, "E0")
    assert message == (
        "username is held at awx by an account that is not in Hirewire: "
        "A user with that username already exists."
    )


def test_new_data_ends_the_waiting(rig: Rig, awx_target: ReferenceTarget) -> None:
    known(rig, awx_target, ["ann", "bob"]).say("E0", {"user_name": "bob"})
    rig.work()
    rig.say("E0", {"user_name": "ann"})
    rig.work()
    rig.say("E1", {"user_name": "bobby"})
    rig.work()
    assert names_at(awx_target) == renamed("ann", "bobby")
    assert len(awx_target.writes()) == 2


def test_of_two_that_wait_for_one_name_one_gets_it_and_is_named_to_the_other(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    known(rig, awx_target, ["ann", "bob", "cem"])
    rig.accept(*(rig.event(f"E{n}", {"user_name": "cem"}) for n in (0, 1)))
    rig.work()
    rig.say("E2", {"user_name": "kim"})
    rig.work()
    winner, loser = (0, 1) if names_at(awx_target)["P0"] == "cem" else (1, 0)
    assert rig.account(f"E{winner}", "awx").held == {}
    assert holders(rig, f"E{loser}") == [f"username is held by E{winner} at awx"]
    assert refused(rig) <= 4


def test_a_joiner_whose_name_somebody_has_is_created_when_it_is_free(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url, options={"awx": {"on_missing": "create"}})
    known(rig, awx_target, ["bob"]).say("E1", person(1, "bob"))
    rig.work()
    hold = rig.account("E1", "awx").held[ACCOUNT]
    assert (hold.reason, hold.message) == (Reason.UNIQUE, "username is held by E0 at awx")
    rig.say("E0", {"user_name": "robert"})
    rig.work()
    assert names_at(awx_target) == renamed("robert", "bob")
    assert rig.account("E1", "awx").held == {}


def test_a_creation_that_clashes_in_a_field_that_nobody_searched_by_waits_too(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(options={"awx": {"on_missing": "create", "correlation": "email"}})
    known(rig, awx_target, ["bob"]).say("E1", person(1, "bob"))
    rig.work()
    hold = rig.account("E1", "awx").held[ACCOUNT]
    assert (hold.reason, hold.message) == (Reason.UNIQUE, "username is held by E0 at awx")
    rig.say("E0", {"user_name": "robert"})
    rig.work()
    assert names_at(awx_target) == renamed("robert", "bob")


def test_an_exchange_before_anybody_is_linked_links_nobody(rig: Rig, awx_target: ReferenceTarget) -> None:
    seed(awx_target, ["ann", "bob"])
    rig.accept(
        *(rig.event(f"E{n}", person(n, name)) for n, name in enumerate(["ann", "bob"])),
        *(rig.event(f"E{n}", {"user_name": name}) for n, name in enumerate(["bob", "ann"])),
    )
    rig.work()
    assert [rig.account(subject, "awx").held[ACCOUNT].reason for subject in ("E0", "E1")] == [
        Reason.MATCHES,
        Reason.MATCHES,
    ]
    assert awx_target.writes() == []


def test_a_chain_before_anybody_is_linked_ends_with_everybody_in_their_own_account(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    names, wanted = ["ann", "bob", "cem"], ["bob", "cem", "kim"]
    seed(awx_target, names)
    rig.accept(
        *(rig.event(f"E{n}", person(n, name)) for n, name in enumerate(names)),
        *(rig.event(f"E{n}", {"user_name": name}) for n, name in enumerate(wanted)),
    )
    rig.work()
    assert names_at(awx_target) == renamed(*wanted)
    assert [rig.account(f"E{n}", "awx").remote_id for n in range(3)] == ["10", "11", "12"]


def test_a_holder_whose_worker_died_before_the_answer_lets_go_when_it_is_read(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    known(rig, awx_target, ["ann", "bob"]).say("E0", {"user_name": "bob"})
    rig.work()
    awx_target.faults([fault("drop_after")])
    rig.say("E1", {"user_name": "bobby"})
    rig.work()
    assert names_at(awx_target) == renamed("bob", "bobby")


def test_the_relay_wakes_whoever_a_dead_worker_told_and_did_not_wake(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    known(rig, awx_target, ["ann", "bob"]).say("E0", {"user_name": "bob"})
    rig.work()
    waiter, holder = rig.account("E0", "awx"), rig.account("E1", "awx")
    value = UniqueValue(waiter.target_id, "username", waiter.held["username"].value_hash)
    awx_target.reset(users=[ADMIN, account(0, "ann"), account(1, "bobby")])
    with rig.runtime.store.begin() as tx:  # the dead worker's last transaction
        tx.unique_values.keep({holder.id: {}})
        tx.unique_values.tell({holder.id: frozenset({value})})
    rig.work()
    assert names_at(awx_target) == renamed("bob", "bobby")


def test_a_read_mends_what_is_not_known_of_who_has_what(rig: Rig, awx_target: ReferenceTarget) -> None:
    known(rig, awx_target, ["ann", "bob"])
    with rig.writer.begin() as connection:
        connection.execute(sa.delete(tables.unique_value))  # as after an upgrade
    with rig.runtime.store.begin() as tx:
        tx.accounts.require_read({"subjects": ["E1"]}, 0, 10, tx.now)
    rig.work()
    rig.say("E0", {"user_name": "bob"})
    rig.work()
    assert holders(rig, "E0") == ["username is held by E1 at awx"]


# Nobody has an account in Hirewire yet. Bob of old is called robert now; a new Bob has his user name
# and his address. The account is the old one's, whoever is looked at first.
OLD_BOB = {"user_name": "bob", "given_name": "Robert", "family_name": "Jones", "email": "bob@example.com"}
NEW_BOB = {"user_name": "bob", "given_name": "Bob", "family_name": "Smith", "email": "bob@example.com"}
ROBERT = {"user_name": "robert", "email": "robert@example.com"}


@pytest.mark.parametrize("first", ["the new one", "the old one"])
def test_a_new_person_with_the_name_and_address_of_another_never_gets_the_others_account(
    make_rig: MakeRig, awx_target: ReferenceTarget, first: str
) -> None:
    rig = make_rig(options={"awx": {"on_missing": "create"}})
    jones = {"username": "bob", "first_name": "Robert", "last_name": "Jones", "email": "bob@example.com"}
    awx_target.reset(users=[ADMIN, {"id": 2, **jones}])
    people = [rig.event("E-new", NEW_BOB), rig.event("E-old", OLD_BOB), rig.event("E-old", ROBERT)]
    rig.accept(*(people if first == "the new one" else [*people[1:], people[0]]))
    rig.work()
    old = {"username": "robert", "first_name": "Robert", "last_name": "Jones", "email": "robert@example.com"}
    robert = awx_target.rows()[1]
    assert {name: robert[name] for name in old} == old
    assert rig.account("E-old", "awx").remote_id == "2"
    assert awx_target.users()["bob"]["last_name"] == "Smith"
    assert rig.account("E-new", "awx").remote_id not in ("2", None)


def test_an_account_that_speaks_for_two_people_alike_is_given_to_neither(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    seed(awx_target, ["ann"])
    rig.accept(rig.event("E0", person(0, "ann")), rig.event("E1", person(0, "ann")))
    rig.work()
    found = {subject: rig.account(subject, "awx") for subject in ("E0", "E1")}
    assert [one.remote_id for one in found.values()] == [None, None]
    assert found["E0"].held[ACCOUNT].message == (
        "one account of AWX answers, but it may be that of E1, who is or was called so"
    )


def test_a_refusal_at_the_moment_when_the_holder_lets_go_loses_no_wake_up(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    """Two workers, one for each shard, and nobody else: the relay does not run."""
    rig = known(make_rig(database=database_url, engine={"shards": 2}), awx_target, ["a", "b"])
    rounds = 8
    with ThreadPoolExecutor(2) as workers:
        for n in range(rounds):
            taken, wanted = f"b{n - 1}" if n else "b", f"b{n}"
            rig.say("E0", {"user_name": taken})
            rig.say("E1", {"user_name": wanted})
            rig.fold()
            while rig.due():
                list(workers.map(rig.runtime.sync, range(2)))
            assert names_at(awx_target) == renamed(taken, wanted)
    assert refused(rig) <= rounds
