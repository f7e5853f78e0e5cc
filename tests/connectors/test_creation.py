"""Creating accounts and taking rights away: what an answer proves, and passwords that nobody knows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connectors.awx import AwxConnector
from connectors.django_admin import DjangoAdminConnector
from connectors.sdk.contract import Connector, ConnectorConfig, Credential
from connectors.sdk.model import Json, OutcomeKind, Record
from connectors.sdk.passwords import unknown_password
from tests.connectors.styles import AWX, DJANGO, StyleCase
from tests.connectors.wires import resetting, saying, silent, wires
from tests.fixtures.targets import TOKEN, ReferenceTarget

LOU: Record = {"username": "lou", "first_name": "Lou", "email": "lou@example.com"}
CREATING = [pytest.param(AWX, id="awx"), pytest.param(DJANGO, id="django_admin")]


def at(target: ReferenceTarget) -> Connector:
    scheme = "bearer" if target.style == "awx" else "token"
    style = AwxConnector if target.style == "awx" else DjangoAdminConnector
    return style(ConnectorConfig("here", target.base_url, lambda: Credential(scheme, TOKEN)))


def serve(server: HTTPServer, case: StyleCase, status: int, body: object, headers: Any = None) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = Response(text, status=status, headers=headers, content_type="application/json")
    server.expect_request(case.users, method="POST").respond_with_response(answer)


@pytest.fixture(params=["awx", "django_admin"])
def target(request: pytest.FixtureRequest) -> ReferenceTarget:
    found: ReferenceTarget = request.getfixturevalue(f"{request.param}_target")
    return found


def test_a_created_account_is_there_and_nobody_can_sign_in_to_it(target: ReferenceTarget) -> None:
    connector = at(target)
    assert connector.descriptor.can_create
    made = connector.create(LOU)
    assert (made.kind, made.wrong) == (OutcomeKind.APPLIED, ())
    row = target.users()["lou"]
    assert made.remote_id == str(row["id"])
    assert {name: row[name] for name in LOU} == LOU
    assert not row["password"].startswith("md5$")  # no hash that any password could match


def test_a_user_name_that_is_taken_is_a_unique_clash_and_creates_nothing(target: ReferenceTarget) -> None:
    before = target.rows()
    outcome = at(target).create({"username": "anna.berg", "email": "a@example.com"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert outcome.fields["username"].unique
    assert target.rows() == before


@pytest.mark.parametrize("case", CREATING)
@pytest.mark.parametrize(
    ("status", "changes", "kind"),
    [
        (201, {}, OutcomeKind.APPLIED),
        (200, {}, OutcomeKind.APPLIED),
        (201, {"first_name": "Louise"}, OutcomeKind.APPLIED),
        (201, {"username": "somebody.else"}, OutcomeKind.AMBIGUOUS),
        (201, {"id": None}, OutcomeKind.AMBIGUOUS),
        (202, {}, OutcomeKind.AMBIGUOUS),
        (404, {}, OutcomeKind.SUSPECT),
        (403, {}, OutcomeKind.FORBIDDEN),
        (409, {}, OutcomeKind.CONFLICT),
        (500, {}, OutcomeKind.AMBIGUOUS),
    ],
)
def test_created_means_that_the_answer_shows_whose_account_it_is(
    httpserver: HTTPServer, case: StyleCase, status: int, changes: dict[str, Json], kind: OutcomeKind
) -> None:
    serve(httpserver, case, status, case.body(**{**LOU, **changes}))
    outcome = case.at(httpserver.url_for("")).create(LOU)
    assert outcome.kind is kind
    assert outcome.remote_id == ("7" if kind is OutcomeKind.APPLIED else None)
    if "first_name" in changes:
        assert outcome.wrong == ("first_name",)


@pytest.mark.parametrize("case", CREATING)
@pytest.mark.parametrize("body", ["", "{", "[]", "null"])
def test_an_answer_that_is_no_account_leaves_the_creation_open(
    httpserver: HTTPServer, case: StyleCase, body: str
) -> None:
    serve(httpserver, case, 201, body)
    assert case.at(httpserver.url_for("")).create(LOU).kind is OutcomeKind.AMBIGUOUS


@pytest.mark.parametrize("case", CREATING)
@pytest.mark.parametrize("script", [silent, resetting, saying(b"")])
def test_a_creation_whose_answer_is_lost_is_ambiguous_and_sent_once(case: StyleCase, script: Any) -> None:
    with wires(script) as server:
        outcome = case.at(server.url).create(LOU)
    assert (outcome.kind, outcome.remote_id) == (OutcomeKind.AMBIGUOUS, None)
    assert len(server.requests) == 1


@pytest.mark.parametrize("case", CREATING)
@pytest.mark.parametrize("values", [{}, {"username": "a!b"}, {"password": "canary"}, {"nothing": 1}])
def test_what_must_not_be_sent_creates_nothing(
    httpserver: HTTPServer, case: StyleCase, values: dict[str, Json]
) -> None:
    outcome = case.at(httpserver.url_for("")).create(values)
    assert (outcome.kind, set(outcome.fields)) == (OutcomeKind.REJECTED, set(values))
    assert "canary" not in repr(outcome)
    assert httpserver.log == []


def test_a_password_that_the_target_repeats_is_shown_nowhere(httpserver: HTTPServer) -> None:
    def refuse(request: Request) -> Response:
        body = {"password": [f"{request.get_json()['password']} is too odd."]}
        return Response(json.dumps(body), status=400, content_type="application/json")

    httpserver.expect_request(DJANGO.users, method="POST").respond_with_handler(refuse)
    httpserver.expect_request(AWX.path, method="PATCH").respond_with_handler(refuse)
    for outcome in (
        DJANGO.at(httpserver.url_for("")).create(LOU),
        AWX.at(httpserver.url_for("")).demote("7"),
    ):
        sent = httpserver.log[-1][0].get_json()["password"]
        assert outcome.kind is OutcomeKind.REJECTED
        assert "<hidden> is too odd." in outcome.detail
        assert sent not in repr(outcome)


def test_a_demoted_account_has_no_right_and_a_password_nobody_knows(awx_target: ReferenceTarget) -> None:
    grand = {
        "id": 9,
        "username": "mia",
        "password": "Mia-Pass",
        "is_superuser": True,
        "is_system_auditor": True,
    }
    root = {"id": 1, "username": "admin", "is_superuser": True}
    awx_target.reset([root, grand])
    before = awx_target.users()["mia"]["password"]
    connector = at(awx_target)
    assert connector.descriptor.can_demote
    outcome = connector.demote("9")
    assert outcome.kind is OutcomeKind.APPLIED
    row = awx_target.users()["mia"]
    assert (row["is_superuser"], row["is_system_auditor"]) == (False, False)
    assert row["password"] != before
    sent = awx_target.writes()[0]["body"]["password"]
    assert len(sent) == 64
    assert sent not in repr(outcome)


def test_two_demotions_use_two_passwords_that_satisfy_a_policy(awx_target: ReferenceTarget) -> None:
    policy = {f"LOCAL_PASSWORD_MIN_{kind}": 1 for kind in ("DIGITS", "UPPER", "SPECIAL")}
    awx_target.reset(options={**policy, "LOCAL_PASSWORD_MIN_LENGTH": 30})
    kinds = [at(awx_target).demote("2").kind for _ in range(2)]
    assert kinds == [OutcomeKind.APPLIED, OutcomeKind.APPLIED]
    assert len({entry["body"]["password"] for entry in awx_target.writes()}) == 2


def test_a_demotion_that_the_answer_does_not_show_is_not_applied(httpserver: HTTPServer) -> None:
    httpserver.expect_request(AWX.path, method="PATCH").respond_with_json(AWX.body(is_superuser=True))
    outcome = AWX.at(httpserver.url_for("")).demote("7")
    assert (outcome.kind, outcome.wrong) == (OutcomeKind.NOT_APPLIED, ("is_superuser",))
    assert AWX.at(httpserver.url_for("")).demote("../7").kind is OutcomeKind.REJECTED


def test_an_account_of_django_is_not_demoted(httpserver: HTTPServer) -> None:
    assert not DJANGO.style.descriptor.can_demote
    assert DJANGO.at(httpserver.url_for("")).demote("7").kind is OutcomeKind.REJECTED
    assert httpserver.log == []


def test_an_unknown_password_is_never_the_same() -> None:
    assert len({unknown_password() for _ in range(100)}) == 100
