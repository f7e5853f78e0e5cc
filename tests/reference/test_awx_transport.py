"""The reference AWX, "Transport": media types, bodies, addresses by name, headers of each answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS
from tests.reference.conftest import Api

ANNA = "/api/v2/users/2/"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8"])
def test_json_media_types_are_accepted(awx: Api, kind: str) -> None:
    answer = awx.send("PATCH", ANNA, data='{"first_name": "Anne"}', headers={"Content-Type": kind})
    assert answer.json()["first_name"] == "Anne"


@pytest.mark.parametrize(
    "kind",
    [
        *("application/merge-patch+json", "application/json-patch+json", "application/scim+json"),
        *(
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
            "text/json",
            None,
        ),
    ],
)
def test_every_other_media_type_is_415(awx: Api, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = awx.send("PATCH", ANNA, data=b'{"first_name": "Anne"}', headers=headers)
    assert (answer.status_code, set(answer.json())) == (415, {"detail"})
    assert awx.target.users()["anna.berg"]["first_name"] == "Anna"


def test_an_empty_body_is_a_no_op(awx: Api) -> None:
    before = awx.get(ANNA).json()
    answer = awx.send("PATCH", ANNA, data=b"", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, before)


def test_a_latin_1_body_is_honoured(awx: Api) -> None:
    body = '{"first_name": "Zoë"}'.encode("latin-1")
    answer = awx.send("PATCH", ANNA, data=body, headers={"Content-Type": "application/json; charset=latin-1"})
    assert answer.json()["first_name"] == "Zoë"


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"first_name": "x"', b'{"first_name":"x",}', b'[{"first_name":"x"}]', b'"x"', b"5"),
        *(b'{"first_name":"\xff\xfe"}', b'\xef\xbb\xbf{"first_name":"bom"}', gzip.compress(b"{}", mtime=0)),
    ],
)
def test_a_body_that_is_no_json_object_is_400_with_detail(awx: Api, body: bytes) -> None:
    answer = awx.send("PATCH", ANNA, data=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("JSON parse error - ")


def test_a_null_body_is_400_for_all_fields(awx: Api) -> None:
    answer = awx.send("PATCH", ANNA, data=b"null", headers=JSON)
    assert (answer.status_code, set(answer.json())) == (400, {"__all__"})


def test_of_duplicate_keys_the_last_wins_and_nan_is_text(awx: Api) -> None:
    body = b'{"first_name": "one", "first_name": "two", "last_name": NaN}'
    answer = awx.send("PATCH", ANNA, data=body, headers=JSON).json()
    assert (answer["first_name"], answer["last_name"]) == ("two", "nan")


def test_chunked_requests_work(awx: Api) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"first_name": '
        yield b'"Chunked"}'

    assert awx.send("PATCH", ANNA, data=pieces(), headers=JSON).json()["first_name"] == "Chunked"


def test_a_body_over_a_mebibyte_is_413_with_a_page(awx: Api) -> None:
    fits = json.dumps({"junk": "x" * 900_000}).encode()
    assert awx.send("PATCH", ANNA, data=fits, headers=JSON).status_code == 200
    answer = awx.send("PATCH", ANNA, data=fits + b" " * 200_000, headers=JSON)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "text/html")


def test_accept_decides_between_json_a_page_and_406(awx: Api) -> None:
    page = awx.get(ANNA, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    refused = awx.get(ANNA, headers={"Accept": "application/xml"})
    assert (refused.status_code, refused.headers["Content-Type"]) == (406, "application/json")


def test_query_parameters_are_filters_on_detail_addresses_too(awx: Api) -> None:
    assert awx.patch(f"{ANNA}?foo=1", {"first_name": "X"}).status_code == 400
    assert awx.patch(f"{ANNA}?username=omar.haddad", {"first_name": "X"}).status_code == 404
    assert awx.patch(f"{ANNA}?format=json&page_size=1", {"first_name": "X"}).status_code == 200


def test_the_trailing_slash_may_be_missing_on_a_user_and_redirects_on_the_list(awx: Api) -> None:
    assert awx.patch("/api/v2/users/2", {"first_name": "NoSlash"}).json()["first_name"] == "NoSlash"
    answer = awx.get("/api/v2/users?username=x")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/api/v2/users/?username=x")


def test_doubled_slashes_are_one(awx: Api) -> None:
    assert awx.patch("/api/v2//users/2/", {"first_name": "Two"}).json()["first_name"] == "Two"


def test_a_user_has_an_address_by_name(awx: Api) -> None:
    assert awx.get("/api/v2/users/anna.berg/").json()["id"] == 2
    assert awx.patch("/api/v2/users/anna.berg/", {"first_name": "Named"}).json()["first_name"] == "Named"
    assert awx.get("/api/v2/users/ANNA.BERG/").status_code == 404
    assert awx.get(ANNA).json()["related"]["named_url"] == "/api/v2/users/anna.berg/"


def test_names_of_digits_are_ids_except_zero(awx: Api) -> None:
    awx.target.reset([*DEFAULT_USERS, {"id": 8, "username": "3"}, {"id": 9, "username": "0"}])
    assert awx.get("/api/v2/users/3/").json()["username"] == "omar.haddad"
    assert awx.get("/api/v2/users/0/").json()["id"] == 9


def test_by_name_a_403_becomes_404(awx: Api) -> None:
    awx.target.reset(tokens=[*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    awx.sign("Bearer annas")
    assert awx.get("/api/v2/users/3/").status_code == 403
    answer = awx.get("/api/v2/users/omar.haddad/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/api/v2/users/"), ("PATCH", "/api/v2/me/"), ("POST", ANNA)]
)
def test_methods_that_are_not_allowed(awx: Api, method: str, path: str) -> None:
    headers = {"X-HTTP-Method-Override": "GET"}
    answer = awx.send(method, path, json={}, headers=headers)
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


def test_allow_names_the_methods(awx: Api) -> None:
    assert awx.get(ANNA).headers["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert awx.get("/api/v2/users/").headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_the_body_is_parsed_before_the_lookup_and_after_authentication(awx: Api) -> None:
    missing = "/api/v2/users/999/"
    assert awx.patch(missing, {}).json() == {"detail": "No User matches the given query."}
    assert awx.send("PATCH", missing, data=b"{", headers=JSON).status_code == 400
    awx.sign(None)
    assert awx.send("PATCH", missing, data=b"{", headers=JSON).status_code == 401


@pytest.mark.parametrize(
    "path", ["/api/v2/users/99999999999999999999/", "/api/v2/users/-1/", "/api/v2/users/nobody/"]
)
def test_users_that_do_not_exist_are_404_json(awx: Api, path: str) -> None:
    answer = awx.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "No User matches the given query."})


def test_addresses_outside_the_api_are_404_html(awx: Api) -> None:
    answer = awx.get("/api/v1/users/2/")
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")


def test_each_answer_carries_the_api_headers(awx: Api) -> None:
    headers = awx.get(ANNA).headers
    assert headers["X-API-Product-Name"] == "AWX"
    assert headers["X-API-Product-Version"] == "24.6.1"
    assert {"X-API-Node", "X-API-Time", "X-API-Total-Time", "X-API-Request-Id", "Vary"} <= set(headers)
    assert int(headers["Content-Length"]) > 0
    awx.sign(None)
    assert "X-API-Product-Version" not in awx.get(ANNA).headers


def test_a_request_id_is_echoed_only_where_it_is_a_guid(awx: Api) -> None:
    given = "0123456789abcdef0123456789abcdef"
    assert awx.get(ANNA, headers={"X-API-Request-Id": given}).headers["X-API-Request-Id"] == given
    assert awx.get(ANNA, headers={"X-API-Request-Id": "abc"}).headers["X-API-Request-Id"] != "abc"


def test_ping_and_roots_need_no_credential(awx: Api) -> None:
    awx.sign(None)
    assert awx.get("/api/v2/ping/").json()["version"] == "24.6.1"
    assert awx.get("/api/").json()["current_version"] == "/api/v2/"
    assert awx.get("/api/v2/").json()["users"] == "/api/v2/users/"


def test_head_has_headers_and_no_body(awx: Api) -> None:
    answer: Any = awx.send("HEAD", "/api/v2/users/")
    assert (answer.status_code, answer.content) == (200, b"")
