"""What the retention lets go, what it never does, and that pruning is safe beside everything else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.settings import Settings
from tests.worker.storage.world import arrival, at_once, make_due, people, register, rows
from worker.cli.broker import NoSignals
from worker.domain.dates import Dates
from worker.domain.decisions import Word
from worker.engine.errors import BusyError
from worker.engine.fold import Fold
from worker.engine.operator_ports import DecisionRow
from worker.engine.rows import Acceptance, Lease
from worker.retention import prunable
from worker.storage import tables
from worker.storage.clock import clock
from worker.storage.prune import LEASE, TURN, Pruned, Pruner, foreseen
from worker.storage.retention import PAGE
from worker.storage.retention_events import Events
from worker.storage.retention_runs import CHILDREN
from worker.storage.store import SqlStore

DAY_S = 86_400.0
EVERY_S = 86_400.0
event, run = tables.event, tables.run


@pytest.fixture
def pruner(store: SqlStore) -> Pruner:
    return Pruner(store, prunable(Settings()), threading.Event(), EVERY_S)


def now_of(engine: sa.Engine) -> float:
    with engine.connect() as connection:
        return clock(connection)


def pruned(pruner: Pruner) -> dict[str, int]:
    """What went, without the kinds of which nothing did."""
    done = pruner.prune("operator:mia", "disk")
    assert done is not None
    assert done.ended
    return {name: count for name, count in done.gone.items() if count}


def sent(store: SqlStore, name: str, order: str, ago_days: float = 40.0, **said: Any) -> None:
    """An event that was accepted so long ago, about E1."""
    one = arrival(name)
    with store.begin() as tx:
        at = tx.now - ago_days * DAY_S
        told = replace(one.event, order=order, assertions=said or {"title": name})
        tx.events.store([replace(one, event=told, accepted_at=at, fold_at=at)])


def fold(store: SqlStore, *targets: str) -> None:
    Fold(store, NoSignals(), frozenset(targets), 100, 2, Dates()).run()


def kept(engine: sa.Engine) -> list[str]:
    return [row.event_id for row in rows(engine, event)]


def test_old_events_go_but_for_those_that_an_attribute_came_from(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    sent(store, "first", "1")
    sent(store, "second", "2")
    sent(store, "names", "1.5", given_name="Mia")
    sent(store, "late", "0")
    sent(store, "young", "3", ago_days=29, title="second")
    sent(store, "last", "4", ago_days=1, phone_number="1")
    fold(store)
    assert pruned(pruner) == {"events": 3}
    assert kept(engine) == ["names", "young", "last"]


def test_an_event_that_waits_to_be_folded_stays_however_old(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    sent(store, "waits", "1")
    sent(store, "last", "2", ago_days=1)
    assert pruned(pruner) == {}
    assert kept(engine) == ["waits", "last"]


def test_an_event_stays_while_an_account_has_not_ended_it(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    register(store, awx=2)
    sent(store, "first", "1")
    sent(store, "second", "2")
    sent(store, "last", "3", ago_days=1, email="a@example.com")
    fold(store, "awx")
    assert pruned(pruner) == {}
    with engine.begin() as connection:
        connection.execute(sa.update(tables.account).values(pending_since=None, due_at=None))
    assert pruned(pruner) == {"events": 1}
    assert kept(engine) == ["second", "last"]


def test_an_event_behind_an_attribute_of_who_the_person_was_merged_into_stays(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    sent(store, "moved", "1")
    sent(store, "last", "1", ago_days=1, phone_number="1")
    fold(store)
    (other,) = people(store, "E2")
    with engine.begin() as connection:
        told = connection.execute(sa.select(tables.identity).where(tables.identity.c.subject == "E1")).one()
        into = sa.update(tables.identity).where(tables.identity.c.id == other)
        connection.execute(into.values(attributes=told.attributes))
        gone = sa.update(tables.identity).where(tables.identity.c.id == told.id)
        connection.execute(gone.values(attributes={}, merged_into=other))
    assert pruned(pruner) == {}
    assert kept(engine) == ["moved", "last"]


def test_the_newest_event_stays_so_that_no_row_number_comes_again(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    sent(store, "said", "2")
    sent(store, "late", "1")
    fold(store)
    before = rows(engine, event)[-1].id
    assert pruned(pruner) == {}
    sent(store, "new", "3", ago_days=0)
    assert rows(engine, event)[-1].id > before


def test_beyond_the_window_a_repeat_is_taken_again_and_changes_nothing(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    sent(store, "first", "1", title="Engineer")
    sent(store, "second", "2", title="Manager")
    sent(store, "last", "3", ago_days=1, phone_number="1")
    fold(store)
    before = [(row.revision, row.attributes) for row in rows(engine, tables.identity)]
    assert pruned(pruner) == {"events": 1}
    sent(store, "first", "1", ago_days=0, title="Engineer")
    fold(store)
    assert rows(engine, event)[-1].effect == "superseded"
    assert [(row.revision, row.attributes) for row in rows(engine, tables.identity)] == before


def test_an_event_that_lost_a_tie_stays_because_its_repeat_would_win_it(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    sent(store, "first", "1", title="Engineer")
    sent(store, "second", "1", title="Manager")
    sent(store, "last", "2", ago_days=1, phone_number="1")
    fold(store)
    assert pruned(pruner) == {}
    sent(store, "first", "1", ago_days=0, title="Engineer")
    assert kept(engine) == ["first", "second", "last"]


def test_within_the_window_a_repeat_is_still_known(store: SqlStore, pruner: Pruner) -> None:
    sent(store, "first", "1", ago_days=29)
    sent(store, "second", "2", ago_days=1)
    fold(store)
    pruned(pruner)
    with store.begin() as tx:
        again = replace(arrival("first").event, order="1", assertions={"title": "first"})
        assert tx.events.store([replace(arrival("first"), event=again)]) == [Acceptance.DUPLICATE]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), min_size=1)),
        min_size=1,
        max_size=10,
    )
)
def test_sending_again_whatever_was_pruned_never_moves_a_person(
    sqlite_engine: sa.Engine, said: list[tuple[int, dict[str, int]]]
) -> None:
    store = SqlStore(sqlite_engine, 2)
    with sqlite_engine.begin() as connection:
        for table in (tables.identity_name, tables.event, tables.identity):
            connection.execute(sa.delete(table))
    for n, (order, values) in enumerate(said):
        sent(store, f"e{n}", str(order), **{f"custom.{key}": value for key, value in values.items()})
    fold(store)
    before = [(row.revision, row.attributes) for row in rows(sqlite_engine, tables.identity)]
    Pruner(store, [Events(30 * DAY_S)], threading.Event(), EVERY_S).prune("x", "y")
    left = set(kept(sqlite_engine))
    for n, (order, values) in enumerate(said):
        if f"e{n}" not in left:
            sent(store, f"e{n}", str(order), 0, **{f"custom.{key}": value for key, value in values.items()})
    fold(store)
    assert [(row.revision, row.attributes) for row in rows(sqlite_engine, tables.identity)] == before


def test_a_repeat_of_an_event_that_is_pruned_at_that_moment_is_taken_as_new(
    postgres_engine: sa.Engine,
) -> None:
    """It was there when it came again, and is not when the two are compared: the database is asked anew."""
    store = SqlStore(postgres_engine, 2)
    sent(store, "first", "1")
    other = sa.create_engine(postgres_engine.url)

    @sa.event.listens_for(postgres_engine, "after_cursor_execute")
    def _prune(*executed: Any) -> None:
        if executed[2].startswith("INSERT INTO event"):
            with other.begin() as beside:
                beside.execute(sa.delete(event))

    with pytest.raises(BusyError), store.begin() as tx:
        tx.events.store([arrival("first")])
    sa.event.remove(postgres_engine, "after_cursor_execute", _prune)
    other.dispose()
    with store.begin() as tx:
        assert tx.events.store([arrival("first")]) == [Acceptance.NEW]


def insert(engine: sa.Engine, table: sa.Table, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(values))


def test_refused_bodies_keys_revocations_and_cleared_alarms_go_when_their_time_is_over(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    awx, now = register(store, awx=1)["awx"], now_of(engine)
    for days in (6, 8):
        at = now - days * DAY_S
        insert(engine, tables.refused_body, source="hr", pointer="/id", reason="x", body=b"x", at=at)
    for hours in (23, 25):
        at = now - hours * 3600
        insert(engine, tables.idempotency, principal="mia", key=str(hours), request_hash="", at=at)
        insert(engine, tables.revocation, target_id=awx, account_id=1, at=at)
    for raised, cleared in ((200, None), (200, 91), (200, 89)):
        ended = None if cleared is None else now - cleared * DAY_S
        insert(engine, tables.alarm, kind="x", message="x", raised_at=now - raised * DAY_S, cleared_at=ended)
    assert pruned(pruner) == {"refused bodies": 1, "idempotency keys": 1, "revocations": 1, "alarms": 1}
    assert [row.key for row in rows(engine, tables.idempotency)] == ["23"]
    assert [row.cleared_at is None for row in rows(engine, tables.alarm)] == [True, False]


def ended_run(engine: sa.Engine, ago_days: float | None, **values: object) -> int:
    now = now_of(engine)
    row = {
        "kind": "reconcile", "state": "done", "selection": {}, "cursor": 0, "total": 0, "done": 0,
        "requested_by": "mia", "created_at": now,
        "finished_at": None if ago_days is None else now - ago_days * DAY_S,
    }  # fmt: skip
    with engine.begin() as connection:
        return int(connection.execute(sa.insert(run).values(row | values).returning(run.c.id)).scalar_one())


def drifted(engine: sa.Engine, run_id: int, count: int) -> None:
    row = {"run_id": run_id, "field": "email", "cause": "outside", "mends": False, "asked_at": 0.0}
    with engine.begin() as connection:
        values = [{**row, "remote_id": str(n)} for n in range(count)]
        connection.execute(sa.insert(tables.drift), values)


def test_a_run_goes_with_all_that_it_found_page_by_page(engine: sa.Engine, pruner: Pruner) -> None:
    old, open_, young = (ended_run(engine, days) for days in (91, None, 89))
    drifted(engine, old, 2 * PAGE + 1)
    drifted(engine, young, 1)
    ended_run(engine, 1)
    assert pruned(pruner) == {"drift": 2 * PAGE + 1, "runs": 1}
    assert [row.id for row in rows(engine, run)][:2] == [open_, young]
    assert len(rows(engine, tables.drift)) == 1


def test_the_newest_run_of_a_schedule_stays_so_that_its_slot_is_known(
    engine: sa.Engine, pruner: Pruner
) -> None:
    """A yearly schedule would else begin its last slot again."""
    slots = ["awx@2024-01-01T00:00Z", "awx@2025-01-01T00:00Z", "awx_two@2024-01-01T00:00Z"]
    for slot in slots:
        ended_run(engine, 91, scheduled=slot)
    ended_run(engine, 1)
    assert pruned(pruner) == {"runs": 1}
    assert [row.scheduled for row in rows(engine, run)] == [*slots[1:], None]


def test_the_newest_file_of_a_source_stays_to_compare_the_next_one_with(
    engine: sa.Engine, pruner: Pruner
) -> None:
    for complete in (True, False, True):
        imported = ended_run(engine, 91, kind="import")
        insert(
            engine, tables.snapshot, run_id=imported, source="hr", digest=str(imported), as_of=0.0,
            people=1, complete=complete, at=0.0,
        )  # fmt: skip
    ended_run(engine, 1)
    assert pruned(pruner) == {"runs": 1}
    assert [row.complete for row in rows(engine, tables.snapshot)] == [False, True]


def test_everything_that_hangs_on_a_run_goes_before_it() -> None:
    """A table with a reference to runs that nobody prunes would keep them for ever."""
    referring = {
        table.name
        for table in tables.metadata.tables.values()
        if any(key.column.table is run for key in table.foreign_keys)
    }
    assert referring == {key[0].table.name for key in CHILDREN.values()} | {tables.snapshot.name}


def test_decisions_go_when_they_are_heeded_and_a_later_verdict_stands(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    awx = register(store, awx=1)["awx"]
    (person,) = people(store, "E1")
    make_due(store, [person], [awx])
    (account,) = (row.id for row in rows(engine, tables.account))
    old = now_of(engine) - 400 * DAY_S
    with store.begin() as tx:
        said = [
            ("email", Word.DISCARD),
            ("email", Word.RETRY),
            ("email", Word.REJECT),
            ("title", Word.DISCARD),
        ]
        ids = [
            tx.decisions.add(DecisionRow(account, field, word, "x", "operator:mia", "y", old))
            for field, word in said
        ]
    assert pruned(pruner) == {}
    with engine.begin() as connection:
        connection.execute(sa.update(tables.account).values(state={"heeded": ids[-1]}))
    assert pruned(pruner) == {"decisions": 2}
    assert [row.id for row in rows(engine, tables.decision)] == ids[2:]


def busy(store: SqlStore, count: int) -> None:
    """So many events of which all but the last may go."""
    for n in range(count):
        sent(store, f"e{n}", f"{n:05}")
    sent(store, "last", "99999", ago_days=1)
    fold(store)


def told(engine: sa.Engine) -> list[tuple[str, dict[str, Any]]]:
    found = [json.loads(row.text) for row in rows(engine, tables.audit)]
    return [(record["action"], record) for record in found if record["action"].startswith("database:prune")]


def test_the_audit_says_who_pruned_why_and_how_much(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    busy(store, 3)
    assert pruned(pruner) == {"events": 3}
    (begun, first), (done, second) = told(engine)
    assert (begun, done) == ("database:prune:begun", "database:prune:done")
    assert (first["actor"], second["why"], second["ended"]) == ("operator:mia", "disk", True)
    assert second["gone"]["events"] == 3
    pruned(pruner)
    assert len(told(engine)) == 2


def test_a_dry_run_counts_the_same_and_deletes_nothing(
    store: SqlStore, engine: sa.Engine, pruner: Pruner
) -> None:
    busy(store, 3)
    drifted(engine, ended_run(engine, 91), PAGE + 1)
    ended_run(engine, 1)
    before = foreseen(engine, prunable(Settings()))
    assert len(rows(engine, event)) == 4
    assert {name: count for name, count in before.items() if count} == pruned(pruner)


class StopsAt(threading.Event):
    """A worker that is asked to stop after so many pages."""

    def __init__(self, pages: int) -> None:
        super().__init__()
        self.left = pages

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the signature is threading's
        self.left -= 1
        return self.left < 0


def test_a_prune_that_is_stopped_tells_what_went_and_the_next_one_goes_on(
    store: SqlStore, engine: sa.Engine
) -> None:
    drifted(engine, ended_run(engine, 91), 3 * PAGE)
    ended_run(engine, 1)
    kinds = [kind for kind in prunable(Settings()) if kind.name in ("drift", "runs")]
    stopped = Pruner(store, kinds, StopsAt(2), EVERY_S).prune("x", "y")
    assert stopped == Pruned({"drift": 2 * PAGE, "runs": 0}, ended=False)
    assert told(engine)[-1][1]["ended"] is False
    again = Pruner(store, kinds, threading.Event(), EVERY_S).prune("x", "y")
    assert again == Pruned({"drift": PAGE, "runs": 1}, ended=True)


def test_of_two_prunes_at_once_one_does_it(engine: sa.Engine, pruner: Pruner) -> None:
    drifted(engine, ended_run(engine, 91), 3 * PAGE)
    ended_run(engine, 1)
    both: list[Callable[[], Pruned | None]] = [lambda: pruner.prune("x", "y")] * 2
    done = [one for one in at_once(*both) if one is not None]
    assert sum(one.gone["drift"] for one in done) == 3 * PAGE
    assert sum(one.gone["runs"] for one in done) == 1


def test_of_two_beats_one_prunes_in_an_interval(store: SqlStore, engine: sa.Engine, pruner: Pruner) -> None:
    busy(store, 2)
    pruner.run()
    pruner.run()
    assert [action for action, _ in told(engine)] == ["database:prune:begun", "database:prune:done"]
    with store.begin() as tx:
        assert not tx.leases.take(TURN, Lease("other", tx.now + EVERY_S / 2, tx.now + EVERY_S))
        assert tx.leases.take(TURN, Lease("other", tx.now + EVERY_S, tx.now + 2 * EVERY_S))
        assert tx.leases.take(LEASE, Lease("other", tx.now, tx.now + 1))


def test_a_scheduled_prune_that_was_stopped_goes_on_at_the_next_poke(
    store: SqlStore, engine: sa.Engine
) -> None:
    busy(store, 2)
    kinds = prunable(Settings())
    Pruner(store, kinds, StopsAt(0), EVERY_S).run()
    assert told(engine) == []
    Pruner(store, kinds, threading.Event(), EVERY_S).run()
    assert len(told(engine)) == 2


def test_who_lost_the_lease_stops(store: SqlStore, engine: sa.Engine) -> None:
    busy(store, 2)

    class Robbed(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the signature is threading's
            with store.begin() as tx:
                tx.leases.take(LEASE, Lease("other", tx.now + 1e6, tx.now + 2e6))
            return False

    done = Pruner(store, prunable(Settings()), Robbed(), EVERY_S).prune("x", "y")
    assert done is not None
    assert (done.ended, len(rows(engine, event))) == (False, 3)
