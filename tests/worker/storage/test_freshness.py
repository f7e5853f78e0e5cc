"""How far behind each target is, by the rows: counts, ages, percentiles and alarms, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.storage.world import NOW, arrival, claim, lease, make_due, people, register, settle
from worker.domain.account import Doubt, Hold, Reason
from worker.engine.rows import Entry
from worker.storage import freshness
from worker.storage.clock import clock
from worker.storage.freshness import Freshness

if TYPE_CHECKING:
    from worker.storage.store import SqlStore


def test_a_target_s_counts_tell_each_account_once(engine: sa.Engine, store: SqlStore) -> None:
    ids = register(store, awx=2, django=2)
    rows = people(store, "E1", "E2", "E3", "E4", "E5")
    make_due(store, rows, [ids["awx"]], now=50.0)
    first, second, third, *_ = claim(store, ids["awx"], lease(), limit=2)  # E5's shard gives a third
    settle(store, first, held={"email": Hold(Reason.VALUE, "bad", "0", NOW)})
    settle(store, second, due_at=NOW + 30, doubt=Doubt("r", {"email": "x"}, NOW, 1))
    with engine.connect() as connection:
        awx, django = freshness.targets(connection, NOW)
        revisions = freshness.revisions(connection)
    assert third.account.id not in {first.account.id, second.account.id}
    leased = 5 - 2 - awx.due
    assert (awx.accounts, awx.held, awx.in_doubt, awx.later, awx.in_flight) == (5, 1, 1, 1, leased)
    assert (awx.oldest_due_at, awx.oldest_doubt_at, revisions, leased >= 1) == (
        50.0,
        NOW,
        {ids["awx"]: 2},
        True,
    )
    assert (django.name, django.accounts, django.oldest_due_at, django.in_doubt) == ("django", 0, None, 0)


def test_a_doubt_s_word_in_a_remote_value_is_no_doubt(engine: sa.Engine, store: SqlStore) -> None:
    target = register(store, awx=2)["awx"]
    make_due(store, people(store, "E1"), [target])
    (taken,) = claim(store, target, lease())
    settle(store, taken, due_at=NOW + 30, observed={"note": '"doubt":["r"]'})
    with engine.connect() as connection:
        (seen,) = freshness.targets(connection, NOW)
    assert (seen.later, seen.in_doubt) == (1, 0)


def test_freshness_is_of_the_last_hour_and_of_each_stream(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        for value in range(1, 101):
            tx.audit(Entry("target:awx", "account:patch:applied", "x", latency_s=float(value)))
        tx.audit(Entry("target:django", "account:patch:confirmed", "x", latency_s=7.0))
        tx.audit(Entry("target:django", "account:patch:applied", "x"))
        now = tx.now
    with engine.connect() as connection:
        found = freshness.freshness(connection, ["awx", "django", "other"], now)
        later = freshness.freshness(connection, ["awx"], now + freshness.WINDOW_S + 60)
    assert found == {
        "awx": Freshness(100, 50.0, 95.0, 99.0),
        "django": Freshness(1, 7.0, 7.0, 7.0),
    }
    assert later == {}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_a_percentile_is_one_of_the_values_and_they_are_in_order(values: list[float]) -> None:
    fresh = freshness._freshness(sorted(values))
    assert {fresh.p50_s, fresh.p95_s, fresh.p99_s} <= set(values)
    assert fresh.p50_s <= fresh.p95_s <= fresh.p99_s <= max(values)
    assert sum(value <= fresh.p50_s for value in values) * 2 >= len(values)


def test_events_whose_time_has_not_come_do_not_wait(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("a"), arrival("b", fold_at=NOW + 500)])
        tx.runs.create("resync", {}, "cli:x", NOW)
    with engine.connect() as connection:
        whole = freshness.totals(connection, NOW)
    assert (whole.waiting, whole.scheduled, whole.open_runs, whole.alarms) == (1, 1, 1, ())


def test_only_open_alarms_are_told(engine: sa.Engine, store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    with store.begin() as tx:
        tx.targets.raise_alarm("brake", target, "too many", NOW)
        tx.targets.raise_alarm("target_paused", target, "gone", NOW)
        tx.targets.clear_alarm("brake", target, NOW)
    with engine.connect() as connection:
        (alarm,) = freshness.totals(connection, NOW).alarms
    assert (alarm.kind, alarm.target, alarm.message) == ("target_paused", "awx", "gone")


def test_the_clock_is_near_this_machine_s(engine: sa.Engine, store: SqlStore) -> None:
    with engine.connect() as connection, store.begin() as tx:
        assert abs(clock(connection) - tx.now) < 60


def test_a_target_is_gated_until_its_moment_and_paused_before_all(engine: sa.Engine, store: SqlStore) -> None:
    ids = register(store, awx=1, django=1)
    with store.begin() as tx:
        tx.targets.close_gate(ids["awx"], NOW + 30)
        tx.targets.close_gate(ids["django"], NOW + 30)
        tx.targets.pause(ids["django"], "gone", "hirewire", None)
    with engine.connect() as connection:
        now = [(seen.state, seen.gate_until) for seen in freshness.targets(connection, NOW)]
        later = [seen.state for seen in freshness.targets(connection, NOW + 31)]
    assert now == [("gated", NOW + 30), ("paused", None)]
    assert later == ["active", "paused"]


def test_a_chatty_target_does_not_hide_a_quiet_one(
    engine: sa.Engine, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "_NEWEST", 5)
    with store.begin() as tx:
        tx.audit(Entry("target:quiet", "account:patch:applied", "x", latency_s=3.0))
        for _ in range(20):
            tx.audit(Entry("target:chatty", "account:patch:applied", "x", latency_s=1.0))
        now = tx.now
    with engine.connect() as connection:
        found = freshness.freshness(connection, ["chatty", "quiet"], now)
    assert (found["chatty"].count, found["quiet"]) == (5, Freshness(1, 3.0, 3.0, 3.0))


def test_an_alarm_begins_with_late_work_and_ends_with_it(store: SqlStore) -> None:
    ids = register(store, awx=1, django=1, paused=1, gated=1)
    make_due(store, people(store, "E1"), list(ids.values()), now=NOW)
    with store.begin() as tx:
        tx.targets.pause(ids["paused"], "gone", "hirewire", None)
        tx.targets.close_gate(ids["gated"], NOW + 500)
        assert tx.targets.overdue(sorted(ids.values()), NOW - 1, NOW + 20) == set()
        assert tx.targets.overdue(sorted(ids.values()), NOW, NOW + 20) == {ids["awx"], ids["django"]}
        assert tx.targets.overdue([ids["awx"]], NOW, NOW + 20) == {ids["awx"]}
        tx.targets.raise_alarm("stale", ids["awx"], "late", NOW)
        tx.targets.raise_alarm("brake", ids["django"], "many", NOW)
        assert tx.targets.open_alarms("stale") == {ids["awx"]}
        tx.targets.clear_alarm("stale", ids["awx"], NOW)
        assert tx.targets.open_alarms("stale") == set()


ACCOUNTS = 20_000
CROWD = """
INSERT INTO target (id, name, state) VALUES (1, 'awx', 'active'), (2, 'django', 'active');
INSERT INTO identity (id, subject, revision, attributes, snapshots, created_at)
SELECT n, 'E' || n, 1, '{}', '{}', 0 FROM generate_series(1, 20000) n;
INSERT INTO account (identity_id, target_id, shard, remote_id, applied_revision, priority, state)
SELECT n, 1 + n %% 2, n %% 2, n::text, 1, 5, repeat('x', 300) FROM generate_series(1, 20000) n;
UPDATE account SET due_at = 50, lease_token = 'x', doubt_at = 50, held = '{}' WHERE id %% 2000 = 0;
INSERT INTO audit (stream, seq, at, action, latency_s, text, prev_hash, hash)
SELECT 'target:awx', n, n, 'account:patch:applied', CASE WHEN n %% 2 = 0 THEN 1.0 END,
    repeat('x', 300), '', ''
