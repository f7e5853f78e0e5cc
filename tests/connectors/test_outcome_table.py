"""Each row of the table of answers, for each style, over real HTTP."""

from __future__ import annotations

import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from connectors.sdk.model import OutcomeKind
from tests.connectors.styles import StyleCase
from tests.connectors.wires import answer, resetting, saying, silent, trickling, wires

HTML = "<!doctype html><title>Sign in</title><h1>Sign in</h1>"
MASKED = {"Allow": "GET, HEAD, OPTIONS"}
FULL_ALLOW = {"Allow": "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"}


def serve(
    server: HTTPServer,
    style: StyleCase,
    status: int,
    body: object = None,
    headers: dict[str, str] | None = None,
    kind: str = "application/json",
) -> None:
    """One answer to everything asked about the account."""
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    response = Response(text, status=status, headers=headers, content_type=kind)
    server.expect_request(style.path).respond_with_response(response)


def test_an_answer_that_shows_every_sent_value_is_applied(httpserver: HTTPServer, style: StyleCase) -> None:
    serve(httpserver, style, 200, style.body(first_name="Mira Lou"))
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "  Mira Lou "})
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.record is not None
    assert outcome.record["first_name"] == "Mira Lou"
    assert outcome.wrong == ()


def test_a_whole_account_with_an_unchanged_field_is_not_applied(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    serve(httpserver, style, 200, style.body(last_name="Berg"))
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou", "last_name": "Berg"})
    assert outcome.kind is OutcomeKind.NOT_APPLIED
    assert outcome.wrong == ("first_name",)
    assert outcome.record is not None
    assert outcome.record["last_name"] == "Berg"


@pytest.mark.parametrize(
    "body",
    ["", "{", '{"id": 7, "first_name": "Lou', "[]", "7", "null", '{"id": 8, "first_name": "Lou"}', "{}"],
)
def test_a_success_that_is_not_the_whole_object_of_the_right_id_is_ambiguous(
    httpserver: HTTPServer, style: StyleCase, body: str
) -> None:
    serve(httpserver, style, 200, body)
    connector = style.at(httpserver.url_for(""))
    assert connector.patch("7", {"first_name": "Lou"}).kind is OutcomeKind.AMBIGUOUS
    assert connector.fetch("7").kind is OutcomeKind.AMBIGUOUS


def test_a_success_in_html_is_suspect(httpserver: HTTPServer, style: StyleCase) -> None:
    serve(httpserver, style, 200, HTML, kind="text/html")
    connector = style.at(httpserver.url_for(""))
    outcome = connector.patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.SUSPECT
    assert "Sign in" in outcome.detail
    assert connector.fetch("7").kind is OutcomeKind.SUSPECT


@pytest.mark.parametrize("status", [202, 204])
def test_accepted_and_no_content_are_unverified(
    httpserver: HTTPServer, style: StyleCase, status: int
) -> None:
    serve(httpserver, style, status)
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert outcome.wrong == ("first_name",)


def test_accepted_is_unverified_even_where_it_shows_the_value(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    serve(httpserver, style, 202, style.body(first_name="Lou"))
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert outcome.record is not None


def test_a_sent_field_that_the_answer_does_not_show_is_unverified(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    serve(httpserver, style, 200, {"id": 7, "first_name": "Lou"})
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou", "last_name": "Berg"})
    assert outcome.kind is OutcomeKind.UNVERIFIED
    assert outcome.wrong == ("last_name",)


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_names_its_fields_in_the_targets_own_words(
    httpserver: HTTPServer, style: StyleCase, status: int
) -> None:
    body = {
        "email": ["Enter a valid email address."],
        "last_name": {"0": ["Too odd."], "1": "No."},
        "code": "x",
    }
    serve(httpserver, style, status, body)
    changes = {"first_name": "Lou", "last_name": "Berg", "email": "lou@example.com"}
    outcome = style.at(httpserver.url_for("")).patch("7", changes)
    assert outcome.kind is OutcomeKind.REJECTED
    assert {name: rejection.message for name, rejection in outcome.fields.items()} == {
        "email": "Enter a valid email address.",
        "last_name": "0: Too odd.; 1: No.",
    }
    assert not any(rejection.unique for rejection in outcome.fields.values())


@pytest.mark.parametrize(
    "body",
    [
        {"non_field_errors": ["Not like this."]},
        {"__all__": ["Not like this."]},
        {"detail": "Not like this."},
        ["Not like this."],
        "Not like this.",
    ],
)
def test_a_refusal_that_names_no_sent_field_is_of_the_whole_request(
    httpserver: HTTPServer, style: StyleCase, body: object
) -> None:
    serve(httpserver, style, 400, json.dumps(body))
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert outcome.fields == {}
    assert "Not like this." in outcome.detail


def test_a_refusal_over_a_field_that_was_not_sent_holds_no_field(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    serve(httpserver, style, 400, {"username": ["This field is required."]})
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert outcome.fields == {}
    assert "username: This field is required." in outcome.detail


@pytest.mark.parametrize(
    "body",
    [
        {"username": ["A user with that username already exists."]},
        {"detail": 'duplicate key value violates unique constraint "auth_user_username_key"'},
        {"detail": "duplicate key value\nDETAIL:  Key (username)=(lou) already exists."},
        {"detail": 'duplicate key value violates unique constraint "k"'},
    ],
)
def test_a_taken_user_name_is_a_unique_clash_in_both_of_its_shapes(
    httpserver: HTTPServer, style: StyleCase, body: object
) -> None:
    serve(httpserver, style, 400, body)
    outcome = style.at(httpserver.url_for("")).patch("7", {"username": "lou", "first_name": "Lou"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert list(outcome.fields) == ["username"]
    assert outcome.fields["username"].unique


def test_a_refusal_that_is_no_json_is_of_the_whole_request(httpserver: HTTPServer, style: StyleCase) -> None:
    serve(httpserver, style, 400, "No.", kind="text/plain")
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert (outcome.kind, outcome.fields, outcome.detail) == (OutcomeKind.REJECTED, {}, "status 400")


def test_a_clash_over_fields_that_were_not_sent_is_of_the_whole_request(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    serve(httpserver, style, 400, {"detail": "duplicate key value violates unique constraint"})
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert outcome.fields == {}


@pytest.mark.parametrize("status", [402, 406, 411, 413, 414, 431, 451])
def test_other_refusals_are_of_the_whole_request(
    httpserver: HTTPServer, style: StyleCase, status: int
) -> None:
    serve(httpserver, style, status, {"first_name": ["whatever"]})
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert outcome.fields == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, OutcomeKind.SUSPECT),
        (302, OutcomeKind.SUSPECT),
        (307, OutcomeKind.SUSPECT),
        (308, OutcomeKind.SUSPECT),
        (401, OutcomeKind.SUSPECT),
        (403, OutcomeKind.FORBIDDEN),
        (404, OutcomeKind.MISSING),
        (408, OutcomeKind.AMBIGUOUS),
        (409, OutcomeKind.CONFLICT),
        (410, OutcomeKind.MISSING),
        (412, OutcomeKind.CONFLICT),
        (415, OutcomeKind.SUSPECT),
        (428, OutcomeKind.CONFLICT),
        (500, OutcomeKind.AMBIGUOUS),
        (501, OutcomeKind.AMBIGUOUS),
        (502, OutcomeKind.AMBIGUOUS),
        (503, OutcomeKind.AMBIGUOUS),
        (504, OutcomeKind.AMBIGUOUS),
        (599, OutcomeKind.AMBIGUOUS),
    ],
)
def test_the_status_decides_where_nothing_else_does(
    httpserver: HTTPServer, style: StyleCase, status: int, kind: OutcomeKind
) -> None:
    serve(httpserver, style, status, {"detail": "As it is."}, {"Location": "/elsewhere/?a=b"})
    connector = style.at(httpserver.url_for(""))
    written, read = connector.patch("7", {"first_name": "Lou"}), connector.fetch("7")
    assert (written.kind, read.kind) == (kind, kind)
    assert written.exchange.status == status
    assert written.record is None
    assert len(httpserver.log) == 2


def test_a_refused_method_in_json_is_suspect(httpserver: HTTPServer, style: StyleCase) -> None:
    serve(httpserver, style, 405, {"detail": 'Method "PATCH" not allowed.'}, MASKED)
    assert style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"}).kind is OutcomeKind.SUSPECT


@pytest.mark.parametrize("body", ["", HTML])
def test_a_masked_server_fault_is_ambiguous(httpserver: HTTPServer, style: StyleCase, body: str) -> None:
    serve(httpserver, style, 405, body, MASKED, kind="text/html")
    assert style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"}).kind is OutcomeKind.AMBIGUOUS


def test_a_refused_method_in_html_that_would_allow_it_is_suspect(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    serve(httpserver, style, 405, HTML, FULL_ALLOW, kind="text/html")
    assert style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"}).kind is OutcomeKind.SUSPECT


def test_a_bad_request_in_html_is_suspect(httpserver: HTTPServer, style: StyleCase) -> None:
    serve(httpserver, style, 400, HTML, kind="text/html")
    assert style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"}).kind is OutcomeKind.SUSPECT


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("1000000000", 6 * 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 6 * 3600.0),
    ],
)
def test_a_wait_that_the_target_asks_for_is_kept_up_to_six_hours(
    httpserver: HTTPServer, style: StyleCase, status: int, header: str, seconds: float
) -> None:
    serve(httpserver, style, status, {"detail": "Slow down."}, {"Retry-After": header})
    outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.THROTTLED
    assert outcome.retry_after_s == seconds


@pytest.mark.parametrize("header", ["soon", "-5", "", "NaN", "1e9", "Wed, 99 Foo"])
def test_a_wait_that_nobody_can_read_still_throttles_429_and_not_503(
    httpserver: HTTPServer, style: StyleCase, header: str
) -> None:
    kinds = []
    for status in (429, 503):
        httpserver.clear()
        serve(httpserver, style, status, {}, {"Retry-After": header})
        outcome = style.at(httpserver.url_for("")).patch("7", {"first_name": "Lou"})
        assert outcome.retry_after_s is None
        kinds.append(outcome.kind)
    assert kinds == [OutcomeKind.THROTTLED, OutcomeKind.AMBIGUOUS]


def test_a_refused_connection_is_unreachable(style: StyleCase, closed_port: int) -> None:
    connector = style.at(f"http://127.0.0.1:{closed_port}")
    for outcome in (connector.patch("7", {"first_name": "Lou"}), connector.fetch("7"), connector.probe()):
        assert outcome.kind is OutcomeKind.UNREACHABLE
        assert outcome.exchange.status is None
        assert outcome.detail == "connection refused"


def test_a_name_that_does_not_resolve_is_unreachable(style: StyleCase) -> None:
    outcome = style.at("http://nowhere.invalid").patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.UNREACHABLE
    assert outcome.detail == "the host name does not resolve"


def test_no_answer_in_time_is_ambiguous_and_a_write_is_sent_once(style: StyleCase) -> None:
    with wires(silent) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert outcome.detail == "no answer in time"
    assert len(server.requests) == 1


def test_a_reset_after_the_request_is_ambiguous_and_a_write_is_sent_once(style: StyleCase) -> None:
    with wires(resetting) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert outcome.exchange.status is None
    assert len(server.requests) == 1


def test_a_connection_closed_without_a_word_is_ambiguous(style: StyleCase) -> None:
    with wires(saying(b"")) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert len(server.requests) == 1


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_an_answer_cut_anywhere_is_ambiguous(style: StyleCase, share: float) -> None:
    whole = answer(style.text(first_name="Lou"))
    with wires(saying(whole[: int(len(whole) * share)])) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert outcome.record is None


def test_an_answer_cut_inside_its_headers_is_ambiguous(style: StyleCase) -> None:
    with wires(saying(b"HTTP/1.1 200 OK\r\nContent-Type: applica")) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS


def test_a_chunked_answer_cut_before_its_end_is_ambiguous(style: StyleCase) -> None:
    body = style.text(first_name="Lou")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with wires(saying(head + f"{len(body):x}\r\n".encode() + body)) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS


@pytest.mark.parametrize("first", [0, 20, 60])
def test_headers_trickled_byte_by_byte_end_at_the_deadline_as_ambiguous(style: StyleCase, first: int) -> None:
    endless = b"HTTP/1.1 200 OK\r\nX-Padding: " + b"p" * 4096
    with wires(trickling(endless, first)) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert outcome.exchange.duration_s < 2.0


def test_a_trickled_body_is_ambiguous_though_each_byte_came_in_time(style: StyleCase) -> None:
    whole = answer(style.text(first_name="Lou") + b" " * 4096)
    with wires(trickling(whole, whole.index(b"\r\n\r\n") + 4)) as server:
        outcome = style.at(server.url).patch("7", {"first_name": "Lou"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert outcome.exchange.status == 200
    assert "not complete within 0.6 s" in outcome.detail
