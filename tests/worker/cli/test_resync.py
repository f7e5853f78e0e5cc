"""`hirewire resync`: a run is written down, carried out by a worker, and waited for."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event
from worker.cli.broker import NoSignals
from worker.domain.operator import Principal, Role
from worker.engine.judge import Judge, PlanBrake
from worker.engine.marking import Marking
from worker.engine.run_desk import RunDesk
from worker.storage.store import SqlStore
from worker.storage.tables import account, audit, identity, run

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

MANY = 40_000
SAID = {"user_name": ["anna", "2026", 1, 1, "hr", []]}


@pytest.fixture
def known(migrated: Installation) -> Installation:
    """E1001 is known; nothing runs."""
    migrated.accept(event("ev-1", kind="joined", user_name="anna"))
    migrated.fold()
    return migrated


def runs(installation: Installation) -> list[sa.Row[tuple[object, ...]]]:
    with installation.rows.connect() as connection:
        return list(connection.execute(sa.select(run.c.id, run.c.state, run.c.selection, run.c.requested_by)))


@pytest.mark.slow
@pytest.mark.stack
def test_a_run_outlives_the_command_that_asked_for_it(known: Installation) -> None:
    written = known.run("resync", "E1001", "--target", "awx_prod", "--why", "drift", "--no-wait", "--json")
    assert (written.code, written.document) == (0, {"run": 1, "state": "waiting"})
    process = known.start_for_ctrl_c("resync", "--all", "--why", "a new mapping")
    until(lambda: "waits for a worker" in known.log("resync"), "told that nobody works")
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 130
    assert "run 2 goes on without us" in known.log("resync")
    found = runs(known)
    assert [row.state for row in found] == ["waiting", "waiting"]
    assert [row.selection for row in found] == [{"subjects": ["E1001"], "targets": ["awx_prod"]}, {}]
    assert "run 2 goes on without us; `hirewire runs show 2 --follow` looks on" in known.log("resync")
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
        ["resync", "--where", "department ==", "--why", "x"],
        ["resync", "--where", "departmnt == 'IT'", "--why", "x"],
        ["resync", "--held"],
    )
    answers = [known.run(*words) for words in calls]
    assert [answer.code for answer in answers] == [2] * len(calls)
    assert "say --all" in answers[0].errors
    assert "did you mean E1001" in answers[2].errors
    assert "--where is not a JMESPath expression" in answers[5].errors
    assert "--where names no attribute of a person" in answers[6].errors
    assert "--why needs a reason" in answers[7].errors
    assert runs(known) == []


def test_a_run_that_only_paused_targets_keep_open_is_not_waited_for(known: Installation) -> None:
    store = SqlStore(known.rows, 2)
    with store.begin() as tx:
        tx.targets.pause(1, "it refused us", "hirewire", None)
    process = known.start("resync", "E1001", "--why", "drift")
    until(lambda: runs(known), "the run is written down")
    marking = Marking(store, NoSignals(), 2, Judge({}, PlanBrake(0.2, 20)))
    while marking.step(1):
        pass
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


def cancelled(installation: Installation, run: int) -> None:
    """As `hirewire runs cancel` does it."""
    desk = RunDesk(SqlStore(installation.rows, 2), NoSignals())
    desk.cancel(run, Principal("olga", Role.OPERATOR), "asked for by mistake")


def test_who_waits_is_told_of_a_cancellation_by_whom_and_why(known: Installation) -> None:
    process = known.start("resync", "--where", "user_name == 'anna'", "--why", "drift")
    until(lambda: runs(known), "the run is written down")
    cancelled(known, 1)
    assert process.wait(LIMIT_S) == 1
    assert "run 1 was cancelled by operator:olga: asked for by mistake" in known.log("resync")
    assert known.run("runs", "show", "1", "--follow").code == 1
    (row,) = runs(known)
    assert row.selection == {"where": "user_name == 'anna'"}


def test_a_rehearsal_counts_and_writes_nothing(known: Installation) -> None:
    counted = known.run("resync", "--where", "user_name == 'anna'", "--dry-run", "--json")
    assert counted.code == 0, counted
    assert (counted.document["read"], counted.document["changed"]) == ({"awx_prod": 1}, {})
    nobody = known.run("resync", "--where", "user_name == 'omar'", "--dry-run")
    assert nobody.out.startswith("would be read: 0 accounts\nnothing would change"), nobody
    assert runs(known) == []


def many(installation: Installation, count: int) -> None:
    """People with an account each that nothing is to be done for."""
    people = [
        {"subject": f"P{n}", "revision": 1, "attributes": SAID, "snapshots": {}, "created_at": 1.0}
        for n in range(count)
    ]
    with installation.rows.begin() as connection:
        connection.execute(sa.insert(identity), people)
        rows = connection.scalars(sa.select(identity.c.id).where(identity.c.subject.startswith("P")))
        accounts = [
            {
                "identity_id": row,
                "target_id": 1,
                "shard": row % 2,
                "remote_id": f"r{row}",
                "applied_revision": 1,
                "priority": 5,
                "state": {},
            }
            for row in rows
        ]
        connection.execute(sa.insert(account), accounts)


@pytest.mark.slow
@pytest.mark.stack
def test_a_run_is_cancelled_while_a_worker_carries_it_out(working: Installation) -> None:
    """What was marked before stays due; nothing more is, and who waits is told."""
    many(working, MANY)
    process = working.start("resync", "--all", "--why", "drift")

    def goes_on() -> bool:
        with working.looking.connect() as connection:
            return connection.scalar(sa.select(run.c.state)) in ("judging", "running")

    until(goes_on, "it goes on")
    cancelled(working, 1)
    assert process.wait(LIMIT_S) == 1
    assert "run 1 was cancelled by operator:olga" in working.log("resync")
    with working.rows.connect() as connection:
        done = connection.scalar(sa.select(run.c.done))
        touched = connection.scalar(sa.select(sa.func.count()).where(account.c.due_at.is_not(None)))
    assert done is not None
    assert touched is not None
    assert touched <= done < MANY
    listed = working.run("runs", "list", "--state", "cancelled", "--kind", "resync", "--json")
    assert [item["run"] for item in listed.document["runs"]] == [1]
