"""Searching, listing and checking an AWX."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connectors.sdk.contract import Timeouts
from connectors.sdk.model import Json, OutcomeKind
from tests.connectors.styles import AWX, SHORT
from tests.connectors.wires import resetting, wires

ME = AWX.body(id=1, username="ops", is_superuser=True)


def account(remote_id: int, **fields: Json) -> dict[str, Json]:
    return AWX.body(id=remote_id, **fields)


def serve_me(server: HTTPServer, **fields: Json) -> None:
    server.expect_request("/api/v2/me/").respond_with_json(AWX.listing({**ME, **fields}))


def serve_users(server: HTTPServer, *accounts: Mapping[str, Json], following: str | None = None) -> None:
    server.expect_request("/api/v2/users/").respond_with_json(AWX.listing(*accounts, following=following))


def queries(server: HTTPServer) -> list[dict[str, str]]:
    return [request.args.to_dict() for request, _ in server.log if request.path == "/api/v2/users/"]


def test_a_search_asks_for_all_values_of_a_field_at_once(httpserver: HTTPServer) -> None:
    serve_users(httpserver, account(7, username="mira"), account(8, username="mira.holm"))
    found = AWX.at(httpserver.url_for("")).find({"username": ("mira", "mira.holm", "mira")})
    assert found.outcome.kind is OutcomeKind.OBSERVED
    assert [match.remote_id for match in found.matches] == ["7", "8"]
    walk = {"order_by": "id", "id__gt": "0", "page_size": "200"}
    assert queries(httpserver) == [{"username__in": "mira,mira.holm", **walk}]


def test_a_value_with_a_comma_is_asked_for_by_itself(httpserver: HTTPServer) -> None:
    serve_users(httpserver)
    serve_me(httpserver)
    AWX.at(httpserver.url_for("")).find({"email": ('"a,b"@example.com', "c@example.com")})
    assert [query.get("email") for query in queries(httpserver)] == ["c@example.com", '"a,b"@example.com']


def test_a_filter_that_is_ignored_yields_no_match(httpserver: HTTPServer) -> None:
    serve_users(httpserver, account(8, username="other"), account(9, username="MIRA"))
    serve_me(httpserver)
    found = AWX.at(httpserver.url_for("")).find({"username": ("mira",)})
    assert found.outcome.kind is OutcomeKind.OBSERVED
    assert found.matches == ()


def test_every_field_that_agrees_is_named(httpserver: HTTPServer) -> None:
    serve_users(httpserver, account(7), account(8, username="other"))
    found = AWX.at(httpserver.url_for("")).find(
        {"username": ("mira",), "email": ("mira.holm@example.com",), "id": ("7",), "password": ("x",)}
    )
    assert {match.remote_id: match.matched for match in found.matches} == {
        "7": ("username", "email"),
        "8": ("email",),
    }


def test_a_search_for_nothing_is_refused_and_never_says_nobody(httpserver: HTTPServer) -> None:
    found = AWX.at(httpserver.url_for("")).find({"username": ("", "  ", "a\ud800"), "id": ("7",)})
    assert found.outcome.kind is OutcomeKind.REJECTED
    assert httpserver.log == []


def test_nobody_is_believed_of_an_auditor_and_of_no_ordinary_user(httpserver: HTTPServer) -> None:
    serve_users(httpserver)
    kinds = []
    for rights in ({"is_superuser": False, "is_system_auditor": True}, {"is_superuser": False}):
        httpserver.clear()
        serve_users(httpserver)
        serve_me(httpserver, **rights)
        kinds.append(AWX.at(httpserver.url_for("")).find({"username": ("mira",)}).outcome.kind)
    assert kinds == [OutcomeKind.OBSERVED, OutcomeKind.FORBIDDEN]


def test_a_search_that_fails_says_so(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v2/users/").respond_with_data("", 500)
    found = AWX.at(httpserver.url_for("")).find({"username": ("mira",)})
    assert found.outcome.kind is OutcomeKind.AMBIGUOUS
    assert found.matches == ()


@pytest.mark.parametrize(
    "body",
    [
        {"results": None},
        {"count": 1},
        {"results": [7]},
        {"results": [{"username": "mira"}]},
        {"results": [{"id": True, "username": "mira"}]},
        [],
    ],
)
def test_a_listing_that_is_not_whole_is_ambiguous(httpserver: HTTPServer, body: object) -> None:
    httpserver.expect_request("/api/v2/users/").respond_with_json(body)
    connector = AWX.at(httpserver.url_for(""))
    assert connector.find({"username": ("mira",)}).outcome.kind is OutcomeKind.AMBIGUOUS
    assert connector.scan(None).outcome.kind is OutcomeKind.AMBIGUOUS


def test_a_missing_listing_means_a_wrong_base_and_never_nobody(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v2/users/").respond_with_json({"detail": "Not found."}, 404)
    found = AWX.at(httpserver.url_for("")).find({"username": ("mira",)})
    assert found.outcome.kind is OutcomeKind.SUSPECT
    assert "is the base URL right?" in found.outcome.detail


def serve_many(server: HTTPServer, count: int) -> None:
    """AWX's own way: filtered by id, cut at the page size, `next` relative."""

    def listing(request: Request) -> Response:
        after, size = int(request.args["id__gt"]), int(request.args["page_size"])
        left = [number for number in range(1, count + 1) if number > after]
        more = "/api/v2/users/?page=2" if len(left) > size else None
        accounts = [account(number, username="mira") for number in left[:size]]
        body = AWX.listing(*accounts, following=more)
        return Response(json.dumps({**body, "count": len(left)}), content_type="application/json")

    server.expect_request("/api/v2/users/").respond_with_handler(listing)


