"""A slot of a schedule is run once, whoever looks and however often; never beside another run of a target."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.waiting import until
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import run, seed
from tests.worker.engine.rig import Rig
from worker.engine.reconcile_desk import ReconcileDesk
from worker.engine.reconciling import Policy
from worker.engine.rows import RunState
from worker.engine.timetable import begin
from worker.storage import tables

EVERY_MINUTE = {"schedule": "* * * * *", "jitter_s": 0}
THIS_YEAR = {"schedule": "0 0 1 1 *", "jitter_s": 0}  # the newest slot is long ago
LOOKERS = 4


def scheduled(make_rig: MakeRig, target: ReferenceTarget, reconcile: dict[str, Any], **more: Any) -> Rig:
    seed(target, 1)
    return make_rig(targets={"crm": target}, options={"crm": {"reconcile": reconcile}}, **more)


def slots(rig: Rig) -> list[tuple[str | None, str]]:
    query = sa.select(tables.run.c.scheduled, tables.run.c.state).where(tables.run.c.kind == "reconcile")
    with rig.writer.connect() as connection:
        return [(row.scheduled, row.state) for row in connection.execute(query.order_by(tables.run.c.id))]


def finish(rig: Rig, run_id: int) -> None:
    def over() -> bool:
        rig.runtime.runs.carry_out(run_id)
        return run(rig, run_id).state == "done"

    until(over, "the run is done")


@pytest.fixture(params=["sqlite", "postgresql"])
def kept_in(request: pytest.FixtureRequest) -> dict[str, str]:
    return {} if request.param == "sqlite" else {"database": request.getfixturevalue("postgres_url")}


def test_many_who_look_at_once_make_one_run(
    make_rig: MakeRig, awx_target: ReferenceTarget, kept_in: dict[str, str]
) -> None:
    rig = scheduled(make_rig, awx_target, THIS_YEAR, **kept_in)
    looking = [threading.Thread(target=rig.runtime.timetable.run) for _ in range(LOOKERS)]
    for looker in looking:
        looker.start()
    for looker in looking:
        looker.join()
    year = time.gmtime().tm_year
    assert slots(rig) == [(f"crm@{year}-01-01T00:00Z", "waiting")]


def test_a_slot_that_was_missed_is_made_up_for_once(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    """However many slots passed while nothing ran: the newest only, and never again."""
    rig = scheduled(make_rig, awx_target, EVERY_MINUTE)
    with rig.runtime.store.begin() as tx:
        long_ago = "crm@2026-01-01T00:00Z"
        old = tx.runs.create("reconcile", {"targets": ["crm"]}, "schedule", tx.now, long_ago)
        tx.runs.save(replace(old, state=RunState.DONE), tx.now)
    for made in rig.runtime.timetable.run():
        finish(rig, made)
    rig.runtime.timetable.run()
    states = [state for _, state in slots(rig)]
    assert states[:2] == ["done", "done"]
    assert len(states) <= 3  # a minute may have begun meanwhile


def test_no_slot_begins_while_another_run_of_the_target_goes_on(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = scheduled(make_rig, awx_target, THIS_YEAR)
    asked = ReconcileDesk(rig.runtime.store, rig.signals).request("crm", Policy.REPORT, "cli:olga", "a look")
    assert rig.runtime.timetable.run() == []
    finish(rig, asked.id)
    assert len(rig.runtime.timetable.run()) == 1


def test_one_that_is_held_is_replaced_by_the_next_slot(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = scheduled(make_rig, awx_target, THIS_YEAR)
    with rig.runtime.store.begin() as tx:
        held = begin(tx, 1, "crm", Policy.REPAIR, "cli:olga", "a look")
    assert held is not None
    with rig.writer.begin() as connection:
        connection.execute(sa.update(tables.run).values(state="held"))
    with pytest.raises(ValueError, match="which is held"):
        ReconcileDesk(rig.runtime.store, rig.signals).request("crm", Policy.REPORT, "cli:olga", "a look")
    assert len(rig.runtime.timetable.run()) == 1
    assert run(rig, held.id).state == "cancelled"
    assert "run:reconcile:superseded" in rig.actions("run:")


def test_a_target_without_a_schedule_is_left_to_operators(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = scheduled(make_rig, awx_target, {})
    assert rig.runtime.timetable.run() == []
