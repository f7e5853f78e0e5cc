"""Searching, listing and checking Django's own users."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connectors.django_admin import DjangoAdminConnector
from connectors.sdk.contract import Connector, ConnectorConfig, Credential, Timeouts
from connectors.sdk.model import Json, OutcomeKind
from tests.connectors.styles import DJANGO, SECRET
from tests.fixtures.targets import DEFAULT_USERS, ReferenceTarget

PAGE = 3


def people(count: int) -> list[dict[str, Json]]:
    return [DJANGO.body(id=n, username=f"user{n}", email=f"u{n}@example.com") for n in range(1, count + 1)]


def serve(
    server: HTTPServer,
    accounts: Sequence[dict[str, Json]],
    *,
    filters: bool,
    absolute: bool = True,
    total: int | None = None,
) -> None:
    """DRF's page numbers; `filters`: whether the server knows the filter by user name."""

    def listing(request: Request) -> Response:
        name = request.args.get("username")
        chosen = [a for a in accounts if not filters or name is None or a["username"] == name]
        number = int(request.args.get("page", "1"))
        if number > 1 and (number - 1) * PAGE >= len(chosen):
            return Response('{"detail": "Invalid page."}', 404, content_type="application/json")
        path = f"/admin/users/?page={number + 1}" + (f"&username={name}" if name else "")
        link = server.url_for(path) if absolute else path
        following = link if number * PAGE < len(chosen) else None
        body = DJANGO.listing(*chosen[(number - 1) * PAGE : number * PAGE], following=following)
        body["count"] = len(chosen) if total is None else total
        return Response(json.dumps(body), content_type="application/json")

    server.expect_request("/admin/users/").respond_with_handler(listing)


def at(server: HTTPServer, **options: Json) -> Connector:
    config = ConnectorConfig(
        "here",
        server.url_for(""),
        lambda: Credential("token", SECRET),
        timeouts=Timeouts(),
        options=options,
    )
    return DjangoAdminConnector(config)


def test_a_server_that_filters_is_asked_once_for_each_value(httpserver: HTTPServer) -> None:
    serve(httpserver, people(20), filters=True)
    found = at(httpserver).find({"username": ("user7", "former")})
    assert found.outcome.kind is OutcomeKind.OBSERVED
    assert [(match.remote_id, match.matched) for match in found.matches] == [("7", ("username",))]
    assert len(httpserver.log) == 2


@pytest.mark.parametrize("absolute", [True, False])
def test_a_server_that_ignores_the_filter_is_read_to_its_end(
    httpserver: HTTPServer, *, absolute: bool
) -> None:
    serve(httpserver, people(10), filters=False, absolute=absolute)
    found = at(httpserver).find({"username": ("user9", "user2"), "email": ("u9@example.com",)})
    assert found.outcome.kind is OutcomeKind.OBSERVED
    assert {match.remote_id: match.matched for match in found.matches} == {
        "2": ("username",),
        "9": ("username", "email"),
    }