def test_a_scan_walks_by_id_and_ends(httpserver: HTTPServer) -> None:
    serve_many(httpserver, 450)
    connector = AWX.at(httpserver.url_for(""), Timeouts())
    seen: list[str] = []
    totals = []
    cursor = None
    while True:
        page = connector.scan(cursor)
        assert page.outcome.kind is OutcomeKind.OBSERVED
        seen += [remote_id for remote_id, _ in page.records]
        totals.append(page.total)
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [str(number) for number in range(1, 451)]
    assert totals == [450, None, None]


def test_a_search_reads_on_and_stops_at_two_thousand(httpserver: HTTPServer) -> None:
    serve_many(httpserver, 450)
    connector = AWX.at(httpserver.url_for(""), Timeouts())
    assert len(connector.find({"username": ("mira",)}).matches) == 450
    httpserver.clear()
    serve_many(httpserver, 2001)
    found = connector.find({"username": ("mira",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.AMBIGUOUS, ())


@pytest.mark.parametrize("ids", [(8, 7), (7, 7), (3,)])
def test_a_listing_out_of_order_is_ambiguous(httpserver: HTTPServer, ids: tuple[int, ...]) -> None:
    serve_users(httpserver, *(account(number) for number in ids))
    page = AWX.at(httpserver.url_for("")).scan("5")
    assert page.outcome.kind is OutcomeKind.AMBIGUOUS
    assert page.records == ()


def test_a_next_page_on_another_origin_is_suspect(httpserver: HTTPServer) -> None:
    serve_users(httpserver, account(7), following="https://evil.example.com/api/v2/users/?page=2")
    page = AWX.at(httpserver.url_for("")).scan(None)
    assert page.outcome.kind is OutcomeKind.SUSPECT
    assert "evil.example.com" in page.outcome.detail
    assert page.records == ()


def test_the_targets_own_id_of_a_request_is_kept(httpserver: HTTPServer) -> None:
    httpserver.expect_request(AWX.path).respond_with_json(
        AWX.body(), headers={"X-API-Request-Id": "e306dabaec"}
    )
    assert AWX.at(httpserver.url_for("")).fetch("7").exchange.request_id == "e306dabaec"


def test_a_probe_is_well_when_the_token_belongs_to_somebody(httpserver: HTTPServer) -> None:
    serve_me(httpserver)
    assert AWX.at(httpserver.url_for("")).probe().kind is OutcomeKind.OBSERVED
    httpserver.clear()
    httpserver.expect_request("/api/v2/me/").respond_with_json(AWX.listing())
    assert AWX.at(httpserver.url_for("")).probe().kind is OutcomeKind.SUSPECT
    httpserver.clear()
    httpserver.expect_request("/api/v2/me/").respond_with_json({"detail": "No."}, 401)
    assert AWX.at(httpserver.url_for("")).probe().kind is OutcomeKind.SUSPECT


def serve_ping(server: HTTPServer) -> None:
    server.expect_request("/api/v2/ping/").respond_with_json({"version": "24.6.1"})


def test_a_check_tells_version_owner_and_rights(httpserver: HTTPServer) -> None:
    serve_ping(httpserver)
    serve_me(httpserver, is_system_auditor=True)
    report = AWX.at(httpserver.url_for("")).check()
    assert (report.reachable, report.healthy, report.problems) == (True, True, ())
    assert (report.version, report.owner, report.owner_id) == ("24.6.1", "ops", "1")
    assert report.rights == ("is_superuser", "is_system_auditor")
    assert {request.method for request, _ in httpserver.log} == {"GET"}
    assert len(httpserver.log) <= 4


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ({"is_superuser": False}, "ops, who owns the token, is no superuser: AWX shows only a part"),
        (
            {"is_superuser": False, "is_system_auditor": True},
            "is a system auditor: reads all, changes nothing",
        ),
    ],
)
def test_a_check_says_which_right_is_missing(
    httpserver: HTTPServer, rights: dict[str, Json], words: str
) -> None:
    serve_ping(httpserver)
    serve_me(httpserver, **rights)
    report = AWX.at(httpserver.url_for("")).check()
    assert (report.reachable, report.healthy) == (True, False)
    assert words in report.problems[0]
    assert report.owner == "ops"


