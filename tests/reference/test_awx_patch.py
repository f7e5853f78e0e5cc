"""The reference AWX, "Writable by PATCH" and PUT, POST, DELETE: what takes effect, what only seems to."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS
from tests.reference.conftest import Api

ANNA = "/api/v2/users/2/"
USERS = "/api/v2/users/"


def basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def test_patch_answers_200_with_the_whole_user(awx: Api) -> None:
    before = awx.get(ANNA).json()
    answer = awx.patch(ANNA, {"first_name": "Anne", "last_name": "Berger", "email": "anne@example.com"})
    changed = {"first_name": "Anne", "last_name": "Berger", "email": "anne@example.com"}
    assert (answer.status_code, answer.json()) == (200, {**before, **changed})
    assert awx.get(ANNA).json() == answer.json()


def test_the_user_has_exactly_the_observed_keys(awx: Api) -> None:
    assert set(awx.get(ANNA).json()) == {
        *("id", "type", "url", "related", "summary_fields", "created", "modified", "username"),
        *("first_name", "last_name", "email", "is_superuser", "is_system_auditor", "password"),
        *("ldap_dn", "last_login", "external_account", "auth"),
    }


@pytest.mark.parametrize(
    "ignored",
    [
        {"is_active": False},
        {"last_login": "2020-01-01T00:00:00Z"},
        {"id": 777, "created": "2000-01-01T00:00:00Z", "url": "/x"},
        {"ldap_dn": "uid=x", "external_account": "ldap", "auth": []},
        {"is_staff": True, "organization": 2, "groups": [1]},
        {"firstName": "Camel", "frist_name": "Typo"},
        {},
    ],
)
def test_every_other_key_is_silently_ignored_with_200(awx: Api, ignored: dict[str, Any]) -> None:
    before = awx.get(ANNA).json()
    row = awx.target.users()["anna.berg"]
    answer = awx.patch(ANNA, ignored)
    assert (answer.status_code, answer.json()) == (200, before)
    assert awx.target.users()["anna.berg"] == row


def test_an_inactive_user_stays_listed_and_patchable_and_cannot_be_revived(awx: Api) -> None:
    awx.target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], "is_active": False}])
    assert awx.get(f"{USERS}?is_active=false").json()["count"] == 1
    assert awx.patch(ANNA, {"is_active": True, "first_name": "Still"}).json()["first_name"] == "Still"
    assert awx.target.users()["anna.berg"]["is_active"] is False


def test_last_login_is_null_and_modified_is_its_copy(awx: Api) -> None:
    answer = awx.patch(ANNA, {"first_name": "Anne"}).json()
    assert (answer["last_login"], answer["modified"]) == (None, None)
    seen = "2026-05-04T03:02:01Z"
    awx.target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], "last_login": seen}])
    assert awx.get(ANNA).json()["modified"] == awx.get(ANNA).json()["last_login"] == seen


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"])
def test_conditional_headers_are_ignored(awx: Api, header: str) -> None:
    given = {header: '"bogus"' if header.endswith("Match") else "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert awx.patch(ANNA, {"first_name": "Anne"}, headers=given).status_code == 200
    answer = awx.get(ANNA, headers=given)
    assert answer.status_code == 200
    assert not {"ETag", "Last-Modified"} & set(answer.headers)


def test_a_password_shows_as_the_placeholder_and_changes_for_real(awx: Api) -> None:
    assert awx.patch(ANNA, {"password": "New-Pass-1"}).json()["password"] == "$encrypted$"
    awx.sign(basic("anna.berg", "Anna-Pass"))
    assert awx.get("/api/v2/me/").status_code == 401
    awx.sign(basic("anna.berg", "New-Pass-1"))
    assert awx.get("/api/v2/me/").json()["results"][0]["id"] == 2


def test_the_placeholder_written_back_changes_nothing(awx: Api) -> None:
    assert awx.patch(ANNA, {"password": "$encrypted$"}).status_code == 200
    awx.sign(basic("anna.berg", "Anna-Pass"))
    assert awx.get("/api/v2/me/").status_code == 200


@pytest.mark.parametrize(
    ("password", "status"),
    [
        ("", 400),
        ("   ", 400),
        (None, 400),
        ("x" * 129, 400),
        ([], 400),
        ("x" * 128, 200),
        ("a", 200),
        (12345, 200),
    ],
)
def test_passwords_that_are_accepted_and_refused(awx: Api, password: Any, status: int) -> None:
    answer = awx.patch(ANNA, {"password": password})
    assert answer.status_code == status
    assert status == 200 or set(answer.json()) == {"password"}


def test_a_password_policy_refuses_the_placeholder_too(awx: Api) -> None:
    awx.target.reset(options={"LOCAL_PASSWORD_MIN_LENGTH": 12})
    assert awx.patch(ANNA, {"password": "$encrypted$"}).json().keys() == {"password"}
    assert awx.patch(ANNA, {"password": "long-enough-pass"}).status_code == 200


@pytest.mark.parametrize("setting", ["DIGITS", "UPPER", "SPECIAL"])
def test_a_password_policy_counts_kinds_of_characters(awx: Api, setting: str) -> None:
    awx.target.reset(options={f"LOCAL_PASSWORD_MIN_{setting}": 1})
    assert awx.patch(ANNA, {"password": "lowercase"}).status_code == 400
    assert awx.patch(ANNA, {"password": "Mixed-Case-1"}).status_code == 200


@pytest.mark.parametrize("more", [{"ldap_dn": "uid=anna"}, {"provider": "saml", "uid": "idp:anna"}])
def test_external_accounts_have_no_password_key_and_ignore_a_new_one(awx: Api, more: dict[str, str]) -> None:
    awx.target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], **more}])
    assert "password" not in awx.get(ANNA).json()
    assert awx.patch(ANNA, {"password": "New-Pass-1"}).status_code == 200
    awx.sign(basic("anna.berg", "New-Pass-1"))
    assert awx.get("/api/v2/me/").status_code == 401


def test_superuser_and_auditor_may_both_be_true(awx: Api) -> None:
    answer = awx.patch(ANNA, {"is_superuser": True, "is_system_auditor": True}).json()
    assert (answer["is_superuser"], answer["is_system_auditor"]) == (True, True)


def test_the_last_superuser_can_demote_itself_and_not_undo_it(awx: Api) -> None:
    assert awx.patch("/api/v2/users/1/", {"is_superuser": False}).status_code == 200
    assert awx.patch("/api/v2/users/1/", {"is_superuser": True}).status_code == 403


def test_put_needs_a_username_and_resets_absent_flags(awx: Api) -> None:
    awx.patch(ANNA, {"is_superuser": True, "is_system_auditor": True})
    refused = awx.send("PUT", ANNA, json={"first_name": "Anne"})
    assert (refused.status_code, set(refused.json())) == (400, {"username"})
    answer = awx.send("PUT", ANNA, json={"username": "anna.berg"}).json()
    assert (answer["is_superuser"], answer["is_system_auditor"], answer["first_name"]) == (
        False,
        False,
        "Anna",
    )


def test_a_whole_get_body_patched_back_is_a_no_op(awx: Api) -> None:
    before = awx.get(ANNA).json()
    answer = awx.patch(ANNA, before)
    assert (answer.status_code, answer.json()) == (200, before)


def test_post_creates_with_a_location(awx: Api) -> None:
    answer = awx.post(USERS, {"username": "new.one", "password": "Fresh-Pass", "is_active": False, "id": 99})
    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/v2/users/4/")
    assert answer.json()["id"] == 4
    assert awx.target.users()["new.one"]["is_active"] is True


def test_post_needs_username_and_password(awx: Api) -> None:
    assert set(awx.post(USERS, {}).json()) == {"username", "password"}
    assert set(awx.post(USERS, {"username": "x", "password": ""}).json()) == {"password"}


def test_post_with_the_placeholder_makes_an_unusable_password(awx: Api) -> None:
    assert awx.post(USERS, {"username": "new.one", "password": "$encrypted$"}).status_code == 201
    assert awx.target.users()["new.one"]["password"].startswith("!")


def test_delete_is_hard_and_the_same_username_later_is_a_new_id(awx: Api) -> None:
    awx.target.reset([*DEFAULT_USERS, {"id": 8, "username": "gone"}])
    assert awx.send("DELETE", "/api/v2/users/8/").status_code == 204
    assert awx.get("/api/v2/users/8/").status_code == 404
    assert awx.post(USERS, {"username": "gone", "password": "x"}).json()["id"] == 9


def test_nobody_deletes_itself_or_without_permission(awx: Api) -> None:
    assert awx.send("DELETE", "/api/v2/users/1/").json() == {"detail": "This user may not be deleted."}
    awx.target.reset(tokens=[*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    awx.sign("Bearer annas")
    answer = awx.send("DELETE", "/api/v2/users/3/")
    assert (answer.status_code, "permission" in answer.json()["detail"]) == (403, True)