def test_nobody_is_found_only_after_every_page(httpserver: HTTPServer) -> None:
    serve(httpserver, people(10), filters=False)
    found = at(httpserver).find({"username": ("nobody",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.OBSERVED, ())
    assert [request.args.get("page") for request, _ in httpserver.log] == [None, "1", "2", "3", "4"]


def test_a_filter_that_the_server_refuses_is_not_needed(httpserver: HTTPServer) -> None:
    refused = httpserver.expect_ordered_request("/admin/users/", query_string="username=user2")
    refused.respond_with_json({"username": ["Unknown filter."]}, 400)
    rest = httpserver.expect_ordered_request("/admin/users/", query_string="page=1")
    rest.respond_with_json(DJANGO.listing(*people(3)))
    found = at(httpserver).find({"username": ("user2",)})
    assert [match.remote_id for match in found.matches] == ["2"]


def test_a_listing_longer_than_the_cap_is_never_nobody(httpserver: HTTPServer) -> None:
    serve(httpserver, people(10), filters=False)
    found = at(httpserver, find_page_cap=3).find({"username": ("user10",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.AMBIGUOUS, ())
    assert "more than 3 pages (option find_page_cap)" in found.outcome.detail


def test_a_filtered_listing_longer_than_the_cap_is_ambiguous(httpserver: HTTPServer) -> None:
    serve(httpserver, [DJANGO.body(id=n) for n in range(1, 9)], filters=True)
    assert len(at(httpserver).find({"username": ("mira",)}).matches) == 8
    found = at(httpserver, find_page_cap=2).find({"username": ("mira",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.AMBIGUOUS, ())


def test_a_listing_that_moved_while_it_was_read_is_ambiguous(httpserver: HTTPServer) -> None:
    serve(httpserver, people(5), filters=False, total=6)
    found = at(httpserver).find({"username": ("user6",)})
    assert found.outcome.kind is OutcomeKind.AMBIGUOUS
    assert "5 of 6 accounts seen" in found.outcome.detail


def test_a_page_that_is_gone_is_ambiguous(httpserver: HTTPServer) -> None:
    serve(httpserver, people(5), filters=False)
    page = at(httpserver).scan("/admin/users/?page=3")
    assert page.outcome.kind is OutcomeKind.AMBIGUOUS
    assert "shrank" in page.outcome.detail


@pytest.mark.parametrize("status", [500, 403])
def test_a_search_that_fails_says_so(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/admin/users/").respond_with_json({}, status)
    found = at(httpserver).find({"username": ("mira",)})
    expected = {500: OutcomeKind.AMBIGUOUS, 403: OutcomeKind.FORBIDDEN}
    assert (found.outcome.kind, found.matches) == (expected[status], ())


def test_a_search_that_fails_on_a_later_page_says_so(httpserver: HTTPServer) -> None:
    first = DJANGO.listing(*people(3), following="/admin/users/?page=2")
    httpserver.expect_request("/admin/users/", query_string="page=2").respond_with_json({}, 500)
    httpserver.expect_request("/admin/users/").respond_with_json(first)
    found = at(httpserver).find({"username": ("user2",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.AMBIGUOUS, ())


def test_a_search_for_nothing_is_refused(httpserver: HTTPServer) -> None:
    assert at(httpserver).find({"groups": ("1",)}).outcome.kind is OutcomeKind.REJECTED
    assert httpserver.log == []


def test_a_next_page_on_another_origin_is_never_asked_for(httpserver: HTTPServer) -> None:
    elsewhere = DJANGO.listing(*people(3), following="http://evil.example.com/admin/users/?page=2")
    httpserver.expect_request("/admin/users/").respond_with_json(elsewhere)
    assert at(httpserver).find({"username": ("user2",)}).outcome.kind is OutcomeKind.SUSPECT
    page = at(httpserver).scan(None)
    assert (page.outcome.kind, page.records) == (OutcomeKind.SUSPECT, ())


def test_a_scan_reads_page_after_page(httpserver: HTTPServer) -> None:
    serve(httpserver, people(7), filters=False)
    connector = at(httpserver)
    page = connector.scan(None)
    seen = list(page.records)
    while page.cursor is not None:
        page = connector.scan(page.cursor)
        seen += page.records
    assert [remote_id for remote_id, _ in seen] == [str(n) for n in range(1, 8)]
    assert page.total == 7


def test_a_base_url_may_have_a_path(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/intra/admin/users/7/").respond_with_json(DJANGO.body())
    outcome = DJANGO.at(httpserver.url_for("/intra/")).fetch("7")
    assert outcome.kind is OutcomeKind.OBSERVED
    assert outcome.exchange.path == "/intra/admin/users/7/"


def test_a_probe_reads_one_page(httpserver: HTTPServer) -> None:
    serve(httpserver, people(7), filters=False)
    assert at(httpserver).probe().kind is OutcomeKind.OBSERVED
    assert len(httpserver.log) == 1


def test_a_check_with_a_token_cannot_say_whose_it_is(httpserver: HTTPServer) -> None:
    serve(httpserver, people(2), filters=True)
    report = at(httpserver).check()
    assert (report.reachable, report.healthy, report.owner, report.problems) == (True, True, None, ())


def test_a_check_with_a_password_tells_owner_and_rights(httpserver: HTTPServer) -> None:
    serve(httpserver, [DJANGO.body(id=4, username="ops", is_staff=True)], filters=True)
    report = DJANGO.at(httpserver.url_for(""), scheme="basic").check()
    assert (report.owner, report.owner_id, report.rights) == ("ops", "4", ("is_staff",))
    httpserver.clear()
    serve(httpserver, people(2), filters=True)
    report = DJANGO.at(httpserver.url_for(""), scheme="basic").check()
    assert (report.owner, report.owner_id, report.rights) == ("ops", None, ())


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {}, "refuses our credential (401)"),
        (403, {"detail": "Staff only."}, "may not read the accounts (403: Staff only.)"),
        (404, {}, "/admin/users/ lies directly below it"),
        (200, {"users": []}, "does not answer as this API does"),
    ],
)
def test_a_check_says_the_way_out(httpserver: HTTPServer, status: int, body: object, words: str) -> None:
    httpserver.expect_request("/admin/users/").respond_with_json(body, status)
    report = at(httpserver).check()
    assert (report.reachable, report.healthy) == (True, False)
    assert words in report.problems[0]


@pytest.mark.parametrize("cap", [0, -1, True, "9", 1.5, None])
def test_a_cap_that_is_no_number_of_pages_is_refused(httpserver: HTTPServer, cap: Json) -> None:
    with pytest.raises(ValueError, match="find_page_cap must be a number of pages"):
        at(httpserver, find_page_cap=cap)


NAMED: dict[str, Json] = {"groups": {"Editors": 3, "Writers": 5}, "user_permissions": {"may fly": 4}}


def members(target: ReferenceTarget) -> DjangoAdminConnector:
    """A connector with named groups, to a server where Anna is in a group that nobody named."""
    admin, anna, keeper = (
        DEFAULT_USERS[0],
        {**DEFAULT_USERS[1], "groups": [8]},
        {"username": "keeper", "groups": [3, 5], "user_permissions": [4]},
    )
    target.reset([admin, anna, keeper])
    known = Credential("token", target.token)
    return DjangoAdminConnector(ConnectorConfig("here", target.base_url, lambda: known, options=NAMED))


def test_groups_and_permissions_are_names_here_and_ids_there(django_admin_target: ReferenceTarget) -> None:
    connector = members(django_admin_target)
    wanted: dict[str, Json] = {"groups": ["Writers", "Editors"], "user_permissions": ["may fly"]}
    outcome = connector.patch("2", wanted)
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.record is not None
    assert outcome.record["groups"] == ["Editors", "Writers"]
    assert outcome.record["user_permissions"] == ["may fly"]
    row = django_admin_target.users()["anna.berg"]
    assert (row["groups"], row["user_permissions"]) == ([3, 5], [4])


def test_a_group_without_a_name_is_shown_by_its_id_and_survives(django_admin_target: ReferenceTarget) -> None:
    connector = members(django_admin_target)
    assert (connector.fetch("2").record or {})["groups"] == ["#8"]
    assert connector.patch("2", {"groups": ["#8", "Editors"]}).kind is OutcomeKind.APPLIED
    assert django_admin_target.users()["anna.berg"]["groups"] == [3, 8]


def test_an_unknown_group_or_permission_is_refused_with_the_known_ones(
    django_admin_target: ReferenceTarget,
) -> None:
    connector = members(django_admin_target)
    outcome = connector.patch("2", {"groups": ["x"], "user_permissions": ["y"], "first_name": "X"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert {name: why.message for name, why in outcome.fields.items()} == {
        "groups": "unknown group 'x'; known: Editors, Writers",
        "user_permissions": "unknown permission 'y'; known: may fly",
    }
    assert django_admin_target.log() == []


def test_listed_accounts_show_names_too(django_admin_target: ReferenceTarget) -> None:
    connector = members(django_admin_target)
    page = connector.scan(None)
    assert [record["groups"] for _, record in page.records] == [[], ["#8"], ["Editors", "Writers"]]
    found = connector.find({"username": ("keeper",)})
    assert [match.record["user_permissions"] for match in found.matches] == [["may fly"]]


@pytest.mark.parametrize("option", ["groups", "user_permissions"])
def test_a_table_of_names_that_cannot_work_is_refused(httpserver: HTTPServer, option: str) -> None:
    with pytest.raises(ValueError, match=rf"options\.{option}\.Editors must be an id"):
        at(httpserver, **{option: {"Editors": "three"}})
