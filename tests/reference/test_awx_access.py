"""The reference AWX, "Auth": one 401 for everything, scopes, and who may see and change whom."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS
from tests.reference.conftest import Api

ANNA, OMAR = "/api/v2/users/2/", "/api/v2/users/3/"
LEILA = "/api/v2/users/4/"
DENIED = {"detail": "You do not have permission to perform this action."}


def basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def seeded(api: Api, options: dict[str, Any] | None = None) -> None:
    """Anna is a member of an organization that Omar administers; Leila belongs to none."""
    api.target.reset(
        [
            *DEFAULT_USERS,
            {"id": 4, "username": "leila"},
            {"id": 5, "username": "ada", "is_system_auditor": True},
        ],
        [
            *DEFAULT_TOKENS,
            {"token": "reads", "username": "admin", "scope": "read"},
            *({"token": name, "username": name} for name in ("anna.berg", "omar.haddad", "leila", "ada")),
        ],
        options,
        {
            "organizations": [
                {"id": 1, "name": "Works", "users": ["anna.berg"], "admins": ["omar.haddad"]},
                {"id": 2, "name": "Sales", "users": [], "admins": []},
            ],
            "teams": [{"id": 1, "name": "Platform", "organization": 1, "users": []}],
        },
    )


@pytest.mark.parametrize(
    "value", [None, "Bearer wrong", "Bearer", "Token reference-write-token", basic("admin", "bad"), "Basic !"]
)
def test_every_failed_sign_in_is_the_same_401(awx: Api, value: str | None) -> None:
    awx.sign(value)
    answer = awx.patch(ANNA, {"first_name": "X"})
    assert answer.status_code == 401
    assert answer.json()["detail"].endswith("To establish a login session, visit /api/login/.")
    assert answer.headers["WWW-Authenticate"] == "Bearer realm=api authorization_url=/api/o/authorize/"


def test_an_inactive_owner_is_401(awx: Api) -> None:
    awx.target.reset([{**DEFAULT_USERS[0], "is_active": False}])
    assert awx.get("/api/v2/me/").status_code == 401
    awx.sign(basic("admin", "Adm1n-Pass"))
    assert awx.get("/api/v2/me/").status_code == 401


def test_basic_works_until_it_is_switched_off(awx: Api) -> None:
    awx.sign(basic("admin", "Adm1n-Pass"))
    assert awx.get("/api/v2/me/").json()["results"][0]["username"] == "admin"
    awx.target.reset(options={"AUTH_BASIC_ENABLED": False})
    assert awx.get("/api/v2/me/").status_code == 401


def test_a_read_scope_token_reads_and_gets_403_on_patch(awx: Api) -> None:
    seeded(awx)
    awx.sign("Bearer reads")
    assert awx.get(ANNA).status_code == 200
    answer = awx.patch(ANNA, {"first_name": "X"})
    assert (answer.status_code, answer.json()) == (403, DENIED)


def test_tokens_are_made_shown_once_and_revoked(awx: Api) -> None:
    made = awx.post("/api/v2/users/3/personal_tokens/", {"scope": "write"})
    assert (made.status_code, made.json()["user"]) == (201, 1)  # the asker's own, whatever the address
    address = made.headers["Location"]
    awx.sign(f"Bearer {made.json()['token']}")
    assert made.json()["token"] not in awx.get(address).text
    assert awx.send("DELETE", address).status_code == 204
    assert awx.get("/api/v2/me/").status_code == 401


def test_tokens_are_listed_without_their_secret_and_those_of_others_to_superusers_only(awx: Api) -> None:
    seeded(awx)
    listed = awx.get("/api/v2/users/1/tokens/").json()["results"]
    assert {token["user"] for token in listed} == {1}
    assert all(token["expires"] and token["scope"] for token in listed)
    assert "reference-write-token" not in str(listed)
    awx.sign("Bearer anna.berg")
    assert awx.get("/api/v2/users/1/tokens/").json()["count"] == 0


def test_an_expired_token_gets_the_answer_of_a_wrong_one(awx: Api) -> None:
    old = {"token": "old", "username": "admin", "expires": "2001-01-01T00:00:00Z"}
    awx.target.reset(tokens=[*DEFAULT_TOKENS, old])
    answers = []
    for key in ("old", "wrong"):
        awx.sign(f"Bearer {key}")
        answers.append(awx.get("/api/v2/me/"))
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_a_token_of_an_unknown_scope_is_400(awx: Api) -> None:
    assert set(awx.post("/api/v2/tokens/", {"scope": "admin"}).json()) == {"scope"}


def test_a_password_change_does_not_revoke_tokens(awx: Api) -> None:
    seeded(awx)
    awx.patch(ANNA, {"password": "Other-Pass"})
    awx.sign("Bearer anna.berg")
    assert awx.get("/api/v2/me/").status_code == 200


def test_everybody_may_change_their_own_names_email_and_password(awx: Api) -> None:
    seeded(awx)
    awx.sign("Bearer anna.berg")
    body = {"first_name": "Me", "email": "me@example.com", "password": "Mine-1", "is_superuser": False}
    assert awx.patch(ANNA, body).status_code == 200


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"username": "me"}, "Cannot change username."),
        ({"is_superuser": "false"}, "Cannot change is_superuser."),
        ({"is_system_auditor": True}, "Cannot change is_system_auditor."),
        ({"is_active": False}, "Cannot change is_active."),
        ({"is_superuser": True}, DENIED["detail"]),
    ],
)
def test_nobody_changes_their_own_username_or_flags(awx: Api, body: dict[str, Any], detail: str) -> None:
    seeded(awx)
    awx.sign("Bearer anna.berg")
    answer = awx.patch(ANNA, body)
    assert (answer.status_code, answer.json()) == (403, {"detail": detail})


def test_a_user_one_may_not_see_is_403_by_id(awx: Api) -> None:
    seeded(awx)
    awx.sign("Bearer leila")
    assert awx.get(ANNA).json() == DENIED
    assert awx.get("/api/v2/users/1/").status_code == 200  # superusers are visible to all


def test_an_auditor_reads_all_and_writes_none(awx: Api) -> None:
    seeded(awx)
    awx.sign("Bearer ada")
    assert awx.get("/api/v2/users/").json()["count"] == 5
    assert awx.patch(ANNA, {"first_name": "X"}).status_code == 403


def test_an_organization_admin_changes_members_of_only_its_organizations(awx: Api) -> None:
    seeded(awx)
    assert awx.post("/api/v2/organizations/2/users/", {"id": 4}).status_code == 204
    awx.sign("Bearer omar.haddad")
    assert awx.patch(ANNA, {"first_name": "Ours", "username": "anna.b"}).status_code == 200
    assert awx.patch(ANNA, {"is_system_auditor": True}).status_code == 403
    assert awx.patch(LEILA, {"first_name": "X"}).status_code == 403
    assert awx.post("/api/v2/users/", {"username": "x", "password": "y"}).status_code == 403
    assert awx.post("/api/v2/organizations/1/users/", {"username": "x", "password": "y"}).status_code == 201


def test_every_organization_of_the_member_must_be_administered(awx: Api) -> None:
    seeded(awx)
    awx.post("/api/v2/organizations/2/users/", {"id": 2})
    awx.sign("Bearer omar.haddad")
    assert awx.patch(ANNA, {"first_name": "X"}).status_code == 403


def test_manage_organization_auth_off_leaves_only_superusers(awx: Api) -> None:
    seeded(awx, {"MANAGE_ORGANIZATION_AUTH": False})
    assert awx.patch(ANNA, {"first_name": "Yes"}).status_code == 200
    awx.sign("Bearer anna.berg")
    assert awx.patch(ANNA, {"first_name": "Me"}).status_code == 403


def test_wrong_privileges_look_like_fewer_users_and_not_like_an_error(awx: Api) -> None:
    seeded(awx)
    awx.sign("Bearer anna.berg")
    names = [user["username"] for user in awx.get("/api/v2/users/").json()["results"]]
    assert names == ["admin", "anna.berg"]


def test_memberships_are_idempotent_and_not_set_by_patch(awx: Api) -> None:
    seeded(awx)
    for path in ("/api/v2/organizations/2/users/", "/api/v2/teams/1/users/"):
        for body in ({"id": 4}, {"id": 4}, {"id": 4, "disassociate": True}, {"id": 4, "disassociate": True}):
            assert awx.post(path, body).status_code == 204
        assert set(awx.post(path, {"id": 999}).json()) == {"detail"}
        assert set(awx.post(path, {"id": "abc"}).json()) == {"msg"}
    awx.post("/api/v2/teams/1/users/", {"id": 4})
    assert awx.get(f"{LEILA}teams/").json()["results"][0]["name"] == "Platform"
    assert awx.get(f"{LEILA}roles/").json()["results"][0]["summary_fields"]["resource_type"] == "team"


def test_settings_are_changed_by_superusers_only(awx: Api) -> None:
    seeded(awx)
    answer = awx.patch("/api/v2/settings/authentication/", {"AUTH_BASIC_ENABLED": False})
    assert answer.json()["AUTH_BASIC_ENABLED"] is False
    awx.sign("Bearer anna.berg")
    assert awx.patch("/api/v2/settings/authentication/", {}).status_code == 403


def test_the_activity_stream_tells_effective_changes_only(awx: Api) -> None:
    def entries() -> list[tuple[dict[str, Any], bool]]:
        found = awx.get("/api/v2/users/2/activity_stream/").json()["results"]
        return [(entry["changes"], "actor" in entry["related"]) for entry in found]

    for body in ({"first_name": "Anna"}, {}, {"nickname": "A"}):
        awx.patch(ANNA, body)
    assert entries() == []
    awx.patch(ANNA, {"first_name": "Anne", "is_system_auditor": True})
    awx.patch(ANNA, {"password": "New-Pass-1"})
    assert entries() == [
        ({"first_name": ["Anna", "Anne"]}, True),
        ({"is_system_auditor": [False, True]}, False),
        ({"password": ["hidden", "hidden"]}, True),
    ]
    assert awx.get("/api/v2/activity_stream/?id__gt=1&order_by=id").json()["count"] == 2
    assert awx.get(f"{OMAR}activity_stream/").json()["count"] == 0
