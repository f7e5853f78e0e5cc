"""What operators do over HTTP, what then reaches the target, and what the audit says of it."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.api.office import WHY, Office
from tests.worker.api.test_operating_looking import GRANT, told
from worker.api.operator import answers
from worker.storage.tables import idempotency

FIELD = "/v1/held/awx/E1/is_superuser"
RESYNC = {"kind": "resync", "targets": ["awx"], "why": "changed by hand"}


def runs(office: Office) -> int:
    return len(office.get("/v1/runs").json()["runs"])


def test_a_pause_over_http_is_the_operators_and_so_is_its_end(office: Office) -> None:
    paused = told(answers.Changed, office.post("/v1/targets/awx/pause").json())
    assert (paused["state"], paused["changed"]) == ("paused", True)
    assert office.post("/v1/targets/awx/pause").json()["changed"] is False
    assert office.get("/v1/targets/awx").json()["state"] == "paused"
    assert office.post("/v1/targets/awx/resume").json() == {
        "target": "awx",
        "state": "active",
        "changed": True,
    }
    told_by = [
        (entry["action"], entry["actor"], entry["why"]) for entry in office.rig.audit("target:pause:req")
    ]
    assert told_by == [("target:pause:requested", "operator:bert", "ticket 4711")]
    assert office.post("/v1/targets/nowhere/pause").status_code == 404
    assert office.post("/v1/targets/awx/pause", body={"why": " "}).status_code == 422


def test_an_approval_over_http_has_the_grant_sent(office: Office, awx_target: ReferenceTarget) -> None:
    office.rig.say("E1", GRANT)
    office.rig.work()
    (held,) = told(answers.Decidables, office.get("/v1/held/awx/E1").json())["held"]
    assert (held["before"], held["after"], held["may_be_approved"]) == (False, True, True)
    assert office.post(f"{FIELD}/approve").status_code == 403
    stale = office.post(f"{FIELD}/approve", who="alice", body={**WHY, "hash": "0000"})
    assert stale.status_code == 409
    done = office.post(f"{FIELD}/approve", who="alice", body={**WHY, "hash": held["hash"]})
    assert told(answers.Decided, done.json())["decision"] == "approve"
    office.rig.work()
    assert awx_target.users()["anna.berg"]["is_superuser"] is True
    assert office.rig.audit("held:approve:decided")[0]["actor"] == "operator:alice"


def test_the_other_decisions_are_refused_where_they_cannot_be_said(office: Office) -> None:
    office.rig.say("E1", GRANT)
    office.rig.work()
    assert office.post(f"{FIELD}/reject", who="alice").status_code == 200
    assert office.post(f"{FIELD}/retry").status_code == 200
    assert office.post(f"{FIELD}/discard").status_code == 200
    assert office.post("/v1/held/awx/E1/email/retry").status_code == 409
    assert office.post("/v1/held/awx/E9/email/retry").status_code == 404
    assert office.post("/v1/held/nowhere/E1/email/retry").status_code in (403, 404)


def test_a_run_is_asked_for_and_cancelled(office: Office) -> None:
    asked = office.post("/v1/runs", body=RESYNC)
    run = told(answers.Run, asked.json())
    assert (asked.status_code, run["state"], run["requested_by"]) == (202, "waiting", "operator:bert")
    assert office.rig.signals.sent[-1] == ("run", run["run"])
    assert office.post(f"/v1/runs/{run['run']}/approve", who="alice").status_code == 409
    assert office.post(f"/v1/runs/{run['run']}/cancel").json()["state"] == "cancelled"
    assert office.post(f"/v1/runs/{run['run']}/cancel").status_code == 409
    assert office.post("/v1/runs/99/cancel").status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"targets": None}, 422),
        ({"everything": True}, 422),
        ({"kind": "other"}, 422),
        ({"why": ""}, 422),
        ({"more": 1}, 422),
        ({"targets": ["nowhere"]}, 404),
        ({"subjects": ["E9"]}, 404),
    ],
)
def test_a_run_of_nothing_is_refused(office: Office, change: dict[str, object], status: int) -> None:
    found = office.post("/v1/runs", body={**RESYNC, **change})
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")
    assert runs(office) == 0


def test_a_reconciliation_is_asked_for_once_at_a_time(office: Office) -> None:
    wanted = {"kind": "reconcile", "target": "awx", "policy": "report", "why": "after a restore"}
    run = told(answers.Run, office.post("/v1/runs", who="sam", body=wanted).json())
    assert (run["kind"], run["selection"]["targets"]) == ("reconcile", ["awx"])
    assert office.post("/v1/runs", body=wanted).status_code == 409
    assert office.post("/v1/runs", who="sam", body={**wanted, "target": "spare"}).status_code == 403


def test_a_target_is_enrolled_by_one_run_at_a_time(office: Office) -> None:
    wanted = {"kind": "enrol", "target": "awx", "why": "it is new"}
    run = told(answers.Run, office.post("/v1/runs", who="sam", body=wanted).json())
    assert (run["kind"], run["selection"]) == ("enrol", {"targets": ["awx"]})
    assert office.post("/v1/runs", body=wanted).status_code == 409
    assert office.post("/v1/runs", body={**wanted, "target": "nowhere"}).status_code == 404


def test_a_replay_chooses_people_sources_and_a_beginning(office: Office) -> None:
    wanted = {"kind": "replay", "target": "awx", "since": "2026-01-31T00:00:00Z", "why": "it is new"}
    found = office.post("/v1/runs", who="sam", body={**wanted, "sources": ["hr"]}).json()
    assert found["selection"] == {"targets": ["awx"], "sources": ["hr"], "since": 1769817600.0}
    for strange in ({"sources": ["nobody"]}, {"subjects": ["E9"]}):
        assert office.post("/v1/runs", body={**wanted, **strange}).status_code == 404


def test_a_resync_chooses_by_what_hr_says(office: Office) -> None:
    chosen = {"kind": "resync", "where": "department == 'IT'", "held": True, "why": "x"}
    assert office.post("/v1/runs", body=chosen).json()["selection"] == {
        "where": "department == 'IT'",
        "held": True,
    }
    for where in ("((", "'nobody'", "(" * 400):
        assert office.post("/v1/runs", body={**chosen, "where": where}).status_code == 422


def test_the_same_request_with_the_same_key_is_carried_out_once(office: Office) -> None:
    first = office.post("/v1/runs", body=RESYNC, key="k1")
    again = office.post("/v1/runs", body=RESYNC, key="k1")
    assert (again.status_code, again.json(), again.headers["content-type"]) == (
        first.status_code,
        first.json(),
        first.headers["content-type"],
    )
    assert runs(office) == 1
    assert office.post("/v1/runs", body={**RESYNC, "why": "other"}, key="k1").status_code == 422
    assert office.post("/v1/targets/awx/pause", key="k1").status_code == 422
    office.post("/v1/runs", who="alice", body=RESYNC, key="k1")
    assert runs(office) == 2


def test_a_refusal_is_answered_alike_too(office: Office) -> None:
    run = office.post("/v1/runs", body=RESYNC).json()["run"]
    office.post(f"/v1/runs/{run}/cancel")
    first, again = (office.post(f"/v1/runs/{run}/cancel", key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (409, 409)
    assert (first.json(), first.headers["content-type"]) == (again.json(), again.headers["content-type"])


def test_of_many_at_once_with_one_key_one_is_carried_out(office: Office) -> None:
    answers_: list[int] = []

    def ask() -> None:
        answers_.append(office.post("/v1/runs", body=RESYNC, key="k1").status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(office) == 1
    assert set(answers_) <= {202, 409}


def test_a_request_whose_process_died_is_not_done_again_for_a_day(office: Office) -> None:
    office.post("/v1/runs", body=RESYNC, key="k1")
    with office.rig.writer.begin() as connection:
        connection.execute(sa.update(idempotency).values(status=None, body=None))
    assert office.post("/v1/runs", body=RESYNC, key="k1").status_code == 409
    with office.rig.writer.begin() as connection:
        connection.execute(sa.update(idempotency).values(at=idempotency.c.at - 90_000))
    assert office.post("/v1/runs", body=RESYNC, key="k1").status_code == 202
    assert runs(office) == 2
