"""How far a run is, what is left of its selection, and who said what about it: on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.worker.storage.world import NOW, claim, lease, make_due, people, register, settle
from worker.domain.account import Hold, Reason
from worker.domain.dates import Dates
from worker.domain.identity import Asserted
from worker.engine.rows import Entry, Run, RunState
from worker.storage.freshness import target_states
from worker.storage.run_looks import Left, RunLook, left, run_look
from worker.storage.run_stories import RunFilter, newest
from worker.storage.run_tales import told_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from worker.storage.store import SqlStore


def marked(store: SqlStore, selection: dict[str, Any], **saved: Any) -> Run:
    """A run that has marked its selection."""
    with store.begin() as tx:
        fresh = tx.runs.create("resync", selection, "cli:x", NOW)
        rows = tx.accounts.require_read(selection, 0, 100, NOW, fresh.id)
        run = replace(fresh, **{"state": RunState.DONE, "total": len(rows), "done": len(rows), **saved})
        tx.runs.save(run, NOW)
    return run


def look(engine: sa.Engine, run: Run) -> RunLook:
    with engine.connect() as connection:
        seen = run_look(connection, run.id)
    assert seen is not None
    return seen


@pytest.mark.parametrize(
    ("selection", "unread"),
    [
        ({}, 4),
        ({"subjects": ["E1"]}, 2),
        ({"targets": ["awx"]}, 2),
        ({"subjects": ["E1"], "targets": ["awx"]}, 1),
        ({"accounts": []}, 0),
    ],
)
def test_a_run_s_progress_is_that_of_what_it_marked(
    engine: sa.Engine, store: SqlStore, selection: dict[str, Any], unread: int
) -> None:
    ids = register(store, awx=4, django=4)
    make_due(store, people(store, "E1", "E2"), list(ids.values()))
    run = marked(store, selection)
    with store.begin() as tx:
        tx.targets.pause(ids["django"], "gone", "hirewire", None)
    seen = look(engine, run)
    stuck = 0 if selection.get("targets") == ["awx"] else unread // 2
    assert (seen.total, seen.unread, seen.stuck, seen.done) == (unread, unread, stuck, 0)
    assert seen.is_over == (unread == 0)
    with engine.connect() as connection:
        states = target_states(connection)
    assert {name: state.state for name, state in states.items()} == {"awx": "active", "django": "paused"}


def test_what_was_settled_since_is_done_and_what_only_paused_targets_keep_ends_the_wait(
    engine: sa.Engine, store: SqlStore
) -> None:
    ids = register(store, awx=4, django=4)
    make_due(store, people(store, "E1"), list(ids.values()))
    run = marked(store, {})
    with store.begin() as tx:
        tx.targets.pause(ids["django"], "gone", "hirewire", None)
    assert not look(engine, run).ends
    (taken,) = claim(store, ids["awx"], lease())
    settle(store, taken)
    seen = look(engine, run)
    assert (seen.done, seen.unread, seen.is_stuck, seen.ends, seen.is_over) == (1, 1, True, True, False)


@pytest.mark.parametrize("state", [RunState.HELD, RunState.CANCELLED, RunState.FAILED])
def test_nobody_waits_for_a_run_that_will_not_move(
    engine: sa.Engine, store: SqlStore, state: RunState
) -> None:
    seen = look(engine, marked(store, {}, state=state, note={"counted": {"accounts": 7}}))
    assert (seen.ends, seen.is_over, seen.total, seen.judged) == (True, False, None, 7)


def test_there_is_nothing_to_tell_of_a_run_that_is_none(engine: sa.Engine, store: SqlStore) -> None:
    register(store, awx=1)
    with engine.connect() as connection:
        assert (run_look(connection, 7), told_of(connection, 7)) == (None, [])


def in_department(store: SqlStore, subject: str, department: str) -> None:
    with store.begin() as tx:
        row, person = tx.identities.lock([subject], NOW)[subject]
        held = Asserted(department, "2026", 1, 1, "hr")
        tx.identities.save({row: replace(person, attributes={"department": held})}, {})


def test_what_is_left_is_counted_for_those_that_were_chosen(engine: sa.Engine, store: SqlStore) -> None:
    target = register(store, awx=4)["awx"]
    make_due(store, people(store, "E1", "E2", "E3"), [target])
    for subject, department in (("E1", "IT"), ("E2", "IT"), ("E3", "HR")):
        in_department(store, subject, department)
    held = {"email": Hold(Reason.VALUE, "bad", "0", NOW)}
    for taken in claim(store, target, lease()):
        due_at = NOW + 9 if taken.identity.subject == "E2" else None
        settle(store, taken, due_at, held=held if taken.identity.subject != "E2" else {})
    with engine.connect() as connection:
        assert left(connection, {}, Dates()) == Left(held=2, later=1)
        assert left(connection, {"held": True}, Dates()) == Left(held=2, later=0)
        assert left(connection, {"where": "department == 'IT'"}, Dates()) == Left(held=1, later=1)


def test_runs_are_found_by_kind_state_and_number(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        runs = [tx.runs.create(kind, {}, "cli:x", NOW) for kind in ("resync", "mapping", "resync")]
        tx.runs.save(replace(runs[0], state=RunState.HELD), NOW)
    with engine.connect() as connection:
        found = [
            [one.id for one in newest(connection, 9, wanted)]
            for wanted in (
                RunFilter(),
                RunFilter(kind="resync"),
                RunFilter(state="held"),
                RunFilter(before=runs[2].id, kind="mapping"),
            )
        ]
    first, second, third = (run.id for run in runs)
    assert found == [[third, second, first], [third, first], [first], [second]]


def test_the_audit_tells_who_asked_for_a_run_and_who_ended_it(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        one, other = (tx.runs.create("resync", {}, "cli:x", tx.now) for _ in range(2))
        for run, word, why in ((one, "requested", "drift"), (other, "requested", "no"), (one, "done", None)):
            facts = {"run": run.id, **({"why": why} if why else {})}
            tx.audit(Entry("operators", f"run:resync:{word}", "cli:x", facts))
        tx.runs.save(replace(one, state=RunState.DONE), tx.now)
    with engine.connect() as connection:
        told = told_of(connection, one.id)
    assert [(tale.word, tale.actor, tale.why) for tale in told] == [
        ("requested", "cli:x", "drift"),
        ("done", "cli:x", None),
    ]