FROM generate_series(1, 20000) n
"""


@pytest.fixture
def crowded(postgres_engine: sa.Engine) -> sa.Engine:
    """Many settled accounts, few of them with anything open, and an audit as long."""
    with postgres_engine.begin() as connection:
        for statement in CROWD.split(";"):
            connection.exec_driver_sql(statement)
    with postgres_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return postgres_engine


def plans(engine: sa.Engine, ask: str) -> list[str]:
    """How PostgreSQL carries out each statement that a question consists of."""
    found: list[str] = []

    def explain(
        connection: sa.Connection, _cursor: object, statement: str, values: object, *_: object
    ) -> None:
        if statement.startswith("SELECT"):
            with connection.connection.dbapi_connection.cursor() as own:  # type: ignore[union-attr]
                own.execute("EXPLAIN " + statement, values)
                found.append("\n".join(row[0] for row in own.fetchall()))

    sa.event.listen(engine, "before_cursor_execute", explain)
    with engine.connect() as connection:
        questions = {
            "targets": lambda: freshness.targets(connection, NOW),
            "freshness": lambda: freshness.freshness(connection, ["awx"], ACCOUNTS, 3600.0),
        }
        questions[ask]()
    sa.event.remove(engine, "before_cursor_execute", explain)
    return found


@pytest.mark.parametrize(
    ("ask", "indexes"),
    [
        ("targets", {"ix_account_due", "ix_account_lease_token", "ix_account_doubt", "ix_account_held"}),
        ("freshness", {"ix_audit_latency"}),
    ],
)
def test_what_is_shown_every_second_is_read_from_indexes(
    crowded: sa.Engine, ask: str, indexes: set[str]
) -> None:
    told = plans(crowded, ask)
    assert [plan for plan in told if "Seq Scan on account" in plan or "Seq Scan on audit" in plan] == []
    assert [name for name in sorted(indexes) if not any(name in plan for plan in told)] == []