def test_a_check_finds_a_token_for_reading_only(httpserver: HTTPServer) -> None:
    serve_ping(httpserver)
    serve_me(httpserver)
    tokens = httpserver.expect_request("/api/v2/users/1/tokens/")
    tokens.respond_with_json({"count": 1, "results": [{"id": 1, "scope": "read"}]})
    report = AWX.at(httpserver.url_for("")).check()
    assert not report.healthy
    assert "scope `read`" in report.problems[0]
    assert AWX.at(httpserver.url_for(""), scheme="basic").check().healthy


def test_a_check_knows_nothing_of_a_token_among_several_kinds(httpserver: HTTPServer) -> None:
    serve_ping(httpserver)
    serve_me(httpserver)
    tokens = httpserver.expect_request("/api/v2/users/1/tokens/")
    tokens.respond_with_json({"results": [{"scope": "read"}, {"scope": "write"}]})
    assert AWX.at(httpserver.url_for("")).check().healthy


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (404, "{}", "application/json", "without /api/v2"),
        (200, "<html><title>AWX</title>", "text/html", "an HTML page (AWX) instead of JSON"),
        (200, "{}", "application/json", "does not answer as this API does"),
        (302, "", "text/html", "set `base_url` to the address that it redirects to"),
        (500, "", "text/html", "look into its own log"),
        (503, "", "text/html", "look into its own log"),
        (429, "{}", "application/json", "try again later"),
        (403, "{}", "application/json", "give its owner the right"),
    ],
)
def test_a_check_says_what_is_wrong_with_the_address_and_the_way_out(
    httpserver: HTTPServer, status: int, body: str, kind: str, words: str
) -> None:
    httpserver.expect_request("/api/v2/ping/").respond_with_data(
        body, status, {"Location": "https://awx.example.com/"}, kind
    )
    report = AWX.at(httpserver.url_for("")).check()
    assert (report.reachable, report.healthy) == (True, False)
    assert words in report.problems[0]
    assert report.version is None


