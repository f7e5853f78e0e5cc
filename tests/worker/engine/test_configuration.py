"""A new configuration: the last started worker decides, and what it changes is judged as a whole first."""

from __future__ import annotations

from typing import Any

import pytest

from config.sections import Engine
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import (
    CARLA,
    LARGE,
    NAMES_BY_DEPARTMENT,
    SMALL_BRAKE,
    alarms,
    carry_out,
    clone,
    first_names,
    newest,
    run,
    said,
    settle,
)
from tests.worker.engine.rig import Rig
from worker.domain.operator import Principal, Role
from worker.engine.errors import NotAllowedError
from worker.engine.judge import Judge, PlanBrake
from worker.engine.marking import Marking
from worker.engine.rows import RunState

CHANGED = {"crm": NAMES_BY_DEPARTMENT}


@pytest.fixture
def target(django_admin_target: ReferenceTarget) -> ReferenceTarget:
    return django_admin_target


def restarted(make_rig: MakeRig, rig: Rig, target: ReferenceTarget, **more: Any) -> Rig:
    """A worker that is started on the same database, with another configuration."""
    database = rig.settings.database.url
    assert database is not None
    again = make_rig(
        targets={"crm": target}, engine=SMALL_BRAKE, database=database.get_secret_value(), **more
    )
    again.numbers = rig.numbers
    return again


def test_a_new_mapping_makes_known_accounts_due_by_itself(
    make_rig: MakeRig, target: ReferenceTarget, database_url: str
) -> None:
    old = settle(make_rig, target, 2, database=database_url)
    new = restarted(make_rig, old, target, options=CHANGED)
    assert new.audit("target:configuration:changed")[-1]["run"] == newest(new).id
    carry_out(new)
    assert first_names(target) == {"person.0": "Care0", "person.1": "Care1"}
    assert newest(new).state == RunState.DONE
    assert new.account("E0", "crm").mapping_hash == new.runtime.targets[1].fingerprint


def test_the_same_configuration_is_no_news(make_rig: MakeRig, target: ReferenceTarget) -> None:
    rig = settle(make_rig, target, 1)
    changes = {
        "max_in_flight": 2,
        "rate_per_s": 100,
        "timeouts": {"connect_s": 1, "read_s": 1, "deadline_s": 1},
    }
    again = restarted(make_rig, rig, target, options={"crm": changes})
    assert len(again.audit("target:configuration:changed")) == 1
    with again.runtime.store.begin() as tx:
        assert tx.runs.unfinished() == []


def test_an_older_worker_claims_nothing_and_says_so(
    make_rig: MakeRig, target: ReferenceTarget, database_url: str
) -> None:
    old = settle(make_rig, target, 1, database=database_url)
    new = restarted(make_rig, old, target, options=CHANGED)
    carry_out(new)
    old.say("E0", {"department": "Surgery"})
    old.fold()
    assert old.sync() == 0
    assert alarms(old) == ["configuration"]
    new.work()
    assert first_names(target) == {"person.0": "Surgery"}
    restarted(make_rig, old, target, options=CHANGED)
    assert alarms(old) == []


def test_what_an_older_worker_has_in_hand_is_planned_anew(make_rig: MakeRig, target: ReferenceTarget) -> None:
    """Its account is leased while the run passes by."""
    old = settle(make_rig, target, 1)
    new = restarted(make_rig, old, target, options=CHANGED)
    old.say("E0", {"family_name": "Berg"})
    old.fold()
    with new.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET lease_token = 'old', due_at = due_at + 0.3")
    carry_out(new)
    assert first_names(target) == {"person.0": "Care0"}


def test_observing_is_over_with_a_restart(make_rig: MakeRig, target: ReferenceTarget) -> None:
    old = settle(make_rig, target, 2, options={"crm": {"mode": "observe"}})
    assert target.writes() == []
    carry_out(restarted(make_rig, old, target))
    assert first_names(target) == {"person.0": "Given0", "person.1": "Given1"}


@pytest.fixture
def held(make_rig: MakeRig, target: ReferenceTarget) -> Rig:
    """A large target whose new mapping would change everybody."""
    return holding(make_rig, target)


