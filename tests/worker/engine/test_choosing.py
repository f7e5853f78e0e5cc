"""Which accounts a resync is about: people, targets, what is held, and an expression over attributes."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_path import ANNA, OMAR
from worker.engine.choosing import check_selection
from worker.engine.marking import RESYNC
from worker.engine.rows import Run, RunState
from worker.run_kinds import build_judge
from worker.storage import tables

IT: dict[str, Any] = {"where": "department == 'IT'"}


def rig_with_two(make_rig: MakeRig, **more: Any) -> Rig:
    """Anna of IT, and Omar of HR whose first name is held."""
    rig = make_rig(**more)
    rig.accept(
        rig.event("E1", {**ANNA, "department": "IT"}),
        rig.event("E2", {**OMAR, "department": "HR", "given_name": "x" * 200}),
    )
    rig.work()
    return rig


def read(rig: Rig, selection: dict[str, Any]) -> list[str]:
    """Whom a resync of that selection has read."""
    asked = rig.runtime.desk.request_resync(selection, "cli:test", "drift")
    rig.runtime.runs.carry_out(asked.id)
    query = sa.select(tables.identity.c.subject).join_from(tables.account, tables.identity)
    with rig.writer.connect() as connection:
        found = connection.scalars(query.where(tables.account.c.verify_run == asked.id))
        subjects = sorted(found)
        done = connection.scalar(sa.select(tables.run.c.done).where(tables.run.c.id == asked.id))
    assert done == len(subjects)
    rig.work()
    return subjects


def test_a_run_is_about_what_every_part_of_its_selection_says(make_rig: MakeRig, database_url: str) -> None:
    rig = rig_with_two(make_rig, database=database_url)
    assert read(rig, {}) == ["E1", "E2"]
    assert read(rig, IT) == ["E1"]
    assert read(rig, {"held": True}) == ["E2"]
    assert read(rig, {**IT, "held": True}) == []
    assert read(rig, {**IT, "subjects": ["E2"]}) == []
    assert read(rig, {"where": "department", "targets": ["awx"]}) == []  # neither true nor false


def test_a_person_whose_last_day_is_over_counts_as_one_who_left(make_rig: MakeRig) -> None:
    rig = make_rig(source={"attributes": ["user_name", "active", "end_date"]})
    rig.say("E1", {"user_name": "anna.berg", "active": True, "end_date": "2020-01-31"})
    rig.say("E2", {"user_name": "omar.haddad", "active": True})
    rig.work()
    assert read(rig, {"where": "!active"}) == ["E1"]


def test_only_who_was_chosen_counts_for_the_verdict(make_rig: MakeRig) -> None:
    rig = rig_with_two(make_rig)
    judge = build_judge(rig.settings, rig.runtime.targets)
    with rig.runtime.store.begin() as tx:
        judged = judge.page(tx, Run(0, RESYNC, RunState.WAITING, IT, 0, 0, 0, ""))
    assert (judged.total, judged.note["counted"]["read"]) == (1, {"awx": 1})  # type: ignore[index,call-overload]


def test_an_expression_that_can_choose_nobody_is_refused(rig: Rig) -> None:
    for where in ("department ==", "departmnt == 'IT'", "'IT'"):
        with pytest.raises(ValueError, match=r"is not a JMESPath|names no attribute"):
            rig.runtime.desk.request_resync({"where": where}, "cli:test", "drift")
    check_selection({})
