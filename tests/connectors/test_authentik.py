"""Searching, listing, merging, creating and checking, against the reference authentik."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connectors.authentik import AuthentikConnector
from connectors.sdk.contract import ConnectorConfig, Credential
from connectors.sdk.fields import FieldError
from connectors.sdk.model import Json, OutcomeKind, Page
from tests.connectors.test_authentik_outcomes import MIRA, PATH, connector
from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, TOKEN, ReferenceTarget

EVE: dict[str, Any] = {
    "id": 10,
    "username": "eve",
    "name": "Eve Moss",
    "attributes": {"badge": "E1", "big": 2**70, "deep": {"b": [1, None], "a": True}},
    "groups": ["Staff", "Ops"],
}
ROBOT: dict[str, Any] = {"id": 9, "username": "robot", "type": "service_account"}
SYNC = {"id": 20, "username": "sync", "rights": ["view_user", "change_user", "view_group"]}
VIEWER = {"id": 21, "username": "viewer", "rights": ["view_user"]}
NOBODY = {"id": 22, "username": "nobody"}
TOKENS = [
    *DEFAULT_TOKENS,
    {"token": "of-sync-1", "username": "sync"},
    {"token": "of-viewer-1", "username": "viewer"},
    {"token": "of-nobody-1", "username": "nobody"},
    {"token": "expired-1", "username": "sync", "expires": "2001-01-01T00:00:00Z"},
    {"token": "password-1", "username": "sync", "intent": "app_password"},
]


def seed(
    target: ReferenceTarget, more: Sequence[Mapping[str, Any]] = (), options: Mapping[str, Any] | None = None
) -> None:
    users = [*DEFAULT_USERS, EVE, ROBOT, SYNC, VIEWER, NOBODY, *more]
    target.reset(users, TOKENS, options, {"groups": [{"name": "Editors"}]})


def at(
    target: ReferenceTarget, token: str = TOKEN, options: Mapping[str, Json] | None = None
) -> AuthentikConnector:
    def credential() -> Credential:
        return Credential("bearer", token)

    return AuthentikConnector(ConnectorConfig("here", target.base_url, credential, options=options))


def everybody(known: AuthentikConnector) -> list[str]:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = known.scan(cursor)
        assert page.outcome.kind is OutcomeKind.OBSERVED
        seen += [remote_id for remote_id, _ in page.records]
        cursor = page.cursor
        if cursor is None:
            return seen


def test_the_descriptor_lists_the_documented_fields() -> None:
    fields = AuthentikConnector.descriptor.fields
    writable = {field.name for field in fields if not field.read_only}
    assert writable == {"username", "name", "email", "is_active", "last_login"} | {
        *("type", "path", "groups", "attributes.*")
    }
    assert {field.name for field in fields if field.privileged} == {"type", "groups"}
    assert AuthentikConnector.descriptor.active_field == "is_active"


ACCEPTED: list[tuple[str, Json, Json]] = [
    ("username", " Zoë O'Neil\n", "Zoë O'Neil"),
    ("name", None, ""),
    ("name", "x" * 5000, "x" * 5000),
    ("email", None, ""),
    ("last_login", None, None),
    ("last_login", "2024-02-29T09:00:00+01:00", "2024-02-29T08:00:00Z"),
    ("type", "external", "external"),
    ("path", "users/eng", "users/eng"),
    ("groups", ["b", "a", "b"], ["a", "b"]),
    ("attributes.badge", {"a": [1, None]}, {"a": [1, None]}),
    ("attributes.badge", None, None),
]
REFUSED: list[tuple[str, Json, str]] = [
    ("username", "u" * 151, "at most 150 are allowed"),
    ("username", "  ", "may not be blank"),
    ("email", "a" * 250 + "@b.co", "at most 254 are allowed"),
    ("email", "not-an-email", "is not an e-mail address"),
    ("is_active", None, "cannot be cleared"),
    ("type", "internal_service_account", "is none of internal, external, service_account"),
    ("type", "", "may not be blank"),
    ("path", "/users", "does not match"),
    ("path", "users//a", "does not match"),
    ("attributes.badge", {"a": "\x00"}, "NUL"),
    ("attributes.badge", 2**70, "2^53"),
    ("attributes", {}, "no field of this API"),
    ("uuid", "x", "read-only"),
]


@pytest.mark.parametrize(("name", "value", "sent"), ACCEPTED)
def test_a_documented_value_is_sent_in_its_normal_form(name: str, value: Json, sent: Json) -> None:
    assert connector("http://127.0.0.1:9").encode(name, value) == sent


@pytest.mark.parametrize(("name", "value", "words"), REFUSED)
def test_a_value_against_the_document_is_refused_and_nothing_is_asked(
    httpserver: HTTPServer, name: str, value: Json, words: str
) -> None:
    known = connector(httpserver.url_for(""))
    with pytest.raises(FieldError) as raised:
        known.encode(name, value)
    outcome = known.patch("7", {"is_active": False, name: value})
    assert words in str(raised.value)
    assert (outcome.kind, list(outcome.fields)) == (OutcomeKind.REJECTED, [name])
    assert httpserver.log == []


def test_our_attributes_are_merged_and_all_others_survive(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    outcome = at(authentik_target).patch("10", {"attributes.dept": "ops", "attributes.badge": "E2"})
    assert outcome.kind is OutcomeKind.APPLIED
    assert authentik_target.users()["eve"]["attributes"] == {
        **EVE["attributes"],
        "dept": "ops",
        "badge": "E2",
    }
    assert len(authentik_target.writes()) == 1


def test_attributes_that_cannot_be_sent_back_are_not_overwritten(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json({**MIRA, "attributes": None})
    outcome = connector(httpserver.url_for("")).patch("7", {"attributes.dept": "ops"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert [request.method for request, _ in httpserver.log] == ["GET"]


def test_groups_are_named_and_foreign_members_survive(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    known = at(authentik_target)
    record = known.fetch("10").record
    assert record is not None
    assert record["groups"] == ["Ops", "Staff"]
    outcome = known.patch("10", {"groups": ["Ops", "Editors"]})
    assert outcome.kind is OutcomeKind.APPLIED
    assert authentik_target.users()["eve"]["groups"] == ["Editors", "Ops"]
    assert known.patch("10", {"groups": []}).kind is OutcomeKind.APPLIED
    assert authentik_target.users()["eve"]["groups"] == []


def test_an_unknown_group_is_refused_with_the_known_ones_and_nothing_is_written(
    authentik_target: ReferenceTarget,
) -> None:
    seed(authentik_target)
    outcome = at(authentik_target).patch("10", {"groups": ["Editor"], "name": "Eve"})
    assert outcome.kind is OutcomeKind.REJECTED
    known = "unknown group 'Editor'; known: Editors, Ops, Staff, authentik Admins"
    assert outcome.fields["groups"].message == known
    assert authentik_target.writes() == []


def test_threads_that_miss_a_group_read_the_list_once(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    known = at(authentik_target)
    known.fetch("2")
    together = threading.Barrier(4)

    def patch() -> None:
        together.wait()
        known.patch("2", {"groups": ["Editors"]})

    threads = [threading.Thread(target=patch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([entry for entry in authentik_target.log() if "groups" in entry["path"]]) == 1


def test_a_group_that_was_made_anew_is_found_after_the_first_refusal(
    authentik_target: ReferenceTarget,
) -> None:
    seed(authentik_target)
    known = at(authentik_target)
    assert known.patch("10", {"groups": ["Editors"]}).kind is OutcomeKind.APPLIED
    seed(authentik_target)  # the same names with other ids
    refused = known.patch("10", {"groups": ["Editors"]})
    assert (refused.kind, list(refused.fields)) == (OutcomeKind.REJECTED, ["groups"])
    assert known.patch("10", {"groups": ["Editors"]}).kind is OutcomeKind.APPLIED


def test_groups_that_may_not_be_listed_hold_that_field_only(authentik_target: ReferenceTarget) -> None:
    blind = {"id": 30, "username": "blind", "rights": ["view_user", "change_user"]}
    authentik_target.reset([*DEFAULT_USERS, EVE, blind], [{"token": "of-blind-1", "username": "blind"}])
    outcome = at(authentik_target, "of-blind-1").patch("10", {"groups": ["Editors"], "name": "Eve"})
    assert (outcome.kind, list(outcome.fields)) == (OutcomeKind.REJECTED, ["groups"])
    assert "view_group" in outcome.fields["groups"].message


def test_a_name_of_several_groups_takes_the_configured_id(authentik_target: ReferenceTarget) -> None:
    first, second = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2))
    twins = {"groups": [{"pk": first, "name": "Twin"}, {"pk": second, "name": "Twin"}]}
    authentik_target.reset([*DEFAULT_USERS, EVE], DEFAULT_TOKENS, None, twins)
    unsure = at(authentik_target).patch("10", {"groups": ["Twin"]})
    assert "belongs to several ids" in unsure.fields["groups"].message
    sure = at(authentik_target, options={"groups": {"Twin": second}}).patch("10", {"groups": ["Twin"]})
    assert sure.kind is OutcomeKind.APPLIED
    marked = at(authentik_target).patch("10", {"groups": [f"#{first}"]})
    assert marked.kind is OutcomeKind.APPLIED


TWIN = "10000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "table", [[], {" ": TWIN}, {"a": 7}, {"a": "no-uuid"}, {f"#{TWIN}": TWIN}, {"a": TWIN, "b": TWIN}]
)
def test_a_table_of_groups_that_cannot_work_is_refused(table: Json) -> None:
    with pytest.raises(ValueError, match=r"options\.groups"):
        AuthentikConnector(
            ConnectorConfig(
                "x", "http://127.0.0.1:9", lambda: Credential("bearer", "x"), options={"groups": table}
            )
        )


def test_a_service_account_is_found_and_left_alone(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    match = at(authentik_target).find({"username": ("robot",)}).matches[0]
    assert match.record["type"] == "service_account"
    outcome = at(authentik_target).patch("9", {"is_active": False})
    assert outcome.kind is OutcomeKind.REJECTED
    assert "service accounts are left alone" in outcome.detail
    assert authentik_target.writes() == []


def test_the_type_of_an_account_is_read_once(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    known = at(authentik_target)
    for name in ("Eva", "Evi"):
        assert known.patch("10", {"name": name}).kind is OutcomeKind.APPLIED
    assert [entry["method"] for entry in authentik_target.log()] == ["GET", "PATCH", "PATCH"]


def test_a_search_is_exact_and_tells_case_apart(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target, [{"id": 31, "username": "EVE"}])
    known = at(authentik_target)
    assert [match.remote_id for match in known.find({"username": ("eve",)}).matches] == ["10"]
    both = known.find({"username": ("eve", "EVE"), "name": ("Eve Moss",)})
    assert {match.remote_id: match.matched for match in both.matches} == {
        "10": ("username", "name"),
        "31": ("username",),
    }


def test_a_search_by_an_attribute_finds_its_holder(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    found = at(authentik_target).find({"attributes.badge": ("E9", "E1")})
    assert [(match.remote_id, match.matched) for match in found.matches] == [("10", ("attributes.badge",))]


@pytest.mark.parametrize("key", ["a__b", "7", "contains", "isnull", "has_key", ""])
def test_a_key_that_the_filter_reads_as_a_look_up_is_not_searched_by(
    httpserver: HTTPServer, key: str
) -> None:
    found = connector(httpserver.url_for("")).find({f"attributes.{key}": ("x",)})
    assert found.outcome.kind is OutcomeKind.REJECTED
    assert httpserver.log == []


def listing(*accounts: Mapping[str, Json], following: int = 0) -> dict[str, Json]:
    shown: list[Json] = [dict(account) for account in accounts]
    return {"pagination": {"next": following, "count": len(shown)}, "results": shown}


def test_a_filter_that_is_ignored_yields_no_match(httpserver: HTTPServer) -> None:
    others = [{**MIRA, "pk": number, "username": f"u{number}"} for number in (8, 9)]
    httpserver.expect_request("/api/v3/core/users/").respond_with_json(listing(*others))
    found = connector(httpserver.url_for("")).find({"username": ("mira",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.OBSERVED, ())


def test_nobody_is_believed_of_who_sees_all_and_of_no_other(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    kinds = {
        token: at(authentik_target, token).find({"username": ("none",)}).outcome.kind
        for token in (TOKEN, "of-sync-1", "of-nobody-1", "expired-1")
    }
    assert kinds == {
        TOKEN: OutcomeKind.OBSERVED,
        "of-sync-1": OutcomeKind.OBSERVED,
        "of-nobody-1": OutcomeKind.FORBIDDEN,
        "expired-1": OutcomeKind.SUSPECT,
    }


def test_an_empty_part_of_the_listing_does_not_mean_missing(httpserver: HTTPServer) -> None:
    me = {"user": {"pk": 5, "username": "sync", "is_superuser": False}}
    httpserver.expect_request("/api/v3/core/users/me/").respond_with_json(me)
    httpserver.expect_request("/api/v3/core/users/5/").respond_with_json({"detail": "No."}, 404)
    httpserver.expect_request("/api/v3/core/users/").respond_with_json(listing())
    found = connector(httpserver.url_for("")).find({"username": ("mira",)})
    assert found.outcome.kind is OutcomeKind.FORBIDDEN
    assert "not found does not mean missing" in found.outcome.detail


CROWD = [{"id": 100 + number, "username": f"u{999 - number}"} for number in range(450)]


@pytest.mark.parametrize("largest", [100, 37, 2, 1])
def test_a_scan_sees_everybody_once_whatever_the_servers_page_size(
    authentik_target: ReferenceTarget, largest: int
) -> None:
    crowd = CROWD if largest > 2 else CROWD[:20]
    seed(authentik_target, crowd, {"max_page_size": largest})
    seen = everybody(at(authentik_target))
    assert seen == sorted(seen, key=int)
    assert seen == [str(row["id"]) for row in authentik_target.rows()]


def walk_with(authentik_target: ReferenceTarget, gone: int, come: int) -> tuple[list[str], list[str]]:
    """Whom a scan sees when, after its first page, accounts leave at its head and others join."""
    seed(authentik_target, CROWD)
    known = at(authentik_target)
    page: Page = known.scan(None)
    seen = [remote_id for remote_id, _ in page.records]
    left = {str(row["id"]) for row in CROWD[:gone]}
    late = [{"id": 9000 + number, "username": f"late{number}"} for number in range(come)]
    seed(authentik_target, [*CROWD[gone:], *late])
    while page.cursor is not None:
        page = known.scan(page.cursor)
        assert page.outcome.kind is OutcomeKind.OBSERVED
        seen += [remote_id for remote_id, _ in page.records]
    stayed = [str(row["id"]) for row in authentik_target.rows()]
    return [remote_id for remote_id in seen if remote_id not in left], stayed


@pytest.mark.parametrize(("gone", "come"), [(0, 3), (1, 0), (1, 1), (30, 0), (90, 90)])
def test_a_scan_loses_nobody_while_accounts_come_and_go(
    authentik_target: ReferenceTarget, gone: int, come: int
) -> None:
    seen, stayed = walk_with(authentik_target, gone, come)
    assert seen == stayed


@pytest.mark.parametrize(
    "body",
    [
        {"results": []},
        {"pagination": {"next": 0}, "results": [7]},
        {"pagination": {"next": "2"}, "results": []},
        {"pagination": {"next": 0}, "results": [{**MIRA, "pk": 9}, {**MIRA, "pk": 8}]},
        {"pagination": {"next": 0}, "results": [{**MIRA, "pk": "x"}]},
    ],
)
def test_a_listing_that_is_not_whole_or_not_in_order_is_ambiguous(
    httpserver: HTTPServer, body: object
) -> None:
    httpserver.expect_request("/api/v3/core/users/").respond_with_json(body)
    known = connector(httpserver.url_for(""))
    assert known.scan(None).outcome.kind is OutcomeKind.AMBIGUOUS
    assert known.find({"username": ("mira",)}).outcome.kind is OutcomeKind.AMBIGUOUS


def test_a_listing_that_never_follows_on_is_ambiguous(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v3/core/users/").respond_with_json(
        listing({**MIRA, "pk": 1}, following=2)
    )
    known = connector(httpserver.url_for(""))
    assert known.scan("300.7.100").outcome.kind is OutcomeKind.AMBIGUOUS
    assert known.find({"username": ("mira",)}).outcome.kind is OutcomeKind.AMBIGUOUS


def test_an_account_is_created_with_what_is_known_of_the_person(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    known = at(authentik_target)
    values: dict[str, Json] = {"username": "lou", "groups": ["Editors"], "attributes.badge": "E7"}
    made = known.create(values)
    assert made.kind is OutcomeKind.APPLIED
    row = authentik_target.users()["lou"]
    assert made.remote_id == str(row["id"])
    assert (row["name"], row["groups"], row["attributes"]) == ("lou", ["Editors"], {"badge": "E7"})
    taken = known.create({"username": "lou"})
    assert taken.kind is OutcomeKind.REJECTED
    assert taken.fields["username"].unique
    assert known.create({"username": "max", "groups": ["Nobody's"]}).fields.keys() == {"groups"}
    assert [entry["status"] for entry in authentik_target.writes()] == [201, 400]


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("wrong-1", "says Token invalid/expired: the token is unknown, expired or no API token"),
        ("expired-1", "make a token with the intent `api` that does not expire"),
        ("password-1", "no API token"),
        ("of-viewer-1", "viewer, who owns the token, may read the accounts but not change them"),
        ("of-nobody-1", "nobody, who owns the token, may not read the accounts"),
    ],
)
def test_a_check_says_what_is_wrong_with_the_token_and_the_way_out(
    authentik_target: ReferenceTarget, token: str, words: str
) -> None:
    seed(authentik_target)
    report = at(authentik_target, token).check()
    assert (report.reachable, report.healthy) == (True, False)
    assert words in report.problems[0]
    assert len(authentik_target.log()) <= 4
    assert authentik_target.writes() == []


def test_a_check_tells_version_owner_and_rights(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    report = at(authentik_target).check()
    assert (report.healthy, report.version, report.problems) == (True, "2025.12.4", ())
    assert (report.owner, report.owner_id, report.rights) == ("admin", "1", ("is_superuser",))
    report = at(authentik_target, "of-sync-1").check()
    assert (report.healthy, report.rights) == (True, ("view_user", "change_user"))


def test_a_check_with_a_password_asks_for_a_token(authentik_target: ReferenceTarget) -> None:
    def credential() -> Credential:
        return Credential("basic", "canary", "admin")

    known = AuthentikConnector(ConnectorConfig("here", authentik_target.base_url, credential))
    assert "set `credential.scheme` to `bearer`" in known.check().problems[0]
    assert known.probe().kind is OutcomeKind.SUSPECT


def test_a_check_below_a_wrong_path_says_what_the_base_is(authentik_target: ReferenceTarget) -> None:
    def credential() -> Credential:
        return Credential("bearer", TOKEN)

    known = AuthentikConnector(ConnectorConfig("x", f"{authentik_target.base_url}/api/v3", credential))
    assert "without /api/v3" in known.check().problems[0]


def test_rights_that_a_server_does_not_tell_are_not_called_missing(httpserver: HTTPServer) -> None:
    me = {"user": {"pk": 7, "username": "sync", "is_superuser": False}}
    httpserver.expect_request("/api/v3/core/users/me/").respond_with_json(me)
    httpserver.expect_request(PATH, method="GET").respond_with_json(MIRA)
    report = connector(httpserver.url_for("")).check()
    assert (report.healthy, report.rights, report.version) == (True, ("view_user",), None)


def test_a_token_of_nobody_is_suspect(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v3/core/users/me/").respond_with_json({"user": {}})
    assert connector(httpserver.url_for("")).probe().kind is OutcomeKind.SUSPECT


def test_a_write_into_a_server_without_its_database_is_ambiguous(authentik_target: ReferenceTarget) -> None:
    seed(authentik_target)
    known = at(authentik_target)
    known.fetch("10")
    seed(authentik_target, options={"database_down": True})
    outcome = known.patch("10", {"name": "Eva"})
    assert (outcome.kind, outcome.exchange.status) == (OutcomeKind.AMBIGUOUS, 405)
    assert outcome.exchange.request_id is None
    assert known.fetch("10").kind is OutcomeKind.AMBIGUOUS


def test_an_account_is_not_demoted_here(httpserver: HTTPServer) -> None:
    assert connector(httpserver.url_for("")).demote("7").kind is OutcomeKind.REJECTED
    assert httpserver.log == []


def test_no_language_is_asked_for(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json(MIRA)
    connector(httpserver.url_for("")).fetch("7")
    assert "Accept-Language" not in httpserver.log[0][0].headers


GROUPS = "/api/v3/core/groups/"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"results": []}, 200, OutcomeKind.AMBIGUOUS),
        ({"pagination": {"next": 2}, "results": [{"pk": TWIN, "name": "Twin"}]}, 200, OutcomeKind.AMBIGUOUS),
        ({"detail": "Token invalid/expired"}, 403, OutcomeKind.SUSPECT),
        ({"detail": "Down."}, 502, OutcomeKind.AMBIGUOUS),
    ],
)
def test_a_list_of_groups_that_is_not_whole_lets_no_write_out(
    httpserver: HTTPServer, body: object, status: int, kind: OutcomeKind
) -> None:
    httpserver.expect_request(GROUPS).respond_with_json(body, status)
    known = connector(httpserver.url_for(""))
    assert known.patch("7", {"groups": ["Editors"]}).kind is kind
    assert known.create({"username": "lou", "groups": ["Editors"]}).kind is kind
    assert {request.method for request, _ in httpserver.log} == {"GET"}
    assert len(httpserver.log) <= 100


def test_what_is_no_group_in_the_list_is_passed_over(httpserver: HTTPServer) -> None:
    odd: list[Json] = [7, {"pk": None, "name": "x"}, {"pk": TWIN}, {"pk": TWIN, "name": "Editors"}]
    httpserver.expect_request(GROUPS).respond_with_json({"pagination": {"next": 0}, "results": odd})
    shown = {**MIRA, "groups": [TWIN], "groups_obj": None}
    httpserver.expect_request(PATH).respond_with_json(shown)
    outcome = connector(httpserver.url_for("")).patch("7", {"groups": ["Editors"]})
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.record is not None
    assert outcome.record["groups"] == ["Editors"]


def test_a_value_that_a_thousand_accounts_hold_identifies_nobody(httpserver: HTTPServer) -> None:
    def crowd(request: Request) -> Response:
        size, page = int(request.args["page_size"]), int(request.args["page"])
        first = (page - 1) * size + 1
        accounts = [{**MIRA, "pk": number} for number in range(first, first + size)]
        return Response(json.dumps(listing(*accounts, following=page + 1)), content_type="application/json")

    httpserver.expect_request("/api/v3/core/users/").respond_with_handler(crowd)
    found = connector(httpserver.url_for("")).find({"username": ("mira",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.AMBIGUOUS, ())


def test_an_account_that_cannot_be_read_is_not_written(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json({"detail": "No User matches the given query."}, 404)
    outcome = connector(httpserver.url_for("")).patch("7", {"attributes.dept": "ops"})
    assert outcome.kind is OutcomeKind.MISSING
    assert [request.method for request, _ in httpserver.log] == ["GET"]
