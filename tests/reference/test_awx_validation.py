"""The reference AWX, "Validation": stages, limits, clearing, and the odd booleans that crash it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fixtures.targets import DEFAULT_USERS
from tests.reference.conftest import Api

ANNA = "/api/v2/users/2/"
LDAP = {
    "AUTH_LDAP_SERVER_URI": "ldap://ldap.example.com",
    "AUTH_LDAP_USER_ATTR_MAP": {"first_name": "givenName", "last_name": "sn", "email": "mail"},
    "AUTH_LDAP_USER_FLAGS_BY_GROUP": {"is_superuser": "cn=admins"},
}


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"username": "", "email": "bad"}, {"username"}),
        ({"username": "omar.haddad", "email": "bad"}, {"username"}),
        ({"is_system_auditor": None, "email": "bad"}, {"is_system_auditor"}),
        ({"username": "u" * 151, "email": "e" * 250 + "@example.com"}, {"username", "email"}),
        ({"first_name": "Good", "email": "bad"}, {"email"}),
    ],
)
def test_validation_is_staged_and_all_or_nothing(awx: Api, body: dict[str, Any], keys: set[str]) -> None:
    before = awx.get(ANNA).json()
    answer = awx.patch(ANNA, body)
    assert (answer.status_code, set(answer.json())) == (400, keys)
    assert awx.get(ANNA).json() == before


@pytest.mark.parametrize("value", ["u" * 151, "  ", "two words", "anna!", "<b>", None, True, ["a"], {"a": 1}])
def test_usernames_that_are_refused(awx: Api, value: Any) -> None:
    answer = awx.patch(ANNA, {"username": value})
    assert (answer.status_code, set(answer.json())) == (400, {"username"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  anna  ", "anna"),
        ("añña.李", "añña.李"),
        ("a@x.y+z-w_v", "a@x.y+z-w_v"),
        (123, "123"),
        ("u" * 150, "u" * 150),
    ],
)
def test_usernames_that_are_accepted_and_trimmed(awx: Api, given: Any, kept: str) -> None:
    assert awx.patch(ANNA, {"username": given}).json()["username"] == kept


def test_usernames_are_case_sensitive(awx: Api) -> None:
    assert awx.patch(ANNA, {"username": "OMAR.HADDAD"}).status_code == 200


def test_a_taken_username_names_the_field(awx: Api) -> None:
    answer = awx.patch(ANNA, {"username": "omar.haddad"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"username": ["A user with that username already exists."]},
    )


def test_a_race_for_a_username_answers_in_another_shape(awx: Api) -> None:
    awx.target.reset(options={"meet_before_save": 2})

    def take(number: int) -> tuple[int, dict[str, Any]]:
        answer = awx.send("PATCH", f"/api/v2/users/{number}/", json={"username": "wanted"})
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(take, (2, 3)), key=lambda result: result[0])
    assert [status for status, _ in results] == [200, 400]
    assert results[1][1].keys() == {"detail"}
    assert results[1][1]["detail"].startswith("duplicate key value violates unique constraint")


def test_simultaneous_patches_of_different_fields_lose_one(awx: Api) -> None:
    awx.target.reset(options={"meet_before_save": 2})
    bodies = ({"first_name": "Anne"}, {"last_name": "Berger"})
    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(lambda body: awx.send("PATCH", ANNA, json=body).status_code, bodies))
    row = awx.target.users()["anna.berg"]
    assert statuses == [200, 200]
    assert (row["first_name"], row["last_name"]) in {("Anne", "Berg"), ("Anna", "Berger")}


def test_one_after_the_other_loses_nothing(awx: Api) -> None:
    awx.patch(ANNA, {"first_name": "Anne"})
    awx.patch(ANNA, {"last_name": "Berger"})
    row = awx.target.users()["anna.berg"]
    assert (row["first_name"], row["last_name"]) == ("Anne", "Berger")


@pytest.mark.parametrize("field", ["first_name", "last_name", "email"])
def test_null_clears_a_text_to_the_empty_string(awx: Api, field: str) -> None:
    answer = awx.patch(ANNA, {field: None})
    assert (answer.status_code, answer.json()[field]) == (200, "")


@pytest.mark.parametrize("empty", [[], {}, ""])
def test_empty_containers_clear_names(awx: Api, empty: Any) -> None:
    answer = awx.patch(ANNA, {"first_name": empty, "last_name": empty}).json()
    assert (answer["first_name"], answer["last_name"]) == ("", "")


@pytest.mark.parametrize(
    "address", ["root@localhost", "a@exämple.com", "omar.haddad@example.com", " a@b.example "]
)
def test_emails_that_are_accepted(awx: Api, address: str) -> None:
    assert awx.patch(ANNA, {"email": address}).json()["email"] == address.strip()


def test_names_may_hold_html_and_newlines_but_no_nul_or_surrogate(awx: Api) -> None:
    assert awx.patch(ANNA, {"first_name": "<b>a\nb</b>"}).json()["first_name"] == "<b>a\nb</b>"
    for bad in (r'{"first_name": "a\u0000b"}', r'{"first_name": "\ud800"}'):
        answer = awx.send("PATCH", ANNA, data=bad, headers={"Content-Type": "application/json"})
        assert (answer.status_code, set(answer.json())) == (400, {"first_name"})


@pytest.mark.parametrize(
    ("given", "kept"), [(True, True), (1, True), ("t", True), ("true", True), ("1", True)]
)
def test_booleans_that_are_understood(awx: Api, given: Any, kept: bool) -> None:
    assert awx.patch(ANNA, {"is_superuser": given}).json()["is_superuser"] is kept


def test_is_superuser_null_demotes_and_is_system_auditor_null_is_refused(awx: Api) -> None:
    awx.patch(ANNA, {"is_superuser": True})
    assert awx.patch(ANNA, {"is_superuser": None}).json()["is_superuser"] is False
    assert set(awx.patch(ANNA, {"is_system_auditor": None}).json()) == {"is_system_auditor"}


@pytest.mark.parametrize("field", ["is_superuser", "is_system_auditor"])
@pytest.mark.parametrize("odd", ["yes", "on", "", 2, [], "maybe"])
def test_any_other_boolean_is_a_500_with_an_html_page(awx: Api, field: str, odd: Any) -> None:
    answer = awx.patch(ANNA, {field: odd, "first_name": "Nope"})
    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Server Error (500)" in answer.text
    assert awx.target.users()["anna.berg"]["first_name"] == "Anna"


def test_deep_nesting_is_a_500_too(awx: Api) -> None:
    body = '{"junk": ' + "[" * 2000 + "]" * 2000 + "}"
    answer = awx.send("PATCH", ANNA, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (500, "text/html")


def test_users_managed_by_ldap_refuse_every_managed_change(awx: Api) -> None:
    awx.target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], "ldap_dn": "uid=anna"}], options=LDAP)
    answer = awx.patch(ANNA, {"first_name": "Anne", "username": "anne", "is_superuser": True})
    assert (answer.status_code, set(answer.json())) == (400, {"first_name", "username", "is_superuser"})
    assert answer.json()["first_name"] == ["Unable to change first_name on user managed by LDAP."]
    assert awx.patch(ANNA, {"first_name": "Anna", "is_superuser": False}).status_code == 200
    assert awx.patch(ANNA, {"is_system_auditor": True}).status_code == 200


def test_without_ldap_configured_its_users_are_changed(awx: Api) -> None:
    awx.target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], "ldap_dn": "uid=anna"}])
    assert awx.patch(ANNA, {"first_name": "Anne"}).json()["first_name"] == "Anne"


def test_under_a_gateway_shared_fields_are_403_with_a_bare_string(awx: Api) -> None:
    awx.target.reset(options={"ALLOW_LOCAL_RESOURCE_MANAGEMENT": False})
    answer = awx.patch(ANNA, {"first_name": "Anne", "last_name": "Berger"})
    assert answer.status_code == 403
    assert answer.json() == {
        "first_name": "Cannot change shared field 'first_name'. Alter this field via the platform ingress."
    }
    assert awx.patch(ANNA, {"first_name": "Anna"}).status_code == 200
    assert awx.patch(ANNA, {"is_system_auditor": True, "password": "New-Pass-1"}).status_code == 200
    assert awx.post("/api/v2/users/", {"username": "x", "password": "y"}).status_code == 403
    assert awx.send("DELETE", "/api/v2/users/3/").status_code == 403


def test_a_scripted_answer_can_give_the_race_shape_without_a_race(awx: Api) -> None:
    body = {"detail": "duplicate key value violates unique constraint"}
    awx.target.faults([{"method": "PATCH", "fault": {"kind": "status", "status": 400, "body": body}}])
    assert awx.patch(ANNA, {"username": "wanted"}).json() == body
    assert awx.patch(ANNA, {"username": "wanted"}).status_code == 200
