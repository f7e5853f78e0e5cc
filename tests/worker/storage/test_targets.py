"""Targets: registered, gated, paused; alarms and the counting of revocations."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from tests.worker.storage.world import NOW, at_once, lease, make_due, people, register, rows
from worker.engine.rows import TargetState
from worker.storage import tables
from worker.storage.store import SqlStore


def state(store: SqlStore, target: int) -> TargetState:
    with store.begin() as tx:
        return tx.targets.lock(target)


def test_registering_twice_changes_nothing(store: SqlStore, engine: sa.Engine) -> None:
    first = register(store, awx=2, django=1)
    places = rows(engine, tables.slot)
    assert register(store, awx=2, django=1) == first
    assert rows(engine, tables.slot) == places
    assert [(place.target_id, place.n) for place in places] == [
        (first["awx"], 0),
        (first["awx"], 1),
        (first["django"], 0),
    ]


def test_a_target_that_the_configuration_no_longer_names_keeps_its_row(store: SqlStore) -> None:
    first = register(store, awx=1)
    assert register(store, django=1)["awx"] == first["awx"]
    register(store)


def test_more_places_are_added_to_a_known_target(store: SqlStore, engine: sa.Engine) -> None:
    register(store, awx=1)
    register(store, awx=3)
    assert [place.n for place in rows(engine, tables.slot)] == [0, 1, 2]


def test_processes_that_start_at_once_register_a_target_once(store: SqlStore, engine: sa.Engine) -> None:
    both_start = threading.Barrier(2)

    def start() -> dict[str, int]:
        both_start.wait(60)
        return register(store, awx=2, django=2)

    one, other = at_once(start, start)
    assert one == other
    assert len(rows(engine, tables.slot)) == 4


def test_another_number_of_shards_moves_the_accounts(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, people(store, *(f"E{n}" for n in range(7))), [target])
    with store.begin() as tx:
        tx.targets.register({"awx": 1}, 3)
    found = rows(engine, tables.account)
    assert [row.shard for row in found] == [row.identity_id % 3 for row in found]


def test_a_new_target_is_active_and_its_gate_open(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    fresh = TargetState(
        target, "awx", paused=False, reason=None, paused_by=None, gate_until=0.0, probe_at=None
    )
    assert state(store, target) == fresh


def test_a_gate_never_opens_earlier_than_it_was_to(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    seen = []
    for until in (NOW, NOW - 5, NOW + 5):
        with store.begin() as tx:
            tx.targets.close_gate(target, until)
        seen.append(state(store, target).gate_until)
    assert seen == [NOW, NOW, NOW + 5]


def test_a_pause_says_why_by_whom_and_when_to_probe(store: SqlStore) -> None:
    targets = register(store, awx=1, django=1)
    with store.begin() as tx:
        tx.targets.pause(targets["awx"], "it is down", "hirewire", NOW)
        tx.targets.set_probe(targets["awx"], NOW + 30)
    paused = state(store, targets["awx"])
    assert (paused.paused, paused.reason, paused.paused_by) == (True, "it is down", "hirewire")
    assert paused.probe_at == NOW + 30
    assert not state(store, targets["django"]).paused


def test_a_resumed_target_is_as_before_the_pause(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    before = state(store, target)
    with store.begin() as tx:
        tx.targets.pause(target, "it is down", "hirewire", NOW)
        tx.targets.resume(target)
    assert state(store, target) == before


def test_shards_are_due_only_where_the_target_may_be_sent_to(store: SqlStore) -> None:
    targets = register(store, active=1, paused=1, gated=1)
    even, odd = sorted(people(store, "E1", "E2"), key=lambda row: row % 2)
    make_due(store, [even], [targets["active"]], now=NOW)
    make_due(store, [odd], [targets["paused"], targets["gated"]], now=NOW)
    with store.begin() as tx:
        tx.targets.pause(targets["paused"], "it is down", "hirewire", None)
        tx.targets.close_gate(targets["gated"], NOW + 5)
        everywhere = list(targets.values())
        assert tx.targets.due_shards(everywhere, NOW - 1) == set()
        assert tx.targets.due_shards(everywhere, NOW) == {0}
        assert tx.targets.due_shards(everywhere, NOW + 5) == {0, 1}
        assert tx.targets.due_shards([targets["gated"]], NOW + 5) == {1}
        assert tx.targets.due_shards([], NOW + 5) == set()


def test_a_shard_without_a_free_slot_gets_no_hint(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, people(store, "E1", "E2"), [target])
    with store.begin() as tx:
        tx.targets.take_slots(target, 1, 1, lease("somebody"))
        assert tx.targets.due_shards([target], NOW) == set()
        assert tx.targets.due_shards([target], NOW + 61) == {0, 1}
        tx.targets.free_slots("somebody")
        assert tx.targets.due_shards([target], NOW) == {0, 1}


def test_pauses_are_counted_in_a_row_and_for_each_kind_anew(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    with store.begin() as tx:
        kinds = ["forbidden", "forbidden", "missing", "forbidden"]
        assert [tx.targets.count_pause(target, kind) for kind in kinds] == [1, 2, 1, 1]
        tx.targets.forget_pauses(target)
    found = state(store, target)
    assert (found.pauses, found.pause_kind) == (0, None)


def alarms(engine: sa.Engine) -> list[tuple[str, int | None, str, float | None]]:
    return [(row.kind, row.target_id, row.message, row.cleared_at) for row in rows(engine, tables.alarm)]


def test_an_alarm_is_open_once_however_often_it_is_raised(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    for message in ("first", "second"):
        with store.begin() as tx:
            tx.targets.raise_alarm("brake", target, message, NOW)
            tx.targets.raise_alarm("brake", None, message, NOW)
    assert alarms(engine) == [("brake", target, "first", None), ("brake", None, "first", None)]


def test_two_workers_that_raise_an_alarm_at_once_open_one(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    both_see_it = threading.Barrier(2)

    def alert() -> None:
        for kind in range(8):
            both_see_it.wait(60)
            with store.begin() as tx:
                tx.targets.raise_alarm(f"kind{kind}", target, "it is down", NOW)

    at_once(alert, alert)
    assert [kind for kind, *_ in alarms(engine)] == [f"kind{kind}" for kind in range(8)]


def test_a_cleared_alarm_can_be_raised_anew(store: SqlStore, engine: sa.Engine) -> None:
    targets = register(store, awx=1, django=1)
    with store.begin() as tx:
        tx.targets.raise_alarm("down", targets["awx"], "first", NOW)
        tx.targets.raise_alarm("down", targets["django"], "other", NOW)
        tx.targets.clear_alarm("down", targets["awx"], NOW + 1)
        tx.targets.raise_alarm("down", targets["awx"], "again", NOW + 2)
    assert alarms(engine) == [
        ("down", targets["awx"], "first", NOW + 1),
        ("down", targets["django"], "other", None),
        ("down", targets["awx"], "again", None),
    ]


def test_only_old_alarms_of_the_kind_expire(store: SqlStore, engine: sa.Engine) -> None:
    targets = register(store, awx=1, django=1)
    with store.begin() as tx:
        tx.targets.raise_alarm("brake", targets["awx"], "old", NOW - 2)
        tx.targets.raise_alarm("brake", targets["django"], "new", NOW)
        tx.targets.raise_alarm("down", targets["awx"], "another kind", NOW - 2)
        tx.targets.expire_alarms("brake", NOW - 1, NOW + 1)
    assert alarms(engine) == [
        ("brake", targets["awx"], "old", NOW + 1),
        ("brake", targets["django"], "new", None),
        ("down", targets["awx"], "another kind", None),
    ]


def test_revocations_count_distinct_accounts_of_the_window(store: SqlStore) -> None:
    targets = register(store, awx=1, django=1)
    with store.begin() as tx:
        for account, at in ((1, NOW - 50), (2, NOW - 9), (2, NOW - 8), (3, NOW - 7), (4, NOW - 6)):
            tx.targets.add_revocation(targets["awx"], account, at)
        assert tx.targets.revocations(targets["awx"], NOW - 10, but=4) == 2
        assert tx.targets.revocations(targets["awx"], NOW - 99, but=0) == 4
        assert tx.targets.revocations(targets["django"], NOW - 99, but=0) == 0
