"""Replays: people of whom events spoke are looked at anew at one target, in their newest state."""

from __future__ import annotations

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import CARLA, LARGE, SMALL_BRAKE, carry_out, first_names, run, said, seed
from tests.worker.engine.rig import Rig
from worker.engine.replaying import Chosen, Replaying
from worker.engine.rows import RunState
from worker.run_kinds import build_target_runs

NEW, OLD = "crm", "admin"


@pytest.fixture
def target(django_admin_target: ReferenceTarget) -> ReferenceTarget:
    return django_admin_target


def joined(
    make_rig: MakeRig, target: ReferenceTarget, old: ReferenceTarget, people: int, database: str | None = None
) -> Rig:
    """A rig whose people were all settled at one target before the other was configured."""
    seed(target, people)
    where = {} if database is None else {"database": database}
    first = make_rig(targets={OLD: old}, engine=SMALL_BRAKE, **where)
    first.accept(*(first.event(f"E{n}", {**said(n), "given_name": "Former"}) for n in range(people)))
    first.accept(*(first.event(f"E{n}", said(n)) for n in range(people)))
    first.work()
    both = make_rig(targets={OLD: old, NEW: target}, engine=SMALL_BRAKE, **where)
    both.numbers = first.numbers
    return both


def test_everybody_comes_to_a_new_target_in_their_newest_state(
    make_rig: MakeRig, target: ReferenceTarget, awx_target: ReferenceTarget, database_url: str
) -> None:
    rig = joined(make_rig, target, awx_target, 3, database_url)
    written = len(target.writes())
    asked = rig.runtime.desk.request_replay(Chosen(NEW), "cli:tom", "crm is new")
    carry_out(rig)
    assert (run(rig, asked.id).state, run(rig, asked.id).done) == (RunState.DONE, 3)
    assert first_names(target) == {f"person.{n}": f"Given{n}" for n in range(3)}
    assert len(target.writes()) - written == 3  # one for each person, and none with the former name
    assert rig.audit("run:replay:requested")[0]["why"] == "crm is new"


def test_a_replay_to_many_is_held_first(
    make_rig: MakeRig, target: ReferenceTarget, awx_target: ReferenceTarget
) -> None:
    rig = joined(make_rig, target, awx_target, LARGE)
    runtime = rig.runtime
    runs = build_target_runs(rig.settings, runtime.store, rig.signals, runtime.targets)
    seen = Replaying(runs).rehearse(Chosen(NEW))
    assert (seen.state, seen.note["counted"]["created"]) == (RunState.HELD, {NEW: LARGE})
    asked = rig.runtime.desk.request_replay(Chosen(NEW), "cli:tom", "crm is new")
    carry_out(rig)
    assert run(rig, asked.id).state == RunState.HELD
    assert first_names(target)["person.0"] == ""
    rig.runtime.desk.approve(asked.id, CARLA, "as planned")
    carry_out(rig)
    assert first_names(target)["person.0"] == "Given0"


def test_a_replay_is_only_about_whom_the_chosen_events_spoke_of(
    make_rig: MakeRig, target: ReferenceTarget, awx_target: ReferenceTarget
) -> None:
    rig = joined(make_rig, target, awx_target, 3)
    with rig.runtime.store.begin() as tx:
        now = tx.now
    for chosen, names in (
        (Chosen(NEW, since=now + 3600), []),
        (Chosen(NEW, sources=("payroll",)), []),
        (Chosen(NEW, subjects=("E1",)), ["person.1"]),
        (Chosen(NEW, first=6), ["person.1", "person.2"]),  # the last of six events, about E2
    ):
        rig.runtime.desk.request_replay(chosen, "cli:tom", "looking")
        carry_out(rig)
        assert sorted(name for name, first in first_names(target).items() if first) == names
