"""Each row of the table of answers for authentik, over real HTTP, with an account whose type is known."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Mapping

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from connectors.authentik import AuthentikConnector
from connectors.sdk.contract import ConnectorConfig, Credential, Timeouts
from connectors.sdk.model import Json, Outcome, OutcomeKind
from tests.connectors.wires import Script, answer, keeping, resetting, saying, silent, trickling, wires

PATH = "/api/v3/core/users/7/"
HTML = "<!doctype html><title>authentik</title><h1>Bad Request</h1>"
MASKED = {"Allow": "GET, HEAD, OPTIONS"}
SHORT = Timeouts(connect_s=1.0, read_s=0.3, deadline_s=0.6)
MIRA: dict[str, Json] = {
    "pk": 7,
    "username": "mira",
    "name": "Mira Holm",
    "email": "mira.holm@example.com",
    "is_active": True,
    "last_login": None,
    "type": "internal",
    "path": "users",
    "groups": [],
    "groups_obj": [],
    "attributes": {"dept": "ops"},
    "is_superuser": False,
}


def connector(base_url: str, timeouts: Timeouts = SHORT) -> AuthentikConnector:
    def credential() -> Credential:
        return Credential("bearer", "canary-7f3a91")

    return AuthentikConnector(ConnectorConfig("here", base_url, credential, timeouts=timeouts))


def primed(server: HTTPServer) -> AuthentikConnector:
    """A connector that has read account 7 and knows that it is a person's."""
    known = connector(server.url_for(""))
    server.expect_oneshot_request(PATH, method="GET").respond_with_json(MIRA)
    assert known.fetch("7").kind is OutcomeKind.OBSERVED
    server.clear_log()
    return known


def serve(
    server: HTTPServer,
    status: int,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    kind: str = "application/json",
) -> None:
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    response = Response(text, status=status, headers=headers, content_type=kind)
    server.expect_request(PATH).respond_with_response(response)


def after_a_read(script: Script) -> Script:
    """The first request is answered with the account, every other one meets the script."""
    scripts = itertools.chain([keeping(answer(json.dumps(MIRA).encode()))], itertools.repeat(script))

    def run(conn: socket.socket, over: threading.Event) -> None:
        next(scripts)(conn, over)

    return run


def test_what_the_answer_shows_is_applied_and_the_servers_id_of_it_kept(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 200, {**MIRA, "name": "Mira Lou"}, {"x-authentik-id": "f793614c"})
    outcome = known.patch("7", {"name": "  Mira Lou "})
    assert (outcome.kind, outcome.wrong) == (OutcomeKind.APPLIED, ())
    assert outcome.exchange.request_id == "f793614c"
    assert [request.get_json() for request, _ in httpserver.log] == [{"name": "Mira Lou"}]


def test_a_field_that_did_not_change_is_not_applied(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 200, MIRA)
    outcome = known.patch("7", {"name": "Lou", "path": "users"})
    assert (outcome.kind, outcome.wrong) == (OutcomeKind.NOT_APPLIED, ("name",))


def test_a_sent_field_that_is_not_shown_is_unverified(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 200, {"pk": 7, "name": "Lou"})
    outcome = known.patch("7", {"name": "Lou", "path": "users"})
    assert (outcome.kind, outcome.wrong) == (OutcomeKind.UNVERIFIED, ("path",))


@pytest.mark.parametrize("status", [202, 204])
def test_accepted_and_no_content_are_unverified(httpserver: HTTPServer, status: int) -> None:
    known = primed(httpserver)
    serve(httpserver, status)
    assert known.patch("7", {"name": "Lou"}).kind is OutcomeKind.UNVERIFIED


@pytest.mark.parametrize(
    "body", ["", "{", '{"pk": 7, "na', "[]", "null", '{"pk": 8, "name": "Lou"}', '{"id": 7}']
)
def test_a_success_that_is_not_the_account_is_ambiguous(httpserver: HTTPServer, body: str) -> None:
    known = primed(httpserver)
    serve(httpserver, 200, body)
    assert known.patch("7", {"name": "Lou"}).kind is OutcomeKind.AMBIGUOUS
    assert known.fetch("7").kind is OutcomeKind.AMBIGUOUS


