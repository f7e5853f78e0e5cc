"""What operators see over HTTP: the same as the commands' `--json`, in the forms that are described."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from tests.worker.api.office import Office
from tests.worker.engine.crowd import carry_out
from tests.worker.engine.test_path import ANNA
from worker.api.operator import answers
from worker.api.operator.plans import Plan
from worker.storage.clock import clock

GRANT = {**ANNA, "custom": {"admin": True}}


@pytest.fixture
def known(office: Office) -> Office:
    """Anna is known, and waits for an approval to become a superuser."""
    office.rig.say("E1", GRANT)
    office.rig.work()
    return office


def told(model: type[BaseModel], document: Any) -> Any:
    """The document, once it has the form."""
    model.model_validate(document)
    return document


def pages(office: Office, path: str, name: str, **query: Any) -> list[Any]:
    """All entries of a listing, page by page."""
    found, cursor = [], None
    while True:
        page = office.get(path, **query, **({"cursor": cursor} if cursor else {})).json()
        found += page[name]
        cursor = page["next"]
        if cursor is None:
            return found


def test_status_and_targets_have_their_form(known: Office) -> None:
    status = told(answers.Status, known.get("/v1/status").json())
    assert {row["name"]: (row["accounts"], row["held"]) for row in status["targets"]} == {
        "awx": (1, 1),
        "spare": (1, 0),
    }
    listed = told(answers.Targets, known.get("/v1/targets").json())["targets"]
    assert told(answers.Target, known.get("/v1/targets/awx").json()) == listed[0]
    assert known.get("/v1/targets/nowhere").status_code == 404


def test_a_person_and_their_explanation_have_their_form(known: Office) -> None:
    person = told(answers.Person, known.get("/v1/people/E1").json())
    assert person["attributes"]["given_name"]["value"] == "Anna"
    assert [account["target"] for account in person["accounts"]] == ["awx", "spare"]
    story = told(answers.Story, known.get("/v1/people/E1/explain", target="awx", field="is_superuser").json())
    (account,) = story["accounts"]
    (field,) = account["fields"]
    assert (field["state"], field["desired"], field["observed"]) == ("held", True, False)
    for path in ("/v1/people/E2", "/v1/people/E2/explain"):
        assert known.get(path).status_code == 404


def test_a_plan_is_made_for_a_person_an_event_a_target_and_a_run(known: Office) -> None:
    seen = known.rig.account("E1", "awx").observed
    run = known.post("/v1/runs", body={"kind": "resync", "targets": ["awx"], "why": "x"}).json()["run"]
    event = known.rig.event("E1", {"given_name": "Annika"})
    wanted: list[dict[str, Any]] = [
        {"subject": "E1"},
        {"events": [event, {"id": "x"}]},
        {"event": "e1"},
        {"targets": ["awx"]},
        {"run": run},
    ]
    found = [told(Plan, known.post("/v1/plan", who="vera", body=one).json()) for one in wanted]
    planned = [account for account in found[1]["people"][0]["accounts"] if account["target"] == "awx"]
    assert planned[0]["requests"][0]["body"] == {"first_name": "Annika"}
    assert [refusal.split()[0] for refusal in found[1]["refused"]] == ["events/1"]
    assert found[2]["people"][0]["subject"] == "E1"
    assert [answer["counts"] for answer in found[3:]] == [{"awx": {"held": 1}}] * 2
    assert known.rig.account("E1", "awx").observed == seen


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"subject": "E1", "run": 1}, 422),
        ({"subject": "E9"}, 404),
        ({"event": "e9"}, 404),
        ({"run": 9}, 404),
        ({"targets": ["nowhere"]}, 404),
    ],
)
def test_a_plan_of_nothing_is_refused(office: Office, body: dict[str, Any], status: int) -> None:
    found = office.post("/v1/plan", who="vera", body=body)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")


def test_runs_are_paged_the_newest_first_and_filtered(office: Office) -> None:
    for number in range(5):
        office.post("/v1/runs", body={"kind": "resync", "targets": ["awx"], "why": str(number)})
    found = pages(office, "/v1/runs", "runs", limit=2)
    assert [run["run"] for run in found] == [5, 4, 3, 2, 1]
    told(answers.Runs, office.get("/v1/runs").json())
    told(answers.RunLook, office.get("/v1/runs/1").json())
    assert office.get("/v1/runs", state="done").json()["runs"] == []
    assert office.get("/v1/runs/99").status_code == 404


def test_a_cursor_is_good_for_its_own_listing_and_filters(office: Office) -> None:
    for _ in range(2):
        office.post("/v1/runs", body={"kind": "resync", "targets": ["awx"], "why": "x"})
    cursor = office.get("/v1/runs", limit=1).json()["next"]
    assert office.get("/v1/runs", limit=1, cursor=cursor).status_code == 200
    for query in ({"kind": "resync", "cursor": cursor}, {"cursor": "bm8="}, {"cursor": cursor[:-4]}):
        assert office.get("/v1/runs", **query).status_code == 422
    assert office.get("/v1/alarms", cursor=cursor).status_code == 422


def test_held_fields_are_paged_by_account(office: Office) -> None:
    for number in range(3):
        office.rig.say(f"E{number}", {**ANNA, "user_name": f"nobody{number}"})
    office.rig.work()
    found = pages(office, "/v1/held", "held", limit=1, target="awx")
    assert [(item["subject"], item["reason"]) for item in found] == [(f"E{n}", "missing") for n in range(3)]
    told(answers.HeldFields, office.get("/v1/held").json())
    assert office.get("/v1/held", target="nowhere").status_code == 404


def test_alarms_are_paged_and_filtered(office: Office) -> None:
    for target in ("awx", "spare"):
        office.post(f"/v1/targets/{target}/pause")
    assert [alarm["target"] for alarm in pages(office, "/v1/alarms", "alarms", limit=1)] == ["spare", "awx"]
    (one,) = told(answers.Alarms, office.get("/v1/alarms", target="awx").json())["alarms"]
    assert one["message"] == "awx is paused by operator:bert: ticket 4711"


def test_the_audit_is_paged_the_newest_first_and_loses_nothing_to_what_is_added(known: Office) -> None:
    whole = [record["seq"] for record in known.rig.audit() if record["stream"] == "target:awx"]
    first = told(answers.Records, known.get("/v1/audit", target="awx", limit=2).json())
    known.rig.say("E1", {"given_name": "Annika"})
    known.rig.work()
    rest = pages(known, "/v1/audit", "records", target="awx", limit=3)
    assert [record["seq"] for record in first["records"]] == whole[::-1][:2]
    assert [record["seq"] for record in rest][-len(whole) :] == whole[::-1]
    after = known.get("/v1/audit", target="awx", limit=100, cursor=first["next"]).json()["records"]
    assert [record["seq"] for record in after] == whole[::-1][2:]


def test_the_audit_is_filtered_by_person_action_and_time(known: Office) -> None:
    found = known.get("/v1/audit", subject="E1", action="account:field:held").json()["records"]
    assert [(record["action"], record["field"]) for record in found] == [
        ("account:field:held", "is_superuser")
    ]
    with known.rig.writer.connect() as connection:
        later = clock(connection) + 60
    assert known.get("/v1/audit", since=f"{later:.0f}").json()["records"] == []


def carried_out(office: Office, kind: str) -> int:
    """The number of a run about AWX that is over."""
    run: int = office.post("/v1/runs", body={"kind": kind, "target": "awx", "why": "x"}).json()["run"]
    carry_out(office.rig)
    return run


def test_drift_is_told_page_by_page_as_the_command_line_has_it(known: Office) -> None:
    run = carried_out(known, "reconcile")
    found = pages(known, f"/v1/runs/{run}/drift", "drift", limit=1)
    told(answers.Drifts, {"drift": found, "next": None})
    assert [(row["subject"], row["field"], row["cause"]) for row in found] == [
        ("E1", "is_superuser", "held"),
        (None, "@account", "stranger"),
    ]


def test_proposals_are_told_page_by_page_as_the_command_line_has_it(known: Office) -> None:
    run = carried_out(known, "enrol")
    found = pages(known, f"/v1/runs/{run}/proposals", "proposals", limit=1)
    told(answers.Proposals, {"proposals": found, "next": None})
    verdict = found[0]["verdict"]
    chosen = pages(known, f"/v1/runs/{run}/proposals", "proposals", verdict=verdict)
    assert chosen == [row for row in found if row["verdict"] == verdict]


def test_what_a_run_of_another_kind_found_is_not_there(known: Office) -> None:
    run = carried_out(known, "reconcile")
    assert known.get(f"/v1/runs/{run}/drift").status_code == 200
    for path in (f"/v1/runs/{run}/proposals", f"/v1/runs/{run + 1}/drift"):
        assert known.get(path).status_code == 404
    assert known.get(f"/v1/runs/{run}/drift", cursor="x").status_code == 422
