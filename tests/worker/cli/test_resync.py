"""`hirewire resync`: a run is written down, carried out by a worker, and waited for."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event
from worker.cli.broker import NoSignals
from worker.engine.judge import Judge, PlanBrake
from worker.engine.runs import Runs
from worker.storage.store import SqlStore
from worker.storage.tables import audit, run

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation


@pytest.fixture
def known(migrated: Installation) -> Installation:
    """E1001 is known; nothing runs."""
    migrated.accept(event("ev-1", kind="joined", user_name="anna"))
    migrated.fold()
    return migrated


def runs(installation: Installation) -> list[sa.Row[tuple[object, ...]]]:
    with installation.rows.connect() as connection:
        return list(connection.execute(sa.select(run.c.id, run.c.state, run.c.selection, run.c.requested_by)))


def test_a_run_outlives_the_command_that_asked_for_it(known: Installation) -> None:
    written = known.run("resync", "E1001", "--target", "awx_prod", "--why", "drift", "--no-wait", "--json")
    assert (written.code, written.document) == (0, {"run": 1, "state": "waiting"})
    process = known.start("resync", "--all", "--why", "a new mapping")
    until(lambda: "waits for a worker" in known.log("resync"), "told that nobody works")
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 130
    assert "run 2 goes on without us" in known.log("resync")
    found = runs(known)
    assert [row.state for row in found] == ["waiting", "waiting"]
    assert [row.selection for row in found] == [{"subjects": ["E1001"], "targets": ["awx_prod"]}, {}]
    assert all(str(row.requested_by).startswith("cli:") for row in found)
    with known.rows.connect() as connection:
        texts = connection.scalars(sa.select(audit.c.text).where(audit.c.stream == "operators")).all()
    assert ["drift" in texts[0], "a new mapping" in texts[1]] == [True, True]


def test_what_is_not_named_is_not_read(known: Installation) -> None:
    calls = (
        ["resync", "--why", "x"],
        ["resync", "--all", "E1001", "--why", "x"],
        ["resync", "E101", "--why", "x"],
        ["resync", "E1001", "--why", " "],
        ["resync", "--target", "awx", "--why", "x"],
    )
    answers = [known.run(*words) for words in calls]
    assert [answer.code for answer in answers] == [2] * len(calls)
    assert "say --all" in answers[0].errors
    assert "did you mean E1001" in answers[2].errors
    assert runs(known) == []


def test_a_run_that_only_paused_targets_keep_open_is_not_waited_for(known: Installation) -> None:
    store = SqlStore(known.rows, 2)
    with store.begin() as tx:
        tx.targets.pause(1, "it refused us", "hirewire", None)
    process = known.start("resync", "E1001", "--why", "drift")
    until(lambda: runs(known), "the run is written down")
    Runs(store, NoSignals(), 2, threading.Event(), Judge({}, PlanBrake(0.2, 20))).carry_out(1)
    assert process.wait(LIMIT_S) == 1
    assert "run 1: 0 of 1 accounts read" in known.log("resync")
    assert "wait for paused targets" in known.log("resync")


def test_a_run_that_is_held_is_not_waited_for(known: Installation) -> None:
    process = known.start("resync", "E1001", "--why", "drift")
    until(lambda: runs(known), "the run is written down")
    with known.rows.begin() as connection:
        connection.execute(sa.update(run).values(state="held"))
    assert process.wait(LIMIT_S) == 1
    assert "run 1 is held: it would change too much; see `hirewire runs show 1`" in known.log("resync")
