"""The reference authentik, reading and writing accounts and groups."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS
from tests.reference.conftest import Api

USERS = "/api/v3/core/users/"
ANNA = f"{USERS}2/"
JSON = {"Content-Type": "application/json"}
EVE = {
    "id": 10,
    "username": "eve",
    "email": "eve@example.com",
    "attributes": {"team": "blue", "ext": {"id": "E3"}},
    "groups": ["Staff"],
}


def with_eve(authentik: Api) -> None:
    authentik.target.reset([*DEFAULT_USERS, EVE], DEFAULT_TOKENS, None, {"groups": [{"name": "Ops"}]})


def usernames(authentik: Api, **query: str) -> list[str]:
    answer = authentik.get(f"{USERS}?{urlencode(query)}")
    assert answer.status_code == 200
    return [account["username"] for account in answer.json()["results"]]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"name": "  pad  "}, {"name": "pad"}),
        ({"username": 12}, {"username": "12"}),
        ({"is_active": "no"}, {"is_active": False}),
        ({"last_login": "2026-05-06T07:08:09"}, {"last_login": "2026-05-06T07:08:09Z"}),
        ({"last_login": "2026-05-06"}, {"last_login": "2026-05-06T00:00:00Z"}),
        ({"last_login": "2026-05-06T07:08:09+02:00"}, {"last_login": "2026-05-06T05:08:09Z"}),
        (
            {"nosuchfield": 1, "is_superuser": True, "password": "x", "pk": 5},
            {"is_superuser": False, "pk": 2},
        ),
        ({"email": "Anna@EXAMPLE.com"}, {"email": "Anna@EXAMPLE.com"}),
    ],
)
def test_what_is_sent_is_coerced_trimmed_or_ignored(
    authentik: Api, sent: dict[str, Any], shown: dict[str, Any]
) -> None:
    answer = authentik.patch(ANNA, sent)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in shown} == shown


def test_a_bad_field_keeps_the_good_ones_from_being_saved(authentik: Api) -> None:
    answer = authentik.patch(ANNA, {"name": "kept out", "email": "x", "type": "robot", "attributes": 1})
    assert (answer.status_code, set(answer.json())) == (400, {"email", "type", "attributes"})
    assert authentik.target.users()["anna.berg"]["name"] == "Anna Berg"


def test_attributes_are_replaced_whole_and_come_back_in_jsonbs_order(authentik: Api) -> None:
    with_eve(authentik)
    body = (
        b'{"attributes": {"bb": 1, "c": {"dd": null, "e": 340282366920938463463374607431768211456}, "a": 2}}'
    )
    answer = authentik.send("PATCH", f"{USERS}10/", data=body, headers=JSON)
    assert list(answer.json()["attributes"]) == ["a", "c", "bb"]
    assert answer.json()["attributes"]["c"] == {"e": 2**128, "dd": None}
    assert "team" not in answer.json()["attributes"]


@pytest.mark.parametrize("cleared", [{}, []])
def test_groups_are_replaced_and_an_object_clears_them(authentik: Api, cleared: Any) -> None:
    with_eve(authentik)
    assert authentik.patch(f"{USERS}10/", {"name": "Eve"}).json()["groups"] != []
    assert authentik.patch(f"{USERS}10/", {"groups": cleared}).json()["groups"] == []


@pytest.mark.parametrize("groups", [None, "Ops", ["Ops"], [None], ["11111111-2222-3333-4444-555555555555"]])
def test_groups_are_nothing_but_known_ids(authentik: Api, groups: Any) -> None:
    with_eve(authentik)
    answer = authentik.patch(f"{USERS}10/", {"groups": groups})
    assert (answer.status_code, set(answer.json())) == (400, {"groups"})


def test_put_empties_groups_and_keeps_the_rest(authentik: Api) -> None:
    with_eve(authentik)
    answer = authentik.send("PUT", f"{USERS}10/", json={"username": "eve", "name": "Eve"}).json()
    assert (answer["groups"], answer["email"]) == ([], EVE["email"])
    assert answer["attributes"] == EVE["attributes"]


def test_every_patch_moves_last_updated(authentik: Api) -> None:
    moments = [
        authentik.patch(ANNA, body).json()["last_updated"] for body in ({}, {"name": "A"}, {"name": "A"})
    ]
    assert len(set(moments)) == 3


def test_an_internal_service_account_is_never_anything_else_again(authentik: Api) -> None:
    assert authentik.patch(ANNA, {"type": "internal_service_account"}).status_code == 200
    assert set(authentik.patch(ANNA, {"type": "internal"}).json()) == {"type"}
    assert authentik.patch(ANNA, {"name": "x"}).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"'])
def test_a_body_that_is_no_object_is_400(authentik: Api, body: bytes) -> None:
    answer = authentik.send("PATCH", ANNA, data=body, headers=JSON)
    assert (answer.status_code, set(answer.json())) == (400, {"non_field_errors"})


@pytest.mark.parametrize(
    "body", [b"{", b'{"attributes": {"a": NaN}}', b"\xef\xbb\xbf{}", b'{"name": "\\ud800"}']
)
def test_a_body_that_is_no_json_is_400(authentik: Api, body: bytes) -> None:
    answer = authentik.send("PATCH", ANNA, data=body, headers=JSON)
    assert (answer.status_code, set(answer.json())) == (400, {"detail"})


def test_other_media_types_are_415_and_other_answers_406(authentik: Api) -> None:
    assert authentik.send("PATCH", ANNA, data={"name": "x"}).status_code == 415
    assert authentik.patch(ANNA, {}, headers={"Accept": "text/html"}).status_code == 406
    assert authentik.send("PATCH", ANNA, data=b"").status_code == 200


def test_messages_follow_the_language_that_is_asked_for(authentik: Api) -> None:
    answer = authentik.patch(ANNA, {"username": ""}, headers={"Accept-Language": "de"})
    assert answer.json() == {"username": ["Dieses Feld darf nicht leer sein."]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"username": "eve"}, ["eve"]),
        ({"username": "EVE"}, []),
        ({"email": "eve@example.com"}, ["eve"]),
        ({"search": "exampl", "type": "internal"}, ["admin", "anna.berg", "eve", "omar.haddad"]),
        ({"attributes": json.dumps({"team": "blue"})}, ["eve"]),
        ({"attributes": json.dumps({"ext__id": "E3"})}, ["eve"]),
        ({"attributes": json.dumps({"ext": {"id": "E3"}})}, ["eve"]),
        ({"attributes": json.dumps({"team": "red"})}, []),
        ({"groups_by_name": "Staff"}, ["eve"]),
        ({"is_active": "false"}, []),
        ({"nosuch": "1", "ordering": "nosuch"}, ["admin", "anna.berg", "eve", "omar.haddad"]),
        ({"ordering": "-pk"}, ["eve", "omar.haddad", "anna.berg", "admin"]),
        ({"last_updated__lt": "2001-01-01T00:00:00Z"}, []),
    ],
)
def test_filters_are_exact_and_unknown_ones_are_ignored(
    authentik: Api, query: dict[str, str], found: list[str]
) -> None:
    with_eve(authentik)
    assert usernames(authentik, **query) == found


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"uuid": "x"}, {"uuid"}),
        ({"type": "robot"}, {"type"}),
        ({"groups_by_pk": "11111111-2222-3333-4444-555555555555"}, {"groups_by_pk"}),
        ({"attributes": "team"}, None),
        ({"attributes": "[]"}, None),
        ({"last_updated__gt": "soon"}, {"last_updated__gt"}),
    ],
)
def test_a_bad_filter_is_400_and_of_attributes_a_bare_list(
    authentik: Api, query: dict[str, str], keys: set[str] | None
) -> None:
    answer = authentik.get(f"{USERS}?{urlencode(query)}")
    assert answer.status_code == 400
    assert isinstance(answer.json(), list) if keys is None else set(answer.json()) == keys


def test_a_filter_on_a_single_address_may_exclude_it(authentik: Api) -> None:
    assert authentik.patch(f"{ANNA}?username=admin", {"name": "x"}).status_code == 404
    assert authentik.patch(f"{ANNA}?username=anna.berg", {"name": "x"}).status_code == 200


@pytest.mark.parametrize(
    "number", ["1", "99", "-1", "0", "9" * 30, "x", "7f0e3b1c-0000-4000-8000-000000000000"]
)
def test_nobody_lives_at_a_strange_address_nor_does_the_anonymous_user(authentik: Api, number: str) -> None:
    users = [{"id": 1, "username": "AnonymousUser"}, {"id": 5, "username": "root", "is_superuser": True}]
    authentik.target.reset(users, [{"token": "of-root", "username": "root"}])
    authentik.sign("Bearer of-root")
    answer = authentik.get(f"{USERS}{number}/")
    assert (answer.status_code, set(answer.json())) == (404, {"detail"})


def test_pages_are_numbers_and_capped(authentik: Api) -> None:
    crowd = [{"username": f"u{number:03}"} for number in range(130)]
    authentik.target.reset([*DEFAULT_USERS, *crowd])
    sizes = {size: len(usernames(authentik, page_size=size)) for size in ("0", "-1", "x", "50", "1000")}
    assert sizes == {"0": 20, "-1": 20, "x": 20, "50": 50, "1000": 100}
    numbers = authentik.get(f"{USERS}?page_size=100&page=2").json()["pagination"]
    assert numbers == {
        "next": 0,
        "previous": 1,
        "count": 133,
        "current": 2,
        "total_pages": 2,
        "start_index": 101,
        "end_index": 133,
    }
    assert authentik.get(f"{USERS}?page_size=100&page=3").status_code == 404


def test_groups_are_listed_by_name(authentik: Api) -> None:
    with_eve(authentik)
    listed = authentik.get("/api/v3/core/groups/?name=Ops&include_users=false").json()["results"]
    assert [(group["name"], group["users_obj"]) for group in listed] == [("Ops", None)]


def test_an_account_is_made_and_removed_for_good(authentik: Api) -> None:
    made = authentik.post(USERS, {"username": "lou", "name": "Lou"})
    assert made.status_code == 201
    assert authentik.post(USERS, {"username": "lou", "name": "L"}).json() == {
        "username": ["This field must be unique."]
    }
    assert set(authentik.post(USERS, {}).json()) == {"username", "name"}
    assert (
        authentik.post(USERS, {"username": "x", "name": "x", "type": "internal_service_account"}).status_code
        == 400
    )
    path = f"{USERS}{made.json()['pk']}/"
    assert [authentik.send("DELETE", path).status_code for _ in range(2)] == [204, 404]


def test_the_version_is_told_to_whoever_is_signed_in(authentik: Api) -> None:
    assert authentik.get("/api/v3/admin/version/").json()["version_current"] == "2025.12.4"
    authentik.sign(None)
    assert authentik.get("/api/v3/admin/version/").status_code == 403


def test_the_journal_knows_whose_token_and_whose_account_it_was(authentik: Api) -> None:
    fault = {"kind": "status", "status": 502}
    authentik.target.faults([{"method": "PATCH", "match": {"username": "anna.berg"}, "fault": fault}])
    assert [authentik.patch(f"{USERS}{n}/", {"name": "x"}).status_code for n in (3, 2, 2)] == [200, 502, 200]
    assert {entry["token_owner"] for entry in authentik.target.log()} == {"admin"}