def holding(make_rig: MakeRig, target: ReferenceTarget, **more: Any) -> Rig:
    new = restarted(make_rig, settle(make_rig, target, LARGE, **more), target, options=CHANGED)
    carry_out(new)
    return new


def test_a_mapping_that_would_change_too_many_is_held(held: Rig, target: ReferenceTarget) -> None:
    before = len(target.writes())
    found = newest(held)
    assert (found.state, found.total) == (RunState.HELD, LARGE)
    assert found.note["held"] == {"crm": LARGE}
    (told,) = held.audit("run:mapping:held")
    assert told["counted"]["fields"] == {"first_name": LARGE}
    assert alarms(held) == ["run_held"]
    held.work()
    assert len(target.writes()) == before


def test_nothing_goes_around_a_held_run(held: Rig, target: ReferenceTarget) -> None:
    held.say("E0", {"family_name": "Berg"})
    held.work()
    assert target.users()["person.0"]["last_name"] == "Number0"
    held.runtime.desk.request_resync({}, "cli:tom", "round the back")
    carry_out(held)
    assert target.users()["person.0"]["last_name"] == "Number0"
    assert held.account("E0", "crm").applied_revision == 1


def test_whom_hr_calls_a_leaver_is_locked_out_while_a_run_is_held(held: Rig, target: ReferenceTarget) -> None:
    held.say("E0", {"active": False, "family_name": "Berg"})
    held.work()
    shown = target.users()["person.0"]
    assert (shown["is_active"], shown["last_name"], shown["first_name"]) == (False, "Number0", "Given0")


def test_a_joiner_does_not_wait_for_a_held_run(held: Rig, target: ReferenceTarget) -> None:
    held.say("E99", {"user_name": "nadia", "family_name": "Okoye", "department": "Care"})
    held.work()
    assert target.users()["nadia"]["first_name"] == "Care"


def test_an_approved_plan_is_carried_out_with_what_came_meanwhile(
    make_rig: MakeRig, target: ReferenceTarget, database_url: str
) -> None:
    held = holding(make_rig, target, database=database_url)
    held.say("E0", {"family_name": "Berg"})
    held.work()
    held.runtime.desk.approve(newest(held).id, CARLA, "reviewed")
    assert alarms(held) == []
    carry_out(held)
    assert set(first_names(target).values()) == {f"Care{number}" for number in range(LARGE)}
    assert target.users()["person.0"]["last_name"] == "Berg"
    assert newest(held).state == RunState.DONE
    assert held.actions("run:mapping:") == ["run:mapping:held", "run:mapping:approved", "run:mapping:done"]


def test_an_approval_is_for_one_plan_and_no_other(held: Rig, target: ReferenceTarget) -> None:
    found = newest(held)
    held.say("E0", {"department": "Surgery"})
    held.fold()
    held.runtime.desk.approve(found.id, CARLA, "reviewed")
    carry_out(held)
    again = run(held, found.id)
    assert again.state == RunState.HELD
    assert again.plan_hash != found.plan_hash
    assert first_names(target)["person.1"] == "Given1"
    held.runtime.desk.approve(found.id, CARLA, "reviewed once more")
    carry_out(held)
    assert first_names(target)["person.0"] == "Surgery"
    assert first_names(target)["person.1"] == "Care1"


def test_a_judging_that_was_interrupted_goes_on_and_ends_in_the_same_plan(
    make_rig: MakeRig, target: ReferenceTarget, database_url: str
) -> None:
    old = settle(make_rig, target, 1, database=database_url)
    clone(old, 220)
    rig = restarted(make_rig, old, target, options=CHANGED)
    judge = Judge(rig.runtime.targets, PlanBrake(0.2, LARGE))
    Marking(rig.runtime.store, rig.signals, 1, judge).step(newest(rig).id)
    assert newest(rig).state == RunState.JUDGING
    rig.runtime.runs.carry_out(newest(rig).id)
    assert (newest(rig).state, newest(rig).note["held"]) == (RunState.HELD, {"crm": 221})
    rig.runtime.desk.approve(newest(rig).id, CARLA, "reviewed")
    rig.runtime.runs.carry_out(newest(rig).id)
    assert (newest(rig).state, newest(rig).done) == (RunState.DONE, 221)