def test_a_check_tells_a_refused_token_from_a_wrong_address(httpserver: HTTPServer) -> None:
    serve_ping(httpserver)
    httpserver.expect_request("/api/v2/me/").respond_with_json({"detail": "No."}, 401)
    report = AWX.at(httpserver.url_for("")).check()
    assert (report.reachable, report.healthy, report.version) == (True, False, "24.6.1")
    assert "refuses our credential (401)" in report.problems[0]


def test_a_check_of_what_is_not_there_says_what_to_look_at(closed_port: int) -> None:
    report = AWX.at(f"http://127.0.0.1:{closed_port}").check()
    assert (report.reachable, report.healthy) == (False, False)
    assert "cannot be reached (connection refused): check `base_url`" in report.problems[0]


def test_a_check_of_what_hangs_up_says_so() -> None:
    with wires(resetting) as server:
        report = AWX.at(server.url, SHORT).check()
    assert "gave no whole answer" in report.problems[0]


def entry(changes: Mapping[str, Json], user: int = 7, actor: str | None = "ops") -> dict[str, Json]:
    """As AWX 24.6.1 writes one (recording awx-336; without an actor: awx-344)."""
    summary: dict[str, Json] = {"user": [{"id": user, "username": "mira"}]}
    if actor is not None:
        summary["actor"] = {"id": 1, "username": actor}
    return {
        "operation": "update",
        "object1": "user",
        "summary_fields": summary,
        "timestamp": "2026-11-23T01:48:12.508860Z",
        "changes": dict(changes),
    }


def serve_log(server: HTTPServer, *entries: dict[str, Json]) -> None:
    server.expect_request("/api/v2/users/7/activity_stream/").respond_with_json(AWX.listing(*entries))


def test_the_log_tells_who_changed_which_field_newest_first(httpserver: HTTPServer) -> None:
    serve_log(
        httpserver,
        entry({"is_system_auditor": [False, True]}, actor=None),
        entry({"first_name": ["Mira", "Mirabel"], "password": ["hidden", "hidden"]}),
    )
    told = AWX.at(httpserver.url_for("")).history("7")
    assert told.outcome.kind is OutcomeKind.OBSERVED
    assert [(one.field, one.value, one.by) for one in told.changes] == [
        ("is_system_auditor", True, None),
        ("first_name", "Mirabel", "ops"),
    ]
    assert {one.at for one in told.changes} == {"2026-11-23T01:48:12.508860Z"}
    ((request, _),) = httpserver.log
    assert request.args.to_dict() == {"order_by": "-id", "page_size": "200"}


def test_what_the_user_did_to_others_is_no_history_of_the_user(httpserver: HTTPServer) -> None:
    odd = [
        {**entry({"email": ["a", "b"]}), "object1": "team"},
        {"summary_fields": None},
        entry({"email": "x"}),
    ]
    serve_log(httpserver, entry({"first_name": ["A", "B"]}, user=8), *odd)
    told = AWX.at(httpserver.url_for("")).history("7")
    assert (told.outcome.kind, told.changes) == (OutcomeKind.OBSERVED, ())


def test_a_log_that_is_closed_tells_nothing(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v2/users/7/activity_stream/").respond_with_json({"detail": "No."}, 403)
    told = AWX.at(httpserver.url_for("")).history("7")
    assert (told.outcome.kind, told.changes) == (OutcomeKind.FORBIDDEN, ())
    assert AWX.at(httpserver.url_for("")).history("me").outcome.kind is OutcomeKind.REJECTED
    assert len(httpserver.log) == 1
