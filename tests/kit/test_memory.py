"""A server in memory behaves as a validating API does: what it ignores, refuses and never does by halves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from acme_server import AcmeServer

from connectors.sdk.testing import Account

PERSON = {"login": "mira", "given_name": "Mira", "teams": ["Editors"], "enabled": True}


class Api:
    """The server as somebody with a token sees it."""

    def __init__(self, server: AcmeServer) -> None:
        self.server = server
        ids = server.reset([Account("mira", PERSON), Account("sam", {**PERSON, "login": "sam"})])
        self.mira = ids["mira"]
        self.headers = {"Authorization": f"Bearer {server.credential().secret}"}

    def ask(self, method: str, path: str, **how: Any) -> requests.Response:
        headers = {**self.headers, **how.pop("headers", {})}
        return requests.request(method, self.server.base_url + path, headers=headers, timeout=30, **how)

    def change(self, **values: Any) -> requests.Response:
        return self.ask("PATCH", f"/v1/people/{self.mira}/", json=values)

    @property
    def row(self) -> dict[str, Any]:
        return dict(self.server.rows()[self.mira])


@pytest.fixture
def api() -> Iterator[Api]:
    with AcmeServer() as server:
        yield Api(server)


def test_a_server_has_to_be_entered_before_it_has_an_address() -> None:
    with pytest.raises(RuntimeError, match="entered"):
        assert AcmeServer().base_url


def test_what_it_does_not_know_and_what_is_read_only_is_ignored_without_a_word(api: Api) -> None:
    before = api.row
    answer = api.change(nickname="Mi", created_at="2001-01-01T00:00:00Z", id=7)
    assert (answer.status_code, api.row) == (200, before)


def test_values_are_trimmed_as_servers_do(api: Api) -> None:
    assert api.change(given_name="  Mirjam ").json()["given_name"] == "Mirjam"


@pytest.mark.parametrize(
    "values",
    [
        {"given_name": "x" * 61},
        {"given_name": None},
        {"login": "sam"},
        {"login": ""},
        {"contract": "seasonal"},
        {"enabled": "true"},
        {"teams": [99]},
        {"teams": "Editors"},
        {"hired_at": "yesterday"},
    ],
    ids=json.dumps,
)
def test_a_bad_value_refuses_the_whole_change_and_names_its_field(api: Api, values: dict[str, Any]) -> None:
    before = api.row
    answer = api.change(family_name="Holm", **values)
    assert answer.status_code == 400
    assert set(answer.json()) == set(values)
    assert api.row == before


def test_a_taken_name_is_told_apart_from_a_bad_one(api: Api) -> None:
    assert "already exists" in api.change(login="sam").json()["login"][0]


def test_a_password_is_kept_as_a_digest_and_shown_to_nobody(api: Api) -> None:
    assert "password" not in api.change(password="s3cret").json()
    assert "s3cret" not in str(api.server.rows())


def test_what_no_field_names_is_shown_and_may_be_written(api: Api) -> None:
    assert api.change(desk="1.1").json()["desk"] == "1.1"
    assert api.row["desk"] == "1.1"


def test_a_new_account_needs_what_is_unique(api: Api) -> None:
    answer = api.ask("POST", "/v1/people/", json={"given_name": "Nobody"})
    assert (answer.status_code, set(answer.json())) == (400, {"login"})


@pytest.mark.parametrize(
    ("method", "path", "how", "status"),
    [
        ("GET", "/v1/people/", {"headers": {"Authorization": "Bearer wrong"}}, 401),
        ("GET", "/v1/people/999/", {}, 404),
        ("DELETE", "/v1/people/999/", {}, 404),
        ("GET", "/v1/people", {}, 404),
        ("PUT", "/v1/people/", {"json": {}}, 405),
        ("POST", "/v1/people/", {"data": "login=x"}, 415),
        ("POST", "/v1/people/", {"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/v1/people/", {"json": []}, 400),
    ],
)
def test_what_cannot_be_done_is_answered_as_an_api_does(
    api: Api, method: str, path: str, how: dict[str, Any], status: int
) -> None:
    answer = api.ask(method, path, **how)
    assert answer.status_code == status
    assert "detail" in answer.json()


def test_a_filter_it_does_not_have_is_ignored(api: Api) -> None:
    assert api.ask("GET", "/v1/people/?given_name=Nobody").json()["total"] == 3
    assert api.ask("GET", "/v1/people/?login=mira").json()["total"] == 1


def test_a_reset_forgets_everybody_but_the_owner_of_the_token(api: Api) -> None:
    api.server.reset([])
    assert [row["login"] for row in api.server.rows().values()] == ["hirewire"]