def test_a_success_in_html_is_suspect(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 200, HTML, kind="text/html")
    assert known.patch("7", {"name": "Lou"}).kind is OutcomeKind.SUSPECT
    assert known.fetch("7").kind is OutcomeKind.SUSPECT


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_names_its_fields_and_containers_those_within(httpserver: HTTPServer, status: int) -> None:
    known = connector(httpserver.url_for(""))
    httpserver.expect_oneshot_request(PATH, method="GET").respond_with_json(MIRA)
    serve(httpserver, status, {"email": ["Not so."], "attributes": ["An object."], "code": "x"})
    outcome = known.patch("7", {"name": "Lou", "email": "lou@example.com", "attributes.dept": "hr"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert {name: rejection.message for name, rejection in outcome.fields.items()} == {
        "email": "Not so.",
        "attributes.dept": "An object.",
    }


@pytest.mark.parametrize("body", [{"non_field_errors": ["No data."]}, {"detail": "No data."}, ["No data."]])
def test_a_refusal_of_no_field_is_of_the_whole_request(httpserver: HTTPServer, body: object) -> None:
    known = primed(httpserver)
    serve(httpserver, 400, body)
    outcome = known.patch("7", {"name": "Lou"})
    assert (outcome.kind, outcome.fields) == (OutcomeKind.REJECTED, {})
    assert "No data." in outcome.detail


def test_a_taken_user_name_is_a_unique_clash(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 400, {"username": ["This field must be unique."]})
    assert known.patch("7", {"username": "lou"}).fields["username"].unique


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, OutcomeKind.SUSPECT),
        (302, OutcomeKind.SUSPECT),
        (401, OutcomeKind.SUSPECT),
        (403, OutcomeKind.FORBIDDEN),
        (404, OutcomeKind.MISSING),
        (406, OutcomeKind.REJECTED),
        (408, OutcomeKind.AMBIGUOUS),
        (409, OutcomeKind.CONFLICT),
        (410, OutcomeKind.MISSING),
        (412, OutcomeKind.CONFLICT),
        (413, OutcomeKind.REJECTED),
        (415, OutcomeKind.SUSPECT),
        (428, OutcomeKind.CONFLICT),
        (500, OutcomeKind.AMBIGUOUS),
        (502, OutcomeKind.AMBIGUOUS),
        (503, OutcomeKind.AMBIGUOUS),
        (504, OutcomeKind.AMBIGUOUS),
    ],
)
def test_the_status_decides_where_nothing_else_does(
    httpserver: HTTPServer, status: int, kind: OutcomeKind
) -> None:
    known = primed(httpserver)
    serve(httpserver, status, {"detail": "As it is."}, {"Location": "/elsewhere/"})
    outcomes = known.patch("7", {"name": "Lou"}), known.fetch("7")
    assert [outcome.kind for outcome in outcomes] == [kind, kind]
    assert len(httpserver.log) == 2


@pytest.mark.parametrize("body", ["", HTML])
def test_a_405_without_json_hides_a_failure_and_is_ambiguous(httpserver: HTTPServer, body: str) -> None:
    known = primed(httpserver)
    serve(httpserver, 405, body, MASKED, kind="text/html; charset=utf-8")
    outcome = known.patch("7", {"name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert "hides a failure of the server itself" in outcome.detail


def test_a_405_in_json_is_what_it_says(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 405, {"detail": 'Method "PATCH" not allowed.'}, {"Allow": "GET, POST, HEAD, OPTIONS"})
    assert known.patch("7", {"name": "Lou"}).kind is OutcomeKind.SUSPECT


@pytest.mark.parametrize("words", ["Token invalid/expired", "Authentication credentials were not provided."])
def test_a_403_about_the_token_is_suspect(httpserver: HTTPServer, words: str) -> None:
    known = primed(httpserver)
    serve(httpserver, 403, {"detail": words})
    for outcome in (known.patch("7", {"name": "Lou"}), known.fetch("7")):
        assert outcome.kind is OutcomeKind.SUSPECT
        assert "the token is unknown, expired or no API token" in outcome.detail


def test_a_403_in_any_language_is_about_rights_and_says_what_it_may_hide(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 403, {"detail": "Sie haben nicht die Berechtigung."})
    outcome = known.patch("7", {"name": "Lou"})
    assert outcome.kind is OutcomeKind.FORBIDDEN
    assert "view_user and change_user; without view_user even a deleted account is 403" in outcome.detail


def test_a_404_page_means_a_wrong_address_and_never_a_missing_account(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 404, HTML, kind="text/html; charset=utf-8")
    outcome = known.fetch("7")
    assert outcome.kind is OutcomeKind.SUSPECT
    assert "is the base URL right?" in outcome.detail


def test_a_bad_request_in_html_is_suspect(httpserver: HTTPServer) -> None:
    known = primed(httpserver)
    serve(httpserver, 400, HTML, kind="text/html")
    assert known.patch("7", {"name": "Lou"}).kind is OutcomeKind.SUSPECT


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("17", 17.0), ("1000000000", 6 * 3600.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_a_wait_that_is_asked_for_is_kept(
    httpserver: HTTPServer, status: int, header: str, seconds: float
) -> None:
    known = primed(httpserver)
    serve(httpserver, status, {}, {"Retry-After": header})
    outcome = known.patch("7", {"name": "Lou"})
    assert (outcome.kind, outcome.retry_after_s) == (OutcomeKind.THROTTLED, seconds)


@pytest.mark.parametrize("script", [silent, resetting, saying(b""), saying(answer(b'{"pk": 7')[:-3])])
def test_a_write_whose_answer_is_lost_is_ambiguous_and_sent_once(script: Script) -> None:
    with wires(after_a_read(script)) as server:
        known = connector(server.url)
        known.fetch("7")
        outcome = known.patch("7", {"name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert len([request for request in server.requests if request.startswith(b"PATCH")]) == 1


def test_a_trickled_answer_ends_at_the_deadline_as_ambiguous() -> None:
    whole = answer(json.dumps(MIRA).encode() + b" " * 4096)
    with wires(after_a_read(trickling(whole, 60))) as server:
        known = connector(server.url)
        known.fetch("7")
        outcome = known.patch("7", {"name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert outcome.exchange.duration_s < 2.0


def test_a_refused_connection_is_unreachable(closed_port: int) -> None:
    nowhere = connector(f"http://127.0.0.1:{closed_port}")
    outcomes: list[Outcome] = [nowhere.patch("7", {"name": "Lou"}), nowhere.fetch("7"), nowhere.probe()]
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.UNREACHABLE}