def test_going_back_releases_what_waited(held: Rig, make_rig: MakeRig, target: ReferenceTarget) -> None:
    held.say("E0", {"family_name": "Berg"})
    held.work()
    back = restarted(make_rig, held, target)
    carry_out(back)
    assert alarms(back) == []
    assert target.users()["person.0"]["last_name"] == "Berg"
    assert set(first_names(target).values()) == {f"Given{number}" for number in range(LARGE)}
    assert [entry["action"] for entry in back.audit("run:mapping:")][-2:] == [
        "run:mapping:superseded",
        "run:mapping:done",
    ]


def test_a_new_configuration_is_not_cancelled_but_replaced(held: Rig) -> None:
    with pytest.raises(ValueError, match="start the workers with another one"):
        held.runtime.desk.cancel(newest(held).id, Principal("tom", Role.OPERATOR), "no")


def test_observing_holds_nothing(make_rig: MakeRig, target: ReferenceTarget) -> None:
    old = settle(make_rig, target, LARGE, options={"crm": {"mode": "observe"}})
    new = restarted(make_rig, old, target, options={"crm": {**NAMES_BY_DEPARTMENT, "mode": "observe"}})
    carry_out(new)
    assert newest(new).state == RunState.DONE
    assert target.writes() == []


def drifted(make_rig: MakeRig, target: ReferenceTarget, changed: int) -> Rig:
    """So many accounts, as last read, differ from what HR says although nothing is pending."""
    rig = settle(make_rig, target, LARGE)
    with rig.writer.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE account SET state = replace(state, 'Given', 'Drift') WHERE id <= {changed}"  # noqa: S608 - a number
        )
    return rig


@pytest.mark.parametrize(("changed", "state"), [(1, RunState.DONE), (2, RunState.HELD)])
def test_a_resync_is_held_above_a_fifth_of_the_accounts(
    make_rig: MakeRig, target: ReferenceTarget, changed: int, state: RunState
) -> None:
    rig = drifted(make_rig, target, changed)
    asked = rig.runtime.desk.request_resync({"targets": ["crm"]}, "cli:tom", "drift")
    carry_out(rig)
    assert run(rig, asked.id).state == state


@pytest.mark.parametrize(
    ("changed", "accounts", "held"), [(19, 19, False), (4, 20, False), (5, 20, True), (1, 20, False)]
)
def test_more_than_a_fifth_of_twenty_or_more_is_too_much(changed: int, accounts: int, held: bool) -> None:
    engine = Engine()
    brake = PlanBrake(engine.plan_brake_share, engine.plan_brake_min_accounts)
    assert brake.holds(changed, accounts) is held


def test_who_asked_for_a_run_does_not_approve_it(make_rig: MakeRig, target: ReferenceTarget) -> None:
    rig = drifted(make_rig, target, 2)
    asked = rig.runtime.desk.request_resync({}, "operator:carla", "drift")
    carry_out(rig)
    with pytest.raises(NotAllowedError, match="somebody else"):
        rig.runtime.desk.approve(asked.id, CARLA, "mine")
    assert run(rig, asked.id).state == RunState.HELD
    assert rig.actions("run:resync:")[-1] == "run:resync:refused"
    rig.runtime.desk.cancel(asked.id, Principal("tom", Role.OPERATOR), "not needed")
    assert run(rig, asked.id).state == RunState.CANCELLED
    assert alarms(rig) == []


def test_what_hr_has_just_said_of_many_does_not_hold_a_resync(
    make_rig: MakeRig, target: ReferenceTarget
) -> None:
    rig = settle(make_rig, target, LARGE)
    rig.accept(*(rig.event(f"E{n}", {**said(n), "given_name": f"New{n}"}) for n in range(LARGE)))
    rig.fold()
    asked = rig.runtime.desk.request_resync({}, "cli:tom", "drift")
    carry_out(rig)
    assert run(rig, asked.id).state == RunState.DONE
    assert set(first_names(target).values()) == {f"New{n}" for n in range(LARGE)}
