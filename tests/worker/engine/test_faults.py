"""What the engine does when a target misbehaves: the world afterwards, not the calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.targets import ReferenceTarget, TargetProcess
from tests.waiting import until
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import leavers
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_path import ANNA, OMAR, bodies
from worker.domain.account import ACCOUNT, Reason

ANNIKA = {**ANNA, "given_name": "Annika"}
UMAR = {**OMAR, "given_name": "Umar"}


def fault(kind: str, times: int | None = 1, method: str = "PATCH", **more: Any) -> dict[str, Any]:
    return {"method": method, "times": times, "fault": {"kind": kind, **more}}


def linked(rig: Rig) -> Rig:
    """Anna is known and settled, so that the next request is a PATCH."""
    rig.say("E1", ANNA)
    rig.work()
    return rig


def outcomes(rig: Rig) -> list[str]:
    words = [action.rpartition(":")[2] for action in rig.actions("account:patch:")]
    return [word for word in words if word != "intended"]


def test_a_failed_write_is_read_up_on_and_repeated(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", status=500)])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert outcomes(rig) == ["ambiguous", "refuted", "applied"]


@pytest.mark.parametrize("kind", ["drop_after", "cut", "empty"])
def test_a_lost_answer_is_confirmed_by_a_read_and_not_repeated(
    rig: Rig, awx_target: ReferenceTarget, kind: str
) -> None:
    awx_target.faults([fault(kind)])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert len(awx_target.writes()) == 1
    assert outcomes(rig) == ["ambiguous", "confirmed"]


def test_a_write_that_lands_after_its_client_left_is_waited_for(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(engine={"late_effect_s": 3})
    awx_target.faults([fault("late_effect", seconds=0.3, hold_s=0.01)])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert outcomes(rig) == ["ambiguous", "confirmed"]


def test_too_many_requests_close_the_gate_and_consume_no_attempt(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    awx_target.faults([fault("status", status=429, headers={"Retry-After": "1"}, body={"detail": "slow"})])
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    rig.sync()
    rig.say("E2", UMAR)
    rig.fold()
    before = len(awx_target.log())
    rig.sync()
    assert len(awx_target.log()) == before
    rig.work()
    assert awx_target.users()["omar.haddad"]["first_name"] == "Umar"
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert [r["attempt"] for r in rig.audit("account:patch:applied")] == [1, 1]


def test_a_target_that_names_no_time_is_given_one(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", times=3, status=429, body={"detail": "slow"})])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert outcomes(rig) == ["throttled", "throttled", "throttled", "applied"]


def test_a_field_that_the_target_ignores_is_held_after_two_reads(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    body = {**awx_target.users()["anna.berg"], "id": 2}
    awx_target.faults([fault("status", status=200, body=body)])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert rig.account("E1", "awx").held["first_name"].reason is Reason.IGNORED
    assert len(awx_target.writes()) == 1


def test_a_masked_page_of_html_is_suspect_and_a_healthy_target_goes_on(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    awx_target.faults([fault("html")])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert rig.actions("target:pause:") == []


def test_a_refused_token_pauses_the_target_and_a_probe_resumes_it(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    linked(rig)
    awx_target.reset(tokens=[{"token": "another", "username": "admin", "scope": "write"}])
    rig.say("E1", ANNIKA)
    rig.fold()
    rig.sync()
    until(lambda: rig.actions("target:pause:paused"), "the probe beside the sync pauses it")
    awx_target.reset()
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert rig.actions("target:pause:") == ["target:pause:paused", "target:pause:resumed"]


def test_refusals_for_three_accounts_in_a_row_pause_the_target(rig: Rig, awx_target: ReferenceTarget) -> None:
    people = {f"E{n}": {"user_name": f"p{n}", "given_name": "P", "family_name": f"P{n}"} for n in range(3)}
    users = [{"username": f"p{n}", "first_name": "P", "last_name": f"P{n}"} for n in range(3)]
    awx_target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}, *users])
    for subject, data in people.items():
        rig.say(subject, data)
    rig.work()
    awx_target.faults([fault("status", times=3, status=403, body={"detail": "no"})])
    for subject in people:
        rig.say(subject, {"given_name": "Q"})
    rig.work()
    assert rig.actions("target:pause:") == [f"target:pause:{word}" for word in ("paused", "resumed", "over")]
    assert {row["first_name"] for row in awx_target.rows() if row["username"] != "admin"} == {"Q"}


def synced_to_pause(rig: Rig) -> bool:
    rig.sync()
    with rig.runtime.store.begin() as tx:
        return tx.targets.all()[0].paused


def test_a_target_that_goes_down_is_paused_and_comes_back(
    make_rig: MakeRig, tmp_path: Path, free_port: int
) -> None:
    process = TargetProcess("awx", tmp_path / "awx.stderr", free_port)
    target = ReferenceTarget("awx", free_port)
    target.reset()
    rig = make_rig(targets={"awx": target}, engine={"pause_after": 2})
    for subject, data in {"E1": ANNA, "E2": OMAR}.items():
        rig.say(subject, data)
    rig.work()
    process.stop()
    for subject in ("E1", "E2"):
        rig.say(subject, {"given_name": "Changed"})
    rig.fold()
    until(lambda: synced_to_pause(rig), "it is paused")
    assert rig.account("E1", "awx").attempts == 0
    process = TargetProcess("awx", tmp_path / "awx.stderr", free_port)
    target.reset()
    rig.work()
    assert rig.actions("target:pause:") == ["target:pause:paused", "target:pause:resumed"]
    assert {target.users()[name]["first_name"] for name in ("anna.berg", "omar.haddad")} == {"Changed"}
    process.stop()


def test_a_target_that_was_never_reached_is_paused_and_nothing_is_claimed(
    make_rig: MakeRig, free_port: int
) -> None:
    rig = make_rig(options={"awx": {"base_url": f"http://127.0.0.1:{free_port}"}})
    rig.say("E1", ANNIKA)
    rig.fold()
    until(lambda: synced_to_pause(rig), "it is paused")
    assert rig.actions("account:") == []
    assert rig.account("E1", "awx").attempts == 0


def test_an_account_that_vanished_is_held_and_never_deleted_by_itself(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    linked(rig)
    awx_target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}])
    rig.say("E1", ANNIKA)
    rig.work()
    assert rig.account("E1", "awx").held[ACCOUNT].reason is Reason.MISSING
    assert "account:link:lost" in rig.actions()


def test_an_account_with_a_new_id_is_linked_again(rig: Rig, awx_target: ReferenceTarget) -> None:
    linked(rig)
    users = [
        {"id": 1, "username": "admin", "is_superuser": True},
        {"id": 9, "username": "anna.berg", "last_name": "Berg", "email": "anna.berg@example.com"},
    ]
    awx_target.reset(users=users)
    rig.say("E1", ANNIKA)
    rig.work()
    assert rig.account("E1", "awx").remote_id == "9"
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


def test_five_failures_alike_hold_the_field_while_others_succeed(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(engine={"late_effect_s": 0.05, "backoff_base_s": 0.01, "backoff_max_s": 0.02})
    linked(rig).say("E2", OMAR)
    rig.work()
    awx_target.faults([{"match": {"username": "anna.berg"}, **fault("status", times=None, status=500)}])
    rig.say("E1", ANNIKA)
    for number in range(60):
        rig.say("E2", {"given_name": f"Umar {number}"})
        rig.fold()
        rig.sync()
        if rig.account("E1", "awx").held:
            break
    assert rig.account("E1", "awx").held["first_name"].reason is Reason.FAULT
    writes = awx_target.writes()
    failed = [w["n"] for w in writes if w["path"] == "/api/v2/users/2/"]
    others = [w["n"] for w in writes if w["path"] == "/api/v2/users/3/" and w["n"] > failed[0]]
    assert len(failed) >= 5
    assert len([n for n in failed[4:] if n > others[0]]) <= 2, "held once both are so; two were under way"


def test_the_brake_holds_further_revocations(make_rig: MakeRig, django_admin_target: ReferenceTarget) -> None:
    rig, names = leavers(make_rig, django_admin_target, 6, brake_min=4)
    left = [row for row in django_admin_target.rows() if not row["is_active"]]
    held = [name for name in names if "is_active" in rig.account(name, "admin").held]
    assert (len(left), len(held)) == (4, 2)
    assert {rig.account(name, "admin").held["is_active"].reason for name in held} == {Reason.BRAKE}


def test_a_slow_trickle_ends_at_the_deadline(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("trickle", seconds=30)])
    linked(rig).say("E1", ANNIKA)
    rig.work(seconds=15)
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert outcomes(rig) == ["ambiguous", "confirmed"]


def test_a_redirect_is_never_followed(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("redirect")])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert outcomes(rig)[0] == "suspect"


def test_every_request_has_one_older_intent_and_one_outcome(rig: Rig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("status", status=500), fault("drop_after"), fault("html"), fault("drop_before")])
    linked(rig)
    for number in range(4):
        rig.say("E1", {"given_name": f"Anna {number}"})
        rig.work()
    records = rig.audit("account:patch:")
    intents = [r["request"] for r in records if r["action"].endswith("intended")]
    answers = [
        r["request"] for r in records if not r["action"].endswith(("intended", "confirmed", "refuted"))
    ]
    assert sorted(intents) == sorted(answers)
    assert len(awx_target.writes()) == len(intents)
    assert bodies(awx_target)[-1] == {"first_name": "Anna 3"}


def test_one_bad_answer_to_a_new_process_pauses_the_target_for_nobody(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    """Each process asks whose token it has; the others may be at work meanwhile."""
    awx_target.faults([fault("status", method="GET", status=500)])
    linked(rig).say("E1", ANNIKA)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert rig.actions("target:pause") == []
