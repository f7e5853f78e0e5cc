"""Whether another superuser is left, asked of each reference server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.sdk.contract import Connector, ConnectorConfig, Credential
from connectors.sdk.model import OutcomeKind
from connectors.sdk.registry import style_named
from connectors.sdk.superusers import another_superuser
from tests.fixtures.targets import BEARER, ReferenceTarget

Serve = Callable[[str], ReferenceTarget]
FLAGS = {"staff_users": "is_admin"}
KNOWN = {
    "awx": {"is_superuser"},
    "django_admin": {"is_staff", "is_superuser", "is_active"},
    "staff_users": {"is_staff", "is_admin", "is_active"},
    "authentik": {"rights", "is_superuser", "is_active"},
}
STYLES = sorted(KNOWN)
LIMIT_S = 10.0


def connector(target: ReferenceTarget) -> Connector:
    scheme = "bearer" if target.style in BEARER else "token"
    config = ConnectorConfig("t", target.base_url, lambda: Credential(scheme, target.token))
    return style_named(target.style)(config)


def seeded(target: ReferenceTarget, *others: dict[str, Any]) -> Connector:
    """One superuser with the id 2; our token's owner is none, but at AWX, where only one sees everybody."""
    flag = FLAGS.get(target.style, "is_superuser")
    own = {"id": 1, "username": "admin", "is_staff": True, "rights": ["view_user", "change_user"]}
    users = [own, {"id": 2, "username": "boss", flag: True}]
    users += [{"id": 3 + n, "username": f"u{n}", **fields} for n, fields in enumerate(others)]
    known = {"id", "username", *KNOWN[target.style]}
    users = [{name: value for name, value in user.items() if name in known} for user in users]
    more = {"organizations": [{"name": "o", "admins": ["admin"]}]} if target.style == "awx" else None
    target.reset(users=users, more=more)
    return connector(target)


@pytest.mark.parametrize("style", STYLES)
def test_another_superuser_is_found(target_server: Serve, style: str) -> None:
    flag = FLAGS.get(style, "is_superuser")
    asked = another_superuser(seeded(target_server(style), {}, {flag: True}), "2", LIMIT_S)
    assert [match.remote_id for match in asked.matches] == ["4"]


@pytest.mark.parametrize("style", STYLES)
def test_nobody_else_is_none(target_server: Serve, style: str) -> None:
    asked = another_superuser(seeded(target_server(style), {}), "2", LIMIT_S)
    assert (asked.outcome.kind, asked.matches) == (OutcomeKind.OBSERVED, ())


@pytest.mark.parametrize("style", ["django_admin", "staff_users", "authentik"])
def test_who_is_deactivated_does_not_count(target_server: Serve, style: str) -> None:
    flag = FLAGS.get(style, "is_superuser")
    asked = another_superuser(seeded(target_server(style), {flag: True, "is_active": False}), "2", LIMIT_S)
    assert asked.matches == ()


@pytest.mark.parametrize("style", STYLES)
def test_a_listing_that_fails_is_no_answer(target_server: Serve, style: str) -> None:
    target = target_server(style)
    asking = seeded(target)
    target.faults([{"method": "GET", "times": None, "fault": {"kind": "status", "status": 500}}])
    assert another_superuser(asking, "2", LIMIT_S).outcome.kind is OutcomeKind.AMBIGUOUS


def test_a_filter_that_the_server_ignores_proves_nothing(awx_target: ReferenceTarget) -> None:
    asking = seeded(awx_target, {}, {})
    records = [{"id": n, "username": f"u{n}", "is_superuser": False} for n in (3, 4)]
    page = {"count": 2, "next": None, "previous": None, "results": records}
    awx_target.faults(
        [{"method": "GET", "times": None, "fault": {"kind": "status", "status": 200, "body": page}}]
    )
    assert another_superuser(asking, "2", LIMIT_S).matches == ()
