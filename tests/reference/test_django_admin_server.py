"""The Django-admin reference target: each row of its contract page, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS
from tests.reference.conftest import Api

USERS = "/admin/users/"
ANNA = "/admin/users/2/"


def test_patch_changes_only_what_it_names(django_admin: Api) -> None:
    before = django_admin.get(ANNA).json()
    after = django_admin.patch(ANNA, {"last_name": "Berger"}).json()
    assert after == {**before, "last_name": "Berger"}
    assert django_admin.target.users()["anna.berg"]["last_name"] == "Berger"


def test_the_answer_has_exactly_the_documented_fields(django_admin: Api) -> None:
    assert set(django_admin.get(ANNA).json()) == {
        *("id", "password", "last_login", "is_superuser", "username", "first_name", "last_name"),
        *("email", "is_staff", "is_active", "date_joined", "groups", "user_permissions"),
    }


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("username", "x" * 151, "150"),
        ("username", "two words", "valid username"),
        ("username", "", "blank"),
        ("username", None, "null"),
        ("first_name", "x" * 31, "30"),
        ("last_name", "x" * 151, "150"),
        ("email", "x" * 250 + "@example.com", "254"),
        ("email", "not an address", "valid email"),
        ("is_active", "perhaps", "boolean"),
        ("is_active", None, "null"),
        ("last_login", "yesterday", "Datetime"),
        ("groups", [99], "does not exist"),
        ("password", "x" * 129, "128"),
    ],
)
def test_djangos_own_validators_answer(django_admin: Api, field: str, value: Any, word: str) -> None:
    answer = django_admin.patch(ANNA, {field: value})
    assert answer.status_code == 400
    assert set(answer.json()) == {field}
    assert word in str(answer.json()[field])


def test_a_rejected_patch_changes_nothing(django_admin: Api) -> None:
    before = django_admin.get(ANNA).json()
    assert django_admin.patch(ANNA, {"first_name": "New", "email": "bad"}).status_code == 400
    assert django_admin.get(ANNA).json() == before


def test_a_taken_username_is_a_400_that_names_the_field(django_admin: Api) -> None:
    answer = django_admin.patch(ANNA, {"username": "omar.haddad"})
    assert answer.status_code == 400
    assert answer.json() == {"username": ["A user with that username already exists."]}


def test_unknown_and_read_only_fields_are_ignored_with_200(django_admin: Api) -> None:
    before = django_admin.get(ANNA).json()
    answer = django_admin.patch(ANNA, {"id": 77, "nickname": "A", "firstName": "B"})
    assert (answer.status_code, answer.json()) == (200, before)


def test_is_active_false_deactivates(django_admin: Api) -> None:
    assert django_admin.patch(ANNA, {"is_active": False}).json()["is_active"] is False
    assert django_admin.target.users()["anna.berg"]["is_active"] is False


def test_a_password_is_stored_as_it_comes(django_admin: Api) -> None:
    django_admin.patch(ANNA, {"password": "open-sesame"})
    assert django_admin.target.users()["anna.berg"]["password"] == "open-sesame"


def test_groups_and_permissions_are_sets_of_ids(django_admin: Api) -> None:
    users = [*DEFAULT_USERS[:2], {"id": 9, "username": "keeper", "groups": [3, 5], "user_permissions": [4]}]
    django_admin.target.reset(users)
    assert django_admin.patch(ANNA, {"groups": [5, 3], "user_permissions": [4]}).status_code == 200
    row = django_admin.target.users()["anna.berg"]
    assert (row["groups"], row["user_permissions"]) == ([3, 5], [4])
    assert django_admin.patch(ANNA, {"groups": []}).json()["groups"] == []


def test_post_creates_and_needs_username_and_password(django_admin: Api) -> None:
    made = django_admin.post(USERS, {"username": "new.one", "password": "Fresh-Pass"})
    assert (made.status_code, made.json()["id"]) == (201, 4)
    missing = django_admin.post(USERS, {"first_name": "Nobody"})
    assert (missing.status_code, set(missing.json())) == (400, {"username", "password"})


def test_the_listing_is_paged_with_absolute_links(django_admin: Api) -> None:
    django_admin.target.reset(options={"page_size": 2})
    first = django_admin.get(USERS).json()
    base = django_admin.target.base_url
    assert (first["count"], first["next"], first["previous"]) == (3, f"{base}/admin/users/?page=2", None)
    second = django_admin.get("/admin/users/?page=2").json()
    assert [user["id"] for user in first["results"] + second["results"]] == [1, 2, 3]
    assert (second["next"], second["previous"]) == (None, f"{base}/admin/users/")
    assert django_admin.get("/admin/users/?page=3").status_code == 404


def test_the_listing_has_no_filter(django_admin: Api) -> None:
    assert django_admin.get("/admin/users/?username=anna.berg").json()["count"] == 3


@pytest.mark.parametrize("value", [None, "Token wrong", "Bearer reference-write-token", "Token"])
def test_a_bad_token_is_401_with_a_challenge(django_admin: Api, value: str | None) -> None:
    django_admin.sign(value)
    answer = django_admin.patch(ANNA, {"first_name": "X"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")


def test_a_token_of_somebody_without_staff_status_is_403(django_admin: Api) -> None:
    django_admin.target.reset(tokens=[*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    django_admin.sign("Token annas")
    assert django_admin.patch(ANNA, {"first_name": "X"}).status_code == 403


def test_an_unknown_id_is_404(django_admin: Api) -> None:
    answer = django_admin.patch("/admin/users/999/", {"first_name": "X"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "No User matches the given query."})


def test_without_the_trailing_slash_a_redirect_answers_and_nothing_happens(django_admin: Api) -> None:
    answer = django_admin.patch("/admin/users/2", {"first_name": "X"})
    assert (answer.status_code, answer.headers["Location"]) == (301, "/admin/users/2/")
    assert django_admin.target.users()["anna.berg"]["first_name"] == "Anna"


def test_a_server_may_enforce_required_fields_on_patch_too(django_admin: Api) -> None:
    django_admin.target.reset(options={"enforce_required": ["username"]})
    refused = django_admin.patch(ANNA, {"first_name": "X"})
    assert (refused.status_code, refused.json()) == (400, {"username": ["This field is required."]})
    assert django_admin.patch(ANNA, {"first_name": "X", "username": "anna.berg"}).status_code == 200
