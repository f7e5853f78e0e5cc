"""Slots: never more than `max_in_flight` over all owners, taken over when an owner dies."""

from __future__ import annotations

import itertools
import threading

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.storage.world import NOW, at_once, lease, register
from worker.engine.rows import Lease, Slot
from worker.storage.store import SqlStore

_names = itertools.count()


def take(store: SqlStore, target: int, want: int, most: int, taken: Lease) -> list[Slot]:
    with store.begin() as tx:
        return tx.targets.take_slots(target, want, most, taken)


def give_back(store: SqlStore, target: int, owner: str, slots: list[Slot]) -> None:
    with store.begin() as tx:
        tx.targets.give_back(target, owner, slots)


def test_slots_are_handed_out_until_none_is_free(store: SqlStore) -> None:
    target = register(store, awx=3)["awx"]
    assert [slot.n for slot in take(store, target, 2, 3, lease("one"))] == [0, 1]
    assert [slot.n for slot in take(store, target, 2, 3, lease("two"))] == [2]
    assert take(store, target, 2, 3, lease("three")) == []


def test_a_lowered_limit_leaves_the_higher_places_unused(store: SqlStore) -> None:
    target = register(store, awx=3)["awx"]
    assert [slot.n for slot in take(store, target, 3, 1, lease("one"))] == [0]


def test_slots_of_one_target_are_not_those_of_another(store: SqlStore) -> None:
    targets = register(store, awx=1, django=1)
    take(store, targets["awx"], 1, 1, lease("one"))
    assert len(take(store, targets["django"], 1, 1, lease("two"))) == 1


def test_a_slot_given_back_is_free_and_remembers_the_rate(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    (slot,) = take(store, target, 1, 1, lease("one"))
    give_back(store, target, "one", [Slot(slot.n, NOW + 0.5)])
    assert take(store, target, 1, 1, lease("two")) == [Slot(0, NOW + 0.5)]


def test_an_expired_slot_is_taken_over_and_its_old_owner_cannot_give_it_back(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    first = take(store, target, 1, 1, lease("dead"))
    assert take(store, target, 1, 1, lease("next", now=NOW + 59)) == []
    assert len(take(store, target, 1, 1, lease("next", now=NOW + 61))) == 1
    give_back(store, target, "dead", first)
    assert take(store, target, 1, 1, lease("third", now=NOW + 62)) == []


def test_a_renewed_slot_is_not_taken_over(store: SqlStore) -> None:
    target = register(store, awx=2)["awx"]
    take(store, target, 1, 2, lease("one"))
    take(store, target, 1, 2, lease("two"))
    with store.begin() as tx:
        tx.targets.renew_slots("one", NOW + 120)
    assert [slot.n for slot in take(store, target, 2, 2, lease("next", now=NOW + 61))] == [1]


def test_giving_nothing_back_changes_nothing(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    take(store, target, 1, 1, lease("one"))
    give_back(store, target, "one", [])
    assert take(store, target, 1, 1, lease("two")) == []


def test_a_slot_that_another_sync_has_locked_is_left_out(postgres_store: SqlStore) -> None:
    target = register(postgres_store, awx=2)["awx"]
    with postgres_store.begin() as one, postgres_store.begin() as two:
        assert [slot.n for slot in one.targets.take_slots(target, 1, 2, lease("one"))] == [0]
        assert [slot.n for slot in two.targets.take_slots(target, 2, 2, lease("two"))] == [1]


def test_threads_never_have_more_slots_than_the_target_allows(store: SqlStore) -> None:
    target = register(store, awx=3)["awx"]
    counter = threading.Lock()
    held: set[int] = set()

    def work(owner: str) -> int:
        used = 0
        for _ in range(12):
            slots = take(store, target, 2, 3, lease(owner))
            with counter:
                assert not held & {slot.n for slot in slots}
                held.update(slot.n for slot in slots)
                assert len(held) <= 3
            used += len(slots)
            with counter:
                held.difference_update(slot.n for slot in slots)
            give_back(store, target, owner, slots)
        return used

    assert sum(at_once(*(lambda n=n: work(f"owner{n}") for n in range(4)))) > 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "give", "renew"]),
        st.integers(0, 2),  # the owner
        st.integers(1, 3),  # how many it wants
        st.sampled_from([0.0, 1.0, 10.0]),  # seconds that pass before
    ),
    max_size=12,
)


@given(steps=STEPS, most=st.integers(1, 3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_taking_dying_and_giving_back_exceeds_the_limit(
    engine: sa.Engine, steps: list[tuple[str, int, int, float]], most: int
) -> None:
    store = SqlStore(engine, 2)
    name = f"t{next(_names)}"
    target = register(store, **{name: most})[name]
    ends: dict[tuple[str, int], float] = {}  # who holds which place, until when
    now = NOW
    for action, who, want, passes in steps:
        now += passes
        owner = f"o{who}"
        ends = {place: end for place, end in ends.items() if end >= now}
        mine = [n for holder, n in ends if holder == owner]
        if action == "take":
            for slot in take(store, target, want, most, lease(owner, now, 5.0)):
                assert slot.n not in {n for _, n in ends}
                ends[owner, slot.n] = now + 5.0
        elif action == "give":
            give_back(store, target, owner, [Slot(n, 0.0) for n in mine])
            ends = {place: end for place, end in ends.items() if place[0] != owner}
        elif mine:
            with store.begin() as tx:
                tx.targets.renew_slots(owner, now + 5.0)
            ends |= {(owner, n): now + 5.0 for n in mine}
        assert len(ends) <= most
