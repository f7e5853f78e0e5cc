"""The styles side by side, so that one rule is one test for all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.awx import AwxConnector
from connectors.django_admin import DjangoAdminConnector
from connectors.sdk.contract import Connector, ConnectorConfig, Credential, Timeouts
from connectors.sdk.model import Json
from connectors.sdk.registry import Style
from connectors.staff_users import StaffUsersConnector

SECRET = "canary-7f3a91"
SHORT = Timeouts(connect_s=1.0, read_s=0.3, deadline_s=0.6)


@dataclass(frozen=True)
class StyleCase:
    """A style, where its accounts lie, and one of its accounts."""

    style: Style
    users: str
    account: Mapping[str, Json]

    @property
    def path(self) -> str:
        return f"{self.users}7/"

    def body(self, **changes: Json) -> dict[str, Json]:
        return {**self.account, **changes}

    def text(self, **changes: Json) -> bytes:
        return json.dumps(self.body(**changes)).encode()

    def listing(self, *accounts: Mapping[str, Json], following: str | None = None) -> dict[str, Json]:
        results: list[Json] = [dict(account) for account in accounts]
        return {"count": len(results), "next": following, "previous": None, "results": results}

    def at(
        self, base_url: str, timeouts: Timeouts = SHORT, *, verify: bool | str = True, scheme: str = "bearer"
    ) -> Connector:
        def credential() -> Credential:
            return Credential(scheme, SECRET, "ops" if scheme == "basic" else None)

        return self.style(ConnectorConfig("here", base_url, credential, timeouts=timeouts, verify=verify))


PERSON: dict[str, Json] = {
    "id": 7,
    "username": "mira",
    "first_name": "Mira",
    "last_name": "Holm",
    "email": "mira.holm@example.com",
    "is_superuser": False,
}
AWX = StyleCase(
    AwxConnector,
    "/api/v2/users/",
    {
        **PERSON,
        "is_system_auditor": False,
        "password": "$encrypted$",
        "ldap_dn": "",
        "external_account": None,
        "last_login": None,
        "auth": [],
    },
)
DJANGO = StyleCase(
    DjangoAdminConnector,
    "/admin/users/",
    {
        **PERSON,
        "is_staff": False,
        "is_active": True,
        "last_login": None,
        "date_joined": "2024-02-29T08:00:00Z",
        "groups": [3, 1],
        "user_permissions": [],
        "password": "md5$salt$hash-of-it",
    },
)
STAFF = StyleCase(
    StaffUsersConnector,
    "/api/users/",
    {
        "id": 7,
        "username": "mira",
        "mobile_number": "+1-555-0157",
        "email": "mira.holm@example.com",
        "avatar": None,
        "first_name": "Mira",
        "last_name": "Holm",
        "full_name": "Mira Holm",
        "gender": "female",
        "is_staff": False,
        "is_admin": False,
        "is_active": True,
        "last_login": None,
        "created_at": "2024-02-29T08:00:00Z",
        "updated_at": "2024-02-29T08:00:00Z",
        "is_online": False,
        "groups_data": [{"id": 3, "name": "Editors"}, {"id": 1, "name": "Admins"}],
    },
)
STYLES = {"awx": AWX, "django_admin": DJANGO, "staff_users": STAFF}
