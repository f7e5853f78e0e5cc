"""The reference authentik, tokens, rights and masked failures."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS
from tests.reference.conftest import Api

USERS = "/api/v3/core/users/"
ANNA = f"{USERS}2/"
BAD_TOKEN = {"detail": "Token invalid/expired"}
NO_RIGHT = {"detail": "You do not have permission to perform this action."}
MASKED_ALLOW = "GET, HEAD, OPTIONS"


def staff(authentik: Api, *rights: str, **token: str) -> None:
    """Sign in as somebody with these rights."""
    users = [*DEFAULT_USERS, {"id": 9, "username": "kim", "rights": list(rights)}]
    authentik.target.reset(users, [*DEFAULT_TOKENS, {"token": "of-kim", "username": "kim", **token}])
    authentik.sign("Bearer of-kim")


def masked(answer: Any) -> bool:
    return (
        answer.status_code == 405
        and answer.content == b""
        and answer.headers["Allow"] == MASKED_ALLOW
        and answer.headers["Content-Type"].startswith("text/html")
    )


@pytest.mark.parametrize("given", [{"intent": "app_password"}, {"expires": "2001-01-01T00:00:00Z"}])
def test_a_token_that_is_expired_or_of_another_kind_is_403(authentik: Api, given: dict[str, str]) -> None:
    staff(authentik, "view_user", **given)
    for answer in (authentik.get(ANNA), authentik.patch(ANNA, [1]), authentik.patch(f"{USERS}99/", {})):
        assert (answer.status_code, answer.json()) == (403, BAD_TOKEN)
        assert "WWW-Authenticate" not in answer.headers


def test_a_deactivated_owner_loses_the_token(authentik: Api) -> None:
    assert authentik.patch(f"{USERS}1/", {"is_active": False}).status_code == 200
    assert authentik.get(ANNA).json() == BAD_TOKEN


@pytest.mark.parametrize("header", [None, "Basic YTpi", "Token x", "Bearer "])
def test_no_token_at_all_is_told_in_other_words_on_a_listing(authentik: Api, header: str | None) -> None:
    authentik.sign(header)
    assert (authentik.get(ANNA).status_code, authentik.get(ANNA).json()) == (403, NO_RIGHT)
    assert authentik.get(USERS).json() == {"detail": "Authentication credentials were not provided."}


def test_who_may_view_nobody_learns_not_who_is_missing(authentik: Api) -> None:
    staff(authentik)
    for path in (ANNA, f"{USERS}99/", USERS, "/api/v3/core/groups/"):
        assert (authentik.get(path).status_code, authentik.get(path).json()) == (403, NO_RIGHT)
    assert authentik.get(f"{USERS}me/").json()["user"]["username"] == "kim"


def test_a_change_needs_both_rights_and_a_creation_a_third(authentik: Api) -> None:
    statuses = []
    for rights in (("view_user",), ("change_user",), ("view_user", "change_user")):
        staff(authentik, *rights)
        statuses.append((authentik.get(ANNA).status_code, authentik.patch(ANNA, {"name": "x"}).status_code))
    assert statuses == [(200, 403), (403, 403), (200, 200)]
    assert authentik.post(USERS, {"username": "lou", "name": "Lou"}).status_code == 403
    staff(authentik, "add_user")
    assert authentik.post(USERS, {"username": "lou", "name": "Lou"}).status_code == 201


def test_the_right_to_change_makes_a_superuser(authentik: Api) -> None:
    staff(authentik, "view_user", "change_user")
    authentik.sign("Bearer reference-write-token")
    groups = authentik.get(f"{USERS}1/").json()["groups"]
    authentik.sign("Bearer of-kim")
    assert authentik.patch(ANNA, {"groups": groups}).json()["is_superuser"] is True


def test_options_names_what_may_be_done(authentik: Api) -> None:
    assert set(authentik.send("OPTIONS", ANNA).json()["actions"]) == {"PUT"}
    assert set(authentik.send("OPTIONS", USERS).json()["actions"]) == {"POST"}
    staff(authentik, "view_user")
    assert "actions" not in authentik.send("OPTIONS", ANNA).json()
    assert "actions" not in authentik.send("OPTIONS", USERS).json()


@pytest.mark.parametrize("path", ["/api/v3/core/users/2", "/api/v2/core/users/2/", "/api/v3/core//users/2/"])
def test_a_write_to_a_wrong_address_is_a_masked_405_and_a_read_an_html_404(authentik: Api, path: str) -> None:
    assert masked(authentik.patch(path, {"name": "x"}))
    read = authentik.get(path)
    assert (read.status_code, read.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("body", [b'{"name": "\xff"}', b'{"attributes": {"a": {"b\\u0000": 1}}}'])
def test_a_crash_on_a_write_is_a_masked_405(authentik: Api, body: bytes) -> None:
    assert masked(authentik.send("PATCH", ANNA, data=body, headers={"Content-Type": "application/json"}))
    assert authentik.target.users()["anna.berg"]["attributes"] == {}


def test_a_real_405_is_json(authentik: Api) -> None:
    answer = authentik.patch(USERS, {})
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


def test_without_its_database_reads_are_500_and_writes_a_masked_405(authentik: Api) -> None:
    assert authentik.get(ANNA).headers["x-authentik-id"]
    authentik.target.reset(options={"database_down": True})
    assert masked(authentik.patch(ANNA, {"name": "x"}))
    for path in (ANNA, "/-/health/live/"):
        answer = authentik.get(path)
        assert answer.status_code == 500
        assert "x-authentik-id" not in answer.headers


def test_two_writers_of_one_user_name_get_a_200_and_a_masked_405(authentik: Api) -> None:
    authentik.target.reset(options={"meet_before_save": 2})
    answers: list[Any] = []

    def rename(number: int) -> None:
        answers.append(authentik.patch(f"{USERS}{number}/", {"username": "lou"}))

    threads = [threading.Thread(target=rename, args=(number,)) for number in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 405]
    assert sum(masked(answer) for answer in answers) == 1


def test_everybody_sees_their_own_tokens_and_never_a_key(authentik: Api) -> None:
    staff(authentik)
    own = authentik.get("/api/v3/core/tokens/", params={"intent": "api"}).json()
    assert [token["expiring"] for token in own["results"]] == [False]
    assert "of-kim" not in str(own)
    authentik.sign("Bearer reference-write-token")
    everybody = authentik.get("/api/v3/core/tokens/").json()["pagination"]["count"]
    named = authentik.get("/api/v3/core/tokens/", params={"user__username": "kim"}).json()
    assert (everybody, named["pagination"]["count"]) == (2, 1)
    authentik.sign(None)
    assert authentik.get("/api/v3/core/tokens/").status_code == 403
