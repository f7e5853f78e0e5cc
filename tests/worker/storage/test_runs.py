"""Runs: rows that outlive their worker, worked on by one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.worker.storage.world import NOW, rows
from worker.engine.rows import Run
from worker.storage import tables
from worker.storage.store import SqlStore


def create(store: SqlStore) -> Run:
    with store.begin() as tx:
        return tx.runs.create("resync", {"targets": ["awx"]}, "mia", NOW)


def test_a_new_run_waits_and_remembers_what_was_asked(store: SqlStore) -> None:
    run = create(store)
    assert replace(run, id=0) == Run(0, "resync", "waiting", {"targets": ["awx"]}, 0, 0, 0, "mia")
    with store.begin() as tx:
        assert tx.runs.lock(run.id) == run


def test_an_interrupted_run_goes_on_where_it_was(store: SqlStore) -> None:
    moved = replace(create(store), state="running", cursor=50, total=90, done=40)
    with store.begin() as tx:
        tx.runs.save(moved, NOW + 1)
    with store.begin() as tx:
        assert tx.runs.lock(moved.id) == moved
        assert tx.runs.unfinished() == [moved.id]


@pytest.mark.parametrize("end", ["done", "cancelled"])
def test_a_finished_run_is_not_worked_on_again(store: SqlStore, engine: sa.Engine, end: str) -> None:
    over, other = create(store), create(store)
    with store.begin() as tx:
        tx.runs.save(replace(over, state=end), NOW + 1)
        assert tx.runs.lock(over.id) is None
        assert tx.runs.unfinished() == [other.id]
    assert [row.finished_at for row in rows(engine, tables.run)] == [NOW + 1, None]


def test_a_run_that_does_not_exist_is_nothing_to_work_on(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.runs.lock(404) is None


def test_a_run_that_another_worker_has_is_left_to_it(postgres_store: SqlStore) -> None:
    run = create(postgres_store)
    with postgres_store.begin() as one, postgres_store.begin() as other:
        assert one.runs.lock(run.id) == run
        assert other.runs.lock(run.id) is None
