"""The staff users reference target: each row of its contract page, over real HTTP."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import requests

from tests.connectors.images import picture
from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS
from tests.reference.conftest import Api

USERS = "/api/users/"
ME = "/api/users/me/"
ANNA = "/api/users/2/"
GROUPS = {"groups": [{"id": 3, "name": "Editors", "notes": "They edit."}]}


def row(api: Api, username: str = "anna.berg") -> dict[str, Any]:
    return api.target.users()[username]


def upload(api: Api, path: str, content: bytes, **values: Any) -> requests.Response:
    return api.send("PATCH", path, data=values, files={"avatar": ("photo.png", content, "image/png")})


def test_update_user_shows_exactly_the_documented_fields(staff_users: Api) -> None:
    assert set(staff_users.get(ANNA).json()) == {
        *("id", "username", "mobile_number", "email", "avatar", "first_name", "last_name", "full_name"),
        *("gender", "is_staff", "is_admin", "is_active", "last_login", "created_at", "updated_at"),
        *("is_online", "groups_data"),
    }


def test_update_me_shows_exactly_the_documented_fields(staff_users: Api) -> None:
    staff_users.target.reset([{**DEFAULT_USERS[0], "groups": [3]}, *DEFAULT_USERS[1:]], more=GROUPS)
    mine = staff_users.get(ME).json()
    assert set(mine) == {
        *("id", "username", "mobile_number", "email", "avatar", "first_name", "last_name", "full_name"),
        *("gender", "is_profile_completed", "groups", "last_login", "created_at"),
    }
    assert set(mine["groups"][0]) == {"id", "name", "notes", "users_count", "created_at", "updated_at"}
    assert mine["groups"][0]["users_count"] == 1


def test_the_key_of_update_mes_table_can_be_misspelt_as_there(staff_users: Api) -> None:
    staff_users.target.reset(options={"misspelt": True})
    mine = staff_users.get(ME).json()
    assert mine["is_profile_compeleted"] is False
    assert "is_profile_completed" not in mine


def test_patch_changes_only_what_it_names(staff_users: Api) -> None:
    before = staff_users.get(ANNA).json()
    after = staff_users.patch(ANNA, {"last_name": "Berger"}).json()
    changing = {"last_name": "Berger", "full_name": "Anna Berger", "updated_at": after["updated_at"]}
    assert after == {**before, **changing}
    assert row(staff_users)["last_name"] == "Berger"


@pytest.mark.parametrize(
    ("path", "field", "value", "word"),
    [
        (ANNA, "username", "omar.haddad", "already exists"),
        (ANNA, "email", "omar.haddad@example.com", "already exists"),
        (ANNA, "username", None, "null"),
        (ANNA, "email", None, "null"),
        (ANNA, "mobile_number", None, "null"),
        (ANNA, "username", "", "blank"),
        (ANNA, "email", "not an address", "valid email"),
        (ANNA, "gender", "other", "not a valid choice"),
        (ANNA, "is_active", "perhaps", "boolean"),
        (ANNA, "groups", [99], "does not exist"),
        (ANNA, "avatar", "photo.png", "not a file"),
        (ME, "gender", "non-binary", "not a valid choice"),
        (ME, "username", "omar.haddad", "already exists"),
        (ME, "avatar", "photo.png", "not a file"),
    ],
)
def test_rest_frameworks_own_validators_answer(
    staff_users: Api, path: str, field: str, value: Any, word: str
) -> None:
    answer = staff_users.patch(path, {field: value})
    assert answer.status_code == 400
    assert set(answer.json()) == {field}
    assert word in str(answer.json()[field])


def test_a_mobile_number_belongs_to_one_account(staff_users: Api) -> None:
    assert staff_users.patch("/api/users/3/", {"mobile_number": "+1-555-0100"}).status_code == 200
    for path in (ANNA, ME):
        answer = staff_users.patch(path, {"mobile_number": "+1-555-0100"})
        assert (answer.status_code, set(answer.json())) == (400, {"mobile_number"})


@pytest.mark.parametrize("field", ["username", "email", "mobile_number", "first_name", "last_name"])
def test_update_me_takes_null_where_its_table_says_nullable(staff_users: Api, field: str) -> None:
    assert staff_users.patch(ME, {field: None}).json()[field] is None


@pytest.mark.parametrize(
    ("path", "gender"), [(ANNA, "non-binary"), (ME, "other"), (ANNA, "male"), (ME, "female")]
)
def test_each_endpoint_takes_its_own_genders(staff_users: Api, path: str, gender: str) -> None:
    assert staff_users.patch(path, {"gender": gender}).json()["gender"] == gender


def test_groups_go_in_as_ids_and_come_out_as_objects(staff_users: Api) -> None:
    staff_users.target.reset(more={"groups": [*GROUPS["groups"], {"id": 5, "name": "Writers"}]})
    shown = staff_users.patch(ANNA, {"groups": [5, 3]}).json()
    assert "groups" not in shown
    assert shown["groups_data"] == [{"id": 3, "name": "Editors"}, {"id": 5, "name": "Writers"}]
    assert row(staff_users)["groups"] == [3, 5]
    assert staff_users.patch(ANNA, {"groups": []}).json()["groups_data"] == []


def test_update_me_ignores_flags_and_groups_with_200(staff_users: Api) -> None:
    staff_users.target.reset(more=GROUPS)
    asked = {"is_admin": True, "is_active": False, "groups": [3], "first_name": "Ada"}
    assert staff_users.patch(ME, asked).status_code == 200
    mine = row(staff_users, "admin")
    assert (mine["first_name"], mine["is_admin"], mine["is_active"], mine["groups"]) == (
        "Ada",
        False,
        True,
        [],
    )


def test_update_me_acts_on_the_owner_of_the_token(staff_users: Api) -> None:
    users = [*DEFAULT_USERS[:1], {**DEFAULT_USERS[1], "is_admin": True}, *DEFAULT_USERS[2:]]
    staff_users.target.reset(users, [*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    staff_users.sign("Token annas")
    assert staff_users.get(ME).json()["id"] == 2
    staff_users.patch(ME, {"first_name": "Anne"})
    assert [user["first_name"] for user in staff_users.target.rows()] == ["", "Anne", "Omar"]


@pytest.mark.parametrize("path", [ANNA, ME])
def test_an_avatar_is_stored_on_disk_and_shown_as_an_address(staff_users: Api, path: str) -> None:
    content = picture(colour="navy")
    shown = upload(staff_users, path, content, first_name="Ann", gender="female").json()
    assert shown["avatar"].startswith(f"{staff_users.target.base_url}/media/avatars/photo")
    assert shown["first_name"] == "Ann"
    stored = staff_users.target.rows()[shown["id"] - 1]
    assert stored["avatar_sha256"] == hashlib.sha256(content).hexdigest()
    assert staff_users.get(shown["avatar"].removeprefix(staff_users.target.base_url)).content == content


def test_an_avatar_is_removed_by_null(staff_users: Api) -> None:
    address = upload(staff_users, ANNA, picture()).json()["avatar"]
    assert staff_users.patch(ANNA, {"avatar": None}).json()["avatar"] is None
    assert row(staff_users)["avatar"] is None
    assert staff_users.get(address.removeprefix(staff_users.target.base_url)).status_code == 404


@pytest.mark.parametrize("content", [b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"0" * 50, b"x"])
def test_an_avatar_must_be_a_valid_image(staff_users: Api, content: bytes) -> None:
    answer = upload(staff_users, ANNA, content)
    assert (answer.status_code, set(answer.json())) == (400, {"avatar"})
    assert row(staff_users)["avatar"] is None


def test_a_form_says_lists_by_repeated_keys_and_booleans_in_words(staff_users: Api) -> None:
    staff_users.target.reset([*DEFAULT_USERS, {"username": "keeper", "groups": [3, 5]}])
    answer = upload(staff_users, ANNA, picture(), is_staff="true", is_active="false", groups=["3", "5"])
    assert answer.status_code == 200
    after = row(staff_users)
    assert (after["is_staff"], after["is_active"], after["groups"]) == (True, False, [3, 5])


def test_a_form_leaves_alone_what_it_does_not_name(staff_users: Api) -> None:
    staff_users.target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], "is_staff": True, "groups": [3]}])
    upload(staff_users, ANNA, picture())
    after = row(staff_users)
    assert (after["is_staff"], after["is_active"], after["groups"]) == (True, True, [3])


@pytest.mark.parametrize("path", ["/api/users", "/api/users/2", "/api/users/me"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_without_the_slash_the_server_fails_and_nothing_happens(
    staff_users: Api, path: str, method: str
) -> None:
    before = staff_users.target.rows()
    assert staff_users.send(method, path, json={"first_name": "X"}).status_code == 500
    assert staff_users.target.rows() == before


@pytest.mark.parametrize("value", [None, "Token wrong", "Bearer reference-write-token", "Token"])
@pytest.mark.parametrize("path", [ANNA, ME])
def test_a_bad_key_is_401_with_a_challenge(staff_users: Api, path: str, value: str | None) -> None:
    staff_users.sign(value)
    answer = staff_users.patch(path, {"first_name": "X"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")


@pytest.mark.parametrize("path", [USERS, ANNA, ME])
def test_who_is_neither_staff_nor_admin_is_403(staff_users: Api, path: str) -> None:
    staff_users.target.reset(tokens=[{"token": "annas", "username": "anna.berg"}])
    staff_users.sign("Token annas")
    assert staff_users.get(path).status_code == 403


def test_an_unknown_id_is_404(staff_users: Api) -> None:
    assert staff_users.patch("/api/users/999/", {"first_name": "X"}).status_code == 404


@pytest.mark.parametrize(("method", "path"), [("PUT", ANNA), ("PUT", ME), ("POST", USERS), ("DELETE", ANNA)])
def test_no_other_method_is_served(staff_users: Api, method: str, path: str) -> None:
    assert staff_users.send(method, path, json={"first_name": "X"}).status_code == 405
    assert len(staff_users.target.rows()) == 3


def test_the_listing_is_paged_and_filters_only_where_told_to(staff_users: Api) -> None:
    staff_users.target.reset(options={"page_size": 2})
    first = staff_users.get(USERS).json()
    assert (first["count"], first["next"]) == (3, f"{staff_users.target.base_url}{USERS}?page=2")
    assert staff_users.get(f"{USERS}?username=anna.berg").json()["count"] == 3
    staff_users.target.reset(options={"filters": ["username"]})
    assert [user["id"] for user in staff_users.get(f"{USERS}?username=anna.berg").json()["results"]] == [2]


def test_a_token_of_nobody_cannot_be_seeded(staff_users: Api) -> None:
    with pytest.raises(AssertionError, match="no user 'nobody'"):
        staff_users.target.reset(tokens=[{"token": "x", "username": "nobody"}])


def test_the_journal_knows_whose_token_it_was_and_faults_find_their_account(staff_users: Api) -> None:
    fault = {"kind": "status", "status": 418}
    staff_users.target.faults([{"method": "PATCH", "match": {"username": "anna.berg"}, "fault": fault}])
    statuses = [
        staff_users.patch(path, {"gender": "female"}).status_code for path in ("/api/users/3/", ANNA, ME)
    ]
    assert statuses == [200, 418, 200]
    assert [entry["token_owner"] for entry in staff_users.target.log()] == ["admin"] * 3
