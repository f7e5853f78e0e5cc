"""What people are shown is what the rows say, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.storage.world import NOW, arrival, claim, lease, make_due, people, register
from worker.domain.account import Account, Doubt, Hold, Reason
from worker.engine.ports import Entry, Progress, Settled
from worker.storage import queries
from worker.storage.queries import AuditFilter, Freshness, Selection

if TYPE_CHECKING:
    from worker.engine.ports import Claim
    from worker.storage.store import SqlStore


def settle(store: SqlStore, taken: Claim, due_at: float | None = None, **state: object) -> None:
    """Give the account back with this state."""
    account: Account = replace(taken.account, applied_revision=1, **state)  # type: ignore[arg-type]
    with store.begin() as tx:
        tx.accounts.save([Progress(account, Settled(NOW, due_at, None, 5))], "ours")


def test_a_target_s_counts_tell_each_account_once(engine: sa.Engine, store: SqlStore) -> None:
    ids = register(store, awx=2, django=2)
    rows = people(store, "E1", "E2", "E3", "E4", "E5")
    make_due(store, rows, [ids["awx"]], now=50.0)
    first, second, third, *_ = claim(store, ids["awx"], lease(), limit=2)  # E5's shard gives a third
    settle(store, first, held={"email": Hold(Reason.VALUE, "bad", "0", NOW)})
    settle(store, second, due_at=NOW + 30, doubt=Doubt("r", {"email": "x"}, NOW, 1))
    with engine.connect() as connection:
        awx, django = queries.targets(connection, NOW)
    assert third.account.id not in {first.account.id, second.account.id}
    leased = 5 - 2 - awx.due
    assert (awx.accounts, awx.held, awx.in_doubt, awx.later, awx.in_flight) == (5, 1, 1, 1, leased)
    assert (awx.oldest_due_at, awx.revisions, leased >= 1) == (50.0, 2, True)
    assert (django.name, django.accounts, django.oldest_due_at, django.revisions) == ("django", 0, None, 0)


def test_a_doubt_s_word_in_a_remote_value_is_no_doubt(engine: sa.Engine, store: SqlStore) -> None:
    target = register(store, awx=2)["awx"]
    make_due(store, people(store, "E1"), [target])
    (taken,) = claim(store, target, lease())
    settle(store, taken, due_at=NOW + 30, observed={"note": '"doubt":["r"]'})
    with engine.connect() as connection:
        (seen,) = queries.targets(connection, NOW)
    assert (seen.later, seen.in_doubt) == (1, 0)


def test_freshness_is_of_the_last_hour_and_of_each_stream(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        for value in range(1, 101):
            tx.audit(Entry("target:awx", "account:patch:applied", "x", latency_s=float(value)))
        tx.audit(Entry("target:django", "account:patch:confirmed", "x", latency_s=7.0))
        tx.audit(Entry("target:django", "account:patch:applied", "x"))
        tx.audit(Entry("target:django", "account:patch:rejected", "x", latency_s=900.0))
        now = tx.now
    with engine.connect() as connection:
        found = queries.freshness(connection, now)
        later = queries.freshness(connection, now + queries.FRESHNESS_WINDOW_S + 60)
    assert found == {
        "target:awx": Freshness(100, 50.0, 95.0, 99.0),
        "target:django": Freshness(1, 7.0, 7.0, 7.0),
    }
    assert later == {}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_a_percentile_is_one_of_the_values_and_they_are_in_order(values: list[float]) -> None:
    fresh = queries._freshness(sorted(values))
    assert {fresh.p50_s, fresh.p95_s, fresh.p99_s} <= set(values)
    assert fresh.p50_s <= fresh.p95_s <= fresh.p99_s <= max(values)
    assert sum(value <= fresh.p50_s for value in values) * 2 >= len(values)


def test_events_whose_time_has_not_come_do_not_wait(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("a"), arrival("b", fold_at=NOW + 500)])
        tx.runs.create("resync", {}, "cli:x", NOW)
    with engine.connect() as connection:
        whole = queries.totals(connection, NOW)
    assert (whole.waiting, whole.scheduled, whole.open_runs, whole.alarms) == (1, 1, 1, ())


def test_only_open_alarms_are_told(engine: sa.Engine, store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    with store.begin() as tx:
        tx.targets.raise_alarm("brake", target, "too many", NOW)
        tx.targets.raise_alarm("target_paused", target, "gone", NOW)
        tx.targets.clear_alarm("brake", target, NOW)
    with engine.connect() as connection:
        (alarm,) = queries.totals(connection, NOW).alarms
    assert (alarm.kind, alarm.target, alarm.message) == ("target_paused", "awx", "gone")


def test_held_fields_are_listed_by_target_and_subject(engine: sa.Engine, store: SqlStore) -> None:
    ids = register(store, awx=4, django=4)
    make_due(store, people(store, "E2", "E1"), [ids["awx"], ids["django"]])
    for name in ("django", "awx"):
        for taken in claim(store, ids[name], lease()):
            holds = {
                "title": Hold(Reason.REJECTED, "no", "0", NOW),
                "email": Hold(Reason.VALUE, "b", "0", 5.0),
            }
            settle(store, taken, held=holds)
    with engine.connect() as connection:
        everything = queries.held(connection, None, 100)
        one = queries.held(connection, "django", 1)
    assert [(item.target, item.subject, item.field) for item in everything] == [
        (target, subject, field)
        for target in ("awx", "django")
        for subject in ("E1", "E2")
        for field in ("email", "title")
    ]
    assert [(item.target, item.subject, item.reason, item.since) for item in one] == [
        ("django", "E1", "value", 5.0),
        ("django", "E1", "rejected", NOW),
    ]


def test_the_audit_is_filtered_and_the_newest_is_last(engine: sa.Engine, store: SqlStore) -> None:
    (person,) = people(store, "E1")
    with store.begin() as tx:
        tx.audit(Entry("intake", "event:accept:accepted", "x", {"subject": "E9"}))
    with store.begin() as tx:
        tx.audit(Entry("target:awx", "account:patch:intended", "x", {"n": 1}, identity_id=person))
        tx.audit(Entry("target:awx", "account_patch", "x", {"n": 2}))

    def seqs(**wanted: object) -> list[tuple[str, int]]:
        with engine.connect() as connection:
            found = queries.audit_records(connection, AuditFilter(**{"limit": 10, **wanted}))  # type: ignore[arg-type]
        return [(record.stream, record.seq) for record in found]

    assert seqs() == [("intake", 1), ("target:awx", 1), ("target:awx", 2)]
    assert seqs(limit=1) == [("target:awx", 2)]
    assert seqs(stream="target:awx") == [("target:awx", 1), ("target:awx", 2)]
    assert seqs(subject="E1") == [("target:awx", 1)]
    assert seqs(action="account:patch") == [("target:awx", 1)]
    assert seqs(action="account_") == [("target:awx", 2)]
    assert seqs(since=NOW) == seqs()
    assert seqs(since=9e9) == []


def test_a_story_has_events_requests_and_what_was_turned_away(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("ev-1")])
    with store.begin() as tx:
        for subject in ("E1", "E10"):
            facts = {"subject": subject, "event": "ev-1", "reason": "another body"}
            tx.audit(Entry("intake", "event:accept:refused", "x", facts))
    with engine.connect() as connection:
        waiting = queries.story(connection, "E1")
        nobody = queries.story(connection, "E%")
    assert nobody is None
    assert waiting is not None
    assert [(event.id, event.effect, event.asserts) for event in waiting.events] == [
        ("ev-1", None, ("title",))
    ]
    assert [record.subject for record in waiting.records] == ["E1"]


def test_a_subject_that_nobody_spoke_of_is_found_and_its_neighbours_named(
    engine: sa.Engine, store: SqlStore
) -> None:
    people(store, "E1001", "E1002", "E%", "X1")
    with engine.connect() as connection:
        assert queries.unknown_subjects(connection, ["E1001", "E9", "e1001"]) == ["E9", "e1001"]
        assert queries.like_subject(connection, "e1003") == ["E1001", "E1002"]
        assert queries.like_subject(connection, "%") == []


@pytest.mark.parametrize(
    ("selection", "unread"),
    [
        (Selection(), 4),
        (Selection(subjects=["E1"]), 2),
        (Selection(targets=["awx"]), 2),
        (Selection(["E1"], ["awx"]), 1),
    ],
)
def test_a_run_s_progress_is_that_of_its_selection(
    engine: sa.Engine, store: SqlStore, selection: Selection, unread: int
) -> None:
    ids = register(store, awx=4, django=4)
    make_due(store, people(store, "E1", "E2"), list(ids.values()))
    with store.begin() as tx:
        run = tx.runs.create("resync", {}, "cli:x", NOW)
        tx.accounts.require_read({}, 0, 100, NOW)
        tx.targets.pause(ids["django"], "gone", "hirewire", None)
    with engine.connect() as connection:
        seen = queries.run_look(connection, run.id, selection)
        states = queries.target_states(connection)
    stuck = 0 if selection.targets == ["awx"] else unread // 2
    assert (seen.state, seen.unread, seen.stuck, seen.later) == ("waiting", unread, stuck, unread)
    assert {name: state.state for name, state in states.items()} == {"awx": "active", "django": "paused"}


def test_the_clock_is_near_this_machine_s(engine: sa.Engine, store: SqlStore) -> None:
    with engine.connect() as connection, store.begin() as tx:
        assert abs(queries.clock(connection) - tx.now) < 60
