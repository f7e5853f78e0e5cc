"""The description holds: nothing that it allows, or forbids, is answered in a way that it does not tell."""

from __future__ import annotations

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks

from tests.worker.api.office import TIMEOUT_S, Office
from tests.worker.api.test_operating_looking import GRANT

KNOWN = {"target": "awx", "subject": "E1", "field": "is_superuser", "run": 1, "event_id": "e1"}
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def description(office: Office) -> dict[str, object]:
    found: dict[str, object] = requests.get(f"{office.url}/openapi.json", timeout=TIMEOUT_S).json()
    return found


def answered(office: Office, who: str | None, examples: int) -> set[tuple[str, int]]:
    """Path and status of each request that was made; all of them as the description says."""
    schema = schemathesis.openapi.from_dict(description(office))
    headers = {} if who is None else {"Authorization": f"Bearer {office.tokens[who]}"}
    seen: set[tuple[str, int]] = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        assert operation is not None

        @settings(
            max_examples=examples,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        )
        @given(
            case=operation.as_strategy() | operation.as_strategy(schemathesis.GenerationMode.NEGATIVE),
            real=st.booleans(),
        )
        def hold(case: schemathesis.Case, real: bool) -> None:
            if real:
                case.path_parameters.update({name: KNOWN[name] for name in case.path_parameters})
            checked = CHECKS if case.path != "/readyz" else CHECKS[1:]  # 503 is what it is for
            answer = case.call_and_validate(
                base_url=office.url, headers=headers, checks=checked, timeout=TIMEOUT_S
            )
            seen.add((case.path, answer.status_code))

        hold()
    return seen


@pytest.fixture
def busy(office: Office) -> Office:
    """Somebody is known, something is held, a run waits."""
    office.rig.say("E1", GRANT)
    office.rig.work()
    office.post("/v1/runs", body={"kind": "resync", "targets": ["awx"], "why": "x"})
    return office


@pytest.mark.slow
def test_no_request_has_an_answer_that_is_not_described(busy: Office) -> None:
    statuses = {status for _, status in answered(busy, "root", 6)}
    assert {200, 404, 409, 422} <= statuses


@pytest.mark.slow
def test_no_request_without_a_token_is_answered_but_by_a_refusal(busy: Office) -> None:
    seen = answered(busy, None, 2)
    open_to_all = {"/healthz", "/readyz", "/v1/events", "/v1/events/{event_id}"}
    assert {status for path, status in seen if path not in open_to_all} <= {401, 429}
