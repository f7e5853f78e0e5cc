"""One correlation id goes from an event through intent, header and outcome to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from tests.worker.engine.test_path import ANNA, OMAR

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig


def settled(rig: Rig, subject: str, **data: Any) -> str:
    """Say it, work it off, and its correlation id."""
    receipt = rig.say(subject, {**ANNA, **data})
    rig.work()
    return receipt.correlation


def resync(rig: Rig) -> int:
    """A run over everybody, carried out but for the accounts that it made due."""
    run = rig.runtime.desk.request_resync({}, "cli:tom", "drift")
    rig.runtime.runs.carry_out(run.id)
    return run.id


def somebody_else_writes(target: ReferenceTarget, changes: dict[str, str]) -> None:
    url = f"{target.base_url}/api/v2/users/2/"
    requests.patch(url, json=changes, headers=target.authorization, timeout=30).raise_for_status()


def test_an_event_s_id_is_on_intent_header_outcome_and_link(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    said = settled(rig, "E1", given_name="Annika")
    (accepted,) = rig.audit("event:accept:accepted")
    records = {record["action"]: record for record in rig.audit("account:")}
    intended = records["account:patch:intended"]
    assert accepted["correlation"] == said
    assert intended["correlation"] == records["account:patch:applied"]["correlation"] == said
    assert "correlations" not in intended
    (write,) = awx_target.writes()
    assert (write["correlation"], write["request_id"]) == (said, intended["request"])


def test_an_intent_names_every_event_behind_it_and_the_header_the_newest(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    first, second, other = rig.accept(
        rig.event("E1", {**ANNA, "given_name": "Annika"}),
        rig.event("E1", {"family_name": "Bergman"}),
        rig.event("E2", {**OMAR, "given_name": "Omer"}),
    )
    rig.work()
    by_person = {record["path"]: record for record in rig.audit("account:patch:intended")}
    anna, omar = by_person["/api/v2/users/2/"], by_person["/api/v2/users/3/"]
    assert anna["correlations"] == [first.correlation, second.correlation]
    assert anna["correlation"] == second.correlation
    assert omar["correlation"] == other.correlation
    sent = {write["path"]: write["correlation"] for write in awx_target.writes()}
    assert sent == {"/api/v2/users/2/": second.correlation, "/api/v2/users/3/": other.correlation}


def test_an_event_that_is_sent_again_answers_with_its_first_id(rig: Rig) -> None:
    event = rig.event("E1", ANNA)
    first, again = rig.accept(event, event)
    (later,) = rig.accept(event)
    (changed,) = rig.accept({**event, "data": OMAR})
    assert first.correlation == again.correlation == later.correlation
    assert changed.correlation not in {"", first.correlation}
    duplicates = rig.audit("event:accept:duplicate")
    assert [record["correlation"] for record in duplicates] == [first.correlation] * 2


def test_what_a_run_finds_carries_the_run(rig: Rig, awx_target: ReferenceTarget) -> None:
    settled(rig, "E1")
    somebody_else_writes(awx_target, {"first_name": "Somebody"})
    run = resync(rig)
    rig.work()
    (intended,) = rig.audit("account:patch:intended")
    assert (intended["correlation"], intended["run"]) == (f"run-{run}", run)
    assert [entry["correlation"] for entry in awx_target.log()][-2:] == [f"run-{run}"] * 2


def test_an_event_during_a_run_keeps_its_own_id(rig: Rig, awx_target: ReferenceTarget) -> None:
    settled(rig, "E1")
    run = resync(rig)
    said = rig.say("E1", {"given_name": "Annika"}).correlation
    rig.work()
    (intended,) = rig.audit("account:patch:intended")
    assert (intended["correlation"], intended["run"]) == (said, run)
    assert awx_target.writes()[-1]["correlation"] == said


def test_a_hold_and_a_plan_name_their_event(make_rig: MakeRig) -> None:
    rig = make_rig(options={"awx": {"mode": "observe"}})
    said = settled(rig, "E1", given_name="Annika", email="no address")
    (held,), (planned,) = rig.audit("account:field:held"), rig.audit("account:patch:planned")
    assert held["correlation"] == planned["correlation"] == said


def test_a_doubt_is_ended_under_the_id_that_it_began_with(rig: Rig, awx_target: ReferenceTarget) -> None:
    settled(rig, "E1")
    awx_target.faults([{"fault": {"kind": "drop_after"}, "method": "PATCH"}])
    said = settled(rig, "E1", given_name="Annika")
    told = [record for record in rig.audit("account:patch:") if record["action"].endswith(("ous", "med"))]
    assert [record["action"].rpartition(":")[2] for record in told] == ["ambiguous", "confirmed"]
    assert {record["correlation"] for record in told} == {said}
