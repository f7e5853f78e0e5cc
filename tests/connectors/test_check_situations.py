"""What `check` says at each running reference server, situation by situation: true, and with the way out.

Each situation has a sentence of its own. Where a server gives one answer for several reasons, they share
one that names them all: `same_as`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.sdk.contract import Connector, ConnectorConfig, Credential, Timeouts
from connectors.sdk.diagnosis import not_shown, unseen
from connectors.sdk.model import CheckReport, Json
from connectors.sdk.registry import build
from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, TOKEN, ReferenceTarget

PATIENT = Timeouts(connect_s=5.0, read_s=10.0, deadline_s=15.0)
PAST, FUTURE = "2001-01-01T00:00:00Z", "2999-12-31T23:00:00Z"
PASSWORD = "Canary-Pass"
OPS = {"username": "ops", "password": PASSWORD, "is_superuser": True, "is_staff": True}
PEOPLE: dict[str, list[dict[str, Any]]] = {
    "awx": [
        {**OPS, "id": 20},
        {"id": 21, "username": "auditor", "password": PASSWORD, "is_system_auditor": True},
        {"id": 22, "username": "gone", "password": PASSWORD, "is_superuser": True, "is_active": False},
    ],
    "authentik": [
        {"id": 20, "username": "sync", "rights": ["view_user", "change_user"]},
        {"id": 21, "username": "viewer", "rights": ["view_user"]},
        {"id": 22, "username": "gone", "rights": ["view_user", "change_user"], "is_active": False},
        {"id": 23, "username": "blind"},
    ],
    "django_admin": [
        {**OPS, "id": 20},
        {"id": 22, "username": "gone", "password": PASSWORD, "is_staff": True, "is_active": False},
    ],
    "staff_users": [
        {"id": 20, "username": "ops", "is_admin": True},
        {"id": 22, "username": "gone", "is_staff": True, "is_active": False},
    ],
}
TOKENS: dict[str, list[dict[str, str]]] = {
    "awx": [
        {"token": "canary-read", "username": "ops", "scope": "read", "expires": FUTURE},
        {"token": "canary-old", "username": "ops", "scope": "write", "expires": PAST},
        {"token": "canary-auditor", "username": "auditor"},
        {"token": "canary-anna", "username": "anna.berg"},
        {"token": "canary-gone", "username": "gone"},
    ],
    "authentik": [
        {"token": "canary-sync", "username": "sync", "expires": FUTURE},
        {"token": "canary-old", "username": "sync", "expires": PAST},
        {"token": "canary-viewer", "username": "viewer"},
        {"token": "canary-blind", "username": "blind"},
        {"token": "canary-gone", "username": "gone"},
        {"token": "canary-app", "username": "sync", "intent": "app_password"},
    ],
    "django_admin": [
        {"token": "canary-read", "username": "ops", "scope": "read"},
        {"token": "canary-old", "username": "ops", "expires": PAST},
        {"token": "canary-anna", "username": "anna.berg"},
        {"token": "canary-gone", "username": "gone"},
    ],
    "staff_users": [
        {"token": "canary-ops", "username": "ops"},
        {"token": "canary-old", "username": "ops", "expires": PAST},
        {"token": "canary-anna", "username": "anna.berg"},
        {"token": "canary-gone", "username": "gone"},
    ],
}


@dataclass(frozen=True)
class Situation:
    """`words` are in the first problem; `same_as` is the situation that this server does not tell apart."""

    words: str
    secret: str = TOKEN
    scheme: str = ""
    path: str = ""
    fault: Mapping[str, Json] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    same_as: str = ""


def redirect(location: str) -> dict[str, Json]:
    return {"kind": "redirect", "headers": {"Location": location}}


ELSEWHERE = "https://users.example.com/intra"
SLASH = "the slash at the end of the address was lost or is refused on the way. Have what stands in front"
AWX_401 = (
    "AWX does not tell why: the token is wrong, expired or revoked, or its owner is inactive. Make a new"
)
AUTHENTIK_403 = (
    "the token is unknown, expired or no API token, or its owner is deactivated. authentik gives one"
)
SITUATIONS: dict[str, dict[str, Situation]] = {
    "awx": {
        "a wrong token": Situation(AWX_401, "canary-wrong"),
        "an expired token": Situation(AWX_401, "canary-old", same_as="a wrong token"),
        "a token of an inactive user": Situation(AWX_401, "canary-gone", same_as="a wrong token"),
        "a token of another scheme": Situation(AWX_401, TOKEN, "token", same_as="a wrong token"),
        "a wrong password": Situation("user name or password is wrong", "canary-wrong", "basic"),
        "a token for reading only": Situation("has the scope `read`", "canary-read", missing=("write",)),
        "a token of an auditor": Situation(
            "is a system auditor: reads all, changes nothing. Use a token of a superuser.",
            "canary-auditor",
            missing=("is_superuser",),
        ),
        "a token of an ordinary user": Situation(
            "is no superuser: AWX shows only a part of the users", "canary-anna", missing=("is_superuser",)
        ),
        "a wrong base path": Situation("without /api/v2.", path="/awx"),
        "a part of the path twice": Situation(
            "`base_url` ends with /api/v2, which is added to it", path="/api/v2"
        ),
        "a slash that gets lost": Situation(SLASH, fault=redirect("/api/v2/ping")),
        "another address": Situation(
            f"set `base_url` to {ELSEWHERE}.", fault=redirect(f"{ELSEWHERE}/api/v2/ping/")
        ),
        "a page to sign in": Situation(
            "let our requests past what asks people to sign in", fault=redirect("/login/")
        ),
        "a server that fails": Situation("look into its own log", fault={"kind": "status", "status": 500}),
    },
    "authentik": {
        "a wrong token": Situation(AUTHENTIK_403, "canary-wrong"),
        "an expired token": Situation(AUTHENTIK_403, "canary-old", same_as="a wrong token"),
        "a token of an inactive user": Situation(AUTHENTIK_403, "canary-gone", same_as="a wrong token"),
        "a token of another intent": Situation(AUTHENTIK_403, "canary-app", same_as="a wrong token"),
        "a token of another scheme": Situation("set `credential.scheme` to `bearer`", TOKEN, "token"),
        "a header that gets lost": Situation(
            "have what stands in front of the server pass the header",
            fault={
                "kind": "status",
                "status": 403,
                "body": {"detail": "Authentication credentials were not provided."},
            },
        ),
        "a token for reading only": Situation(
            "viewer, who owns the token, may read the accounts but not change them: give a role of theirs",
            "canary-viewer",
            missing=("change_user",),
        ),
        "a token that sees nothing": Situation(
            "blind, who owns the token, may not read the accounts",
            "canary-blind",
            missing=("view_user", "change_user"),
        ),
        "a wrong base path": Situation("without /api/v3.", path="/auth"),
        "a part of the path twice": Situation(
            "`base_url` ends with /api/v3, which is added to it", path="/api/v3"
        ),
        "a slash that gets lost": Situation(SLASH, fault=redirect("/api/v3/core/users/me")),
        "another address": Situation(
            f"set `base_url` to {ELSEWHERE}.", fault=redirect(f"{ELSEWHERE}/api/v3/core/users/me/")
        ),
        "a server that fails": Situation("look into its own log", fault={"kind": "status", "status": 500}),
    },
    "django_admin": {
        "a wrong token": Situation(
            "does not know it (Invalid token). It is wrong or was revoked", "canary-wrong"
        ),
        "an expired token": Situation(
            "the token has expired (Token has expired). Make a new one", "canary-old"
        ),
        "a token of an inactive user": Situation("Activate the owner of the token there", "canary-gone"),
        "a token of another scheme": Situation(
            "it wants the scheme `token` and we send `bearer`", TOKEN, "bearer"
        ),
        "a token for reading only": Situation(
            "may read the accounts but not change them: it is for reading only",
            "canary-read",
            missing=("change_user",),
        ),
        "a token that sees nothing": Situation("may not read the accounts (403", "canary-anna"),
        "a wrong base path": Situation("so that /admin/users/ lies directly below it.", path="/intra"),
        "a part of the path twice": Situation("`base_url` ends with /admin/users", path="/admin/users"),
        "a slash that gets lost": Situation(SLASH, fault=redirect("/admin/users?page=1")),
        "another address": Situation(
            f"set `base_url` to {ELSEWHERE}.", fault=redirect(f"{ELSEWHERE}/admin/users/?page=1")
        ),
        "a page to sign in": Situation(
            "let our requests past what asks people to sign in", fault=redirect("/login/")
        ),
    },
    "staff_users": {
        "a wrong token": Situation(
            "does not know it (Invalid token). It is wrong or was revoked", "canary-wrong"
        ),
        "an expired token": Situation(
            "the token has expired (Token has expired). Make a new one", "canary-old"
        ),
        "a token of an inactive user": Situation("Activate the owner of the token there", "canary-gone"),
        "a token of another scheme": Situation(
            "it wants the scheme `token` and we send `bearer`", TOKEN, "bearer"
        ),
        "a token for reading only": Situation(
            "Its owner must be staff or admin", "canary-anna", missing=("is_staff", "is_admin")
        ),
        "a wrong base path": Situation("so that /api/users/ lies directly below it.", path="/v2"),
        "a part of the path twice": Situation("`base_url` ends with /api/users", path="/api/users"),
        "a slash that gets lost": Situation(SLASH, fault=redirect("/api/users/me")),
        "a slash that gets lost and makes it fail": Situation(
            "It answers 500 also where the slash at the end of an address was lost",
            fault={"kind": "status", "status": 500},
        ),
        "another address": Situation(
            f"set `base_url` to {ELSEWHERE}.", fault=redirect(f"{ELSEWHERE}/api/users/me/")
        ),
    },
}
CASES = [(style, name) for style, situations in SITUATIONS.items() for name in situations]


def server(target: ReferenceTarget) -> ReferenceTarget:
    target.reset([*DEFAULT_USERS, *PEOPLE[target.style]], [*DEFAULT_TOKENS, *TOKENS[target.style]])
    return target


def at(target: ReferenceTarget, path: str = "", scheme: str = "", secret: str = TOKEN) -> Connector:
    usual = target.authorization["Authorization"].partition(" ")[0].lower()
    known = Credential(scheme or usual, secret, "ops" if scheme == "basic" else None)
    return build(
        target.style, ConnectorConfig("here", target.base_url + path, lambda: known, timeouts=PATIENT)
    )


def report_in(target: ReferenceTarget, situation: Situation) -> CheckReport:
    server(target).faults([{"fault": dict(situation.fault)}] if situation.fault else [])
    return at(target, situation.path, situation.scheme, situation.secret).check()


@pytest.mark.parametrize(("style", "name"), CASES)
def test_a_check_says_what_is_wrong_and_the_way_out(
    target_server: Callable[[str], ReferenceTarget], style: str, name: str
) -> None:
    situation, target = SITUATIONS[style][name], target_server(style)
    report = report_in(target, situation)
    assert (report.reachable, report.healthy, len(report.problems)) == (True, False, 1)
    assert situation.words in report.problems[0]
    assert set(situation.missing) <= set(report.missing)
    assert "canary" not in repr(report)
    assert len(target.log()) <= 4
    assert target.writes() == []


@pytest.mark.parametrize("style", SITUATIONS)
def test_each_situation_has_a_sentence_of_its_own_unless_the_server_tells_no_difference(
    target_server: Callable[[str], ReferenceTarget], style: str
) -> None:
    target = target_server(style)
    said = {name: report_in(target, each).problems[0] for name, each in SITUATIONS[style].items()}
    alike = {name: each.same_as for name, each in SITUATIONS[style].items() if each.same_as}
    assert {name: said[name] for name in alike} == {name: said[same] for name, same in alike.items()}
    own = [text for name, text in said.items() if name not in alike]
    assert len(own) == len(set(own))


RIGHTS = {
    "awx": ("is_superuser",),
    "authentik": ("is_superuser",),
    "django_admin": ("view_user", "change_user", "add_user"),
    "staff_users": ("is_staff",),
}
VERSIONS = {"awx": "24.6.1", "authentik": "2025.12.4"}
OWNERS = {"awx": ("admin", "1"), "authentik": ("admin", "1"), "staff_users": ("admin", "1")}


@pytest.mark.parametrize("style", SITUATIONS)
def test_a_base_url_with_and_without_a_slash_at_its_end_is_the_same(
    target_server: Callable[[str], ReferenceTarget], style: str
) -> None:
    target = server(target_server(style))
    for slashes in ("", "/", "//"):
        report = at(target, slashes).check()
        assert (report.reachable, report.healthy, report.problems) == (True, True, ())
        assert (report.rights, report.version) == (RIGHTS[style], VERSIONS.get(style))
        assert (report.owner, report.owner_id) == OWNERS.get(style, (None, None))
        assert report.missing == ()


@pytest.mark.parametrize("style", SITUATIONS)
def test_a_server_that_shows_all_documented_fields_lacks_none(
    target_server: Callable[[str], ReferenceTarget], style: str
) -> None:
    connector = at(server(target_server(style)))
    report = connector.check()
    assert report.shown is not None
    fields = [field for field in connector.descriptor.fields if not field.read_only]
    names = [field.name.replace("*", "dept") for field in fields]
    assert unseen(connector.descriptor, names, report.shown) == ()


def test_an_owned_field_that_the_server_does_not_show_is_named_with_the_way_out(
    awx_target: ReferenceTarget,
) -> None:
    connector = at(server(awx_target))
    owned = ("username", "email", "password", "no_field_at_all")
    assert unseen(connector.descriptor, owned, frozenset({"id", "username"})) == ("email",)
    assert unseen(connector.descriptor, owned, None) == ()
    assert 'Disown it (`mapping.email = ""`)' in not_shown("email")


@pytest.mark.parametrize(
    ("style", "secret", "expires"),
    [
        ("awx", "canary-read", "2999-12-31T23:00:00Z"),
        ("authentik", "canary-sync", "2999-12-31T23:00:00Z"),
        ("authentik", TOKEN, "never"),
        ("django_admin", TOKEN, None),
        ("staff_users", TOKEN, None),
    ],
)
def test_the_end_of_the_token_is_told_where_the_server_tells_it(
    target_server: Callable[[str], ReferenceTarget], style: str, secret: str, expires: str | None
) -> None:
    assert at(server(target_server(style)), secret=secret).check().expires_at == expires


@pytest.mark.parametrize("style", ["awx", "authentik"])
def test_which_of_several_tokens_is_ours_is_not_guessed(
    target_server: Callable[[str], ReferenceTarget], style: str
) -> None:
    target = target_server(style)
    owner = {"awx": "admin", "authentik": "admin"}[style]
    more = {"token": "canary-other", "username": owner, "scope": "read", "expires": FUTURE}
    target.reset(tokens=[*DEFAULT_TOKENS, more])
    report = at(target).check()
    assert (report.healthy, report.expires_at) == (True, None)
    assert len(report.notes) == {"awx": 1, "authentik": 0}[style]


def test_whose_token_it_is_where_no_server_tells_is_left_to_the_operator(
    django_admin_target: ReferenceTarget,
) -> None:
    report = at(server(django_admin_target)).check()
    assert (report.healthy, report.owner, len(report.notes)) == (True, None, 1)
    assert "name its owner in `protected`" in report.notes[0]


def test_who_may_change_but_not_make_accounts_is_well(authentik_target: ReferenceTarget) -> None:
    report = at(server(authentik_target), secret="canary-sync").check()
    assert (report.healthy, report.rights) == (True, ("view_user", "change_user"))
    assert len(authentik_target.log()) == 4


UNHELPFUL = {"fault": {"kind": "status", "status": 500}, "times": None}


def test_rights_that_a_server_does_not_tell_are_neither_there_nor_missing(
    django_admin_target: ReferenceTarget,
) -> None:
    server(django_admin_target).faults([{**UNHELPFUL, "method": "OPTIONS"}])
    report = at(django_admin_target).check()
    assert (report.healthy, report.rights, report.missing) == (True, ("view_user",), ())
    assert "the first change will" in report.notes[1]


def test_where_nobody_is_nothing_is_said_of_rights(django_admin_target: ReferenceTarget) -> None:
    empty = {"count": 0, "next": None, "previous": None, "results": []}
    fault = {"kind": "status", "status": 200, "body": empty}
    server(django_admin_target).faults([{"fault": fault}])
    report = at(django_admin_target).check()
    assert (report.healthy, report.rights, report.missing, report.shown) == (True, (), (), None)
    assert "No account is there" in report.notes[1]


def test_an_account_that_cannot_be_read_for_another_reason_lacks_no_right(
    authentik_target: ReferenceTarget,
) -> None:
    server(authentik_target).faults([{**UNHELPFUL, "path": "/users/21/$"}])
    report = at(authentik_target, secret="canary-viewer").check()
    assert (report.healthy, report.missing) == (False, ())
    assert (
        "viewer, who owns the token, cannot be looked up (Scripted fault.): try again." in report.problems[0]
    )


def test_a_list_of_tokens_that_says_nothing_leaves_the_end_unknown(authentik_target: ReferenceTarget) -> None:
    server(authentik_target).faults([{**UNHELPFUL, "path": "/tokens/$"}])
    report = at(authentik_target, secret="canary-sync").check()
    assert (report.healthy, report.expires_at) == (True, None)
