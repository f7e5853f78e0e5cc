"""Who may ask what over HTTP: tokens, roles, scopes; and every refusal is audited."""

from __future__ import annotations

import pytest
import requests

from tests.worker.api.office import TIMEOUT_S, Office
from worker.api.operator import access
from worker.domain.operator import Role
from worker.engine.operators import Operators

LOOKING = ["/v1/status", "/v1/targets", "/v1/runs", "/v1/held", "/v1/alarms", "/v1/audit", "/metrics"]


def refusals(office: Office) -> list[tuple[str, str, str]]:
    found = office.rig.audit("operator:access:refused")
    return [(entry["actor"], entry["reason"], entry["what"]) for entry in found]


@pytest.mark.parametrize("path", LOOKING)
def test_nothing_is_told_without_a_token_and_the_refusal_is_audited(office: Office, path: str) -> None:
    found = office.get(path, who=None)
    assert (found.status_code, found.headers["content-type"]) == (401, "application/problem+json")
    assert found.headers["www-authenticate"].startswith("Bearer")
    assert office.get(path, who="hw_wrong").status_code == 401
    assert office.get(path).status_code == 200
    assert refusals(office) == [
        ("http", "no_token", f"http:{path}"),
        ("unknown", "unknown_token", f"http:{path}"),
    ]


def test_a_token_that_is_revoked_or_expired_opens_nothing(office: Office) -> None:
    operators = Operators(office.rig.runtime.store)
    admin = operators.authenticate(office.tokens["root"], Role.ADMIN, "test")
    operators.revoke("vera", admin, "left")
    expired = operators.add("erin", Role.ADMIN, admin, expires_in_s=-1.0)
    assert [office.get("/v1/status", who=who).status_code for who in ("vera", expired)] == [401, 401]
    assert [reason for _, reason, _ in refusals(office)] == ["revoked", "expired"]


def test_a_role_that_does_not_suffice_changes_nothing_and_is_audited(office: Office) -> None:
    found = office.post("/v1/targets/awx/pause", who="vera")
    assert (found.status_code, found.json()["detail"]) == (
        403,
        "vera has the role viewer, this needs operator",
    )
    assert office.get("/v1/targets/awx").json()["state"] == "active"
    assert refusals(office) == [("operator:vera", "role", "target:pause:awx")]


def test_a_token_with_a_scope_acts_on_its_targets_only(office: Office) -> None:
    assert office.post("/v1/targets/awx/pause", who="sam").status_code == 200
    assert office.post("/v1/targets/spare/pause", who="sam").status_code == 403
    everything = {"kind": "resync", "everything": True, "why": "x"}
    assert office.post("/v1/runs", who="sam", body=everything).status_code == 403
    there = {"kind": "resync", "targets": ["awx"], "why": "x"}
    assert office.post("/v1/runs", who="sam", body=there).status_code == 202
    theirs = office.post("/v1/runs", body=everything).json()["run"]
    assert office.post(f"/v1/runs/{theirs}/cancel", who="sam").status_code == 403
    assert office.get("/v1/targets/spare", who="sam").json()["state"] == "active"
    assert [(who, what) for who, reason, what in refusals(office) if reason == "scope"] == [
        ("operator:sam", "target:pause:spare"),
        ("operator:sam", "run:resync"),
    ]
    assert [entry["actor"] for entry in office.rig.audit("run:resync:refused")] == ["operator:sam"]


def test_a_crowd_of_strangers_neither_fills_the_audit_nor_locks_operators_out(office: Office) -> None:
    answers = [office.get("/v1/status", who="hw_wrong").status_code for _ in range(40)]
    assert answers == [401] * 30 + [429] * 10
    assert len(refusals(office)) == 30
    assert office.get("/v1/status").status_code == 200
    assert "retry-after" in office.get("/v1/status", who=None).headers


def test_a_stranger_is_refused_before_the_body_is_read(office: Office) -> None:
    found = requests.post(f"{office.url}/v1/runs", data=b"{", timeout=TIMEOUT_S)
    assert found.status_code == 401


def test_a_body_over_the_limit_is_refused(office: Office) -> None:
    found = office.post("/v1/plan", body={"subject": "x" * (access.BODY_LIMIT + 1)})
    assert (found.status_code, found.headers["content-type"]) == (413, "application/problem+json")
