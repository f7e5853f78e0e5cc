"""The reference targets of this project as the kit knows reference servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from connectors.sdk.contract import Credential
from connectors.sdk.model import Json
from connectors.sdk.testing import Account, ReferenceServer
from tests.fixtures.targets import TOKEN, ReferenceTarget, TargetProcess

OWNER = "kit.owner"
BELOW = "attributes."
GROUPS: dict[str, Any] = {"Editors": 1, "Writers": 2, "Readers": 3}
PICTURES = str(Path(__file__).with_name("pictures"))
PERMISSIONS: dict[str, Any] = {"Can print": 1, "Can sign": 2}


def no_process(_style: str) -> NoReturn:
    raise AssertionError("the fixture that starts reference targets is not in force")


process_of: Callable[[str], TargetProcess] = no_process


class TargetServer(ReferenceServer):
    """One running target. `seeded` and `shown` translate between fields of the style and columns."""

    style: ClassVar[str]
    scheme: ClassVar[str] = "bearer"
    owner: ClassVar[Mapping[str, Any]] = {"username": OWNER, "is_superuser": True}
    pages: ClassVar[Mapping[str, int]] = {"page_size": 3}  # small ones: a few accounts fill several

    def __init__(self) -> None:
        self._target = ReferenceTarget(self.style, process_of(self.style).port)

    @property
    def base_url(self) -> str:
        return self._target.base_url

    def credential(self) -> Credential:
        return Credential(self.scheme, TOKEN)

    def reset(self, accounts: Sequence[Account]) -> Mapping[str, str]:
        users = [{"id": 1, **self.owner}]
        users += [{"id": number, **self.seeded(given)} for number, given in enumerate(accounts, start=2)]
        tokens = [{"token": TOKEN, "username": self.owner["username"], "scope": "write"}]
        self._target.reset(users, tokens, self.pages, self.more())
        return {given.key: str(number) for number, given in enumerate(accounts, start=2)}

    def rows(self) -> Mapping[str, Mapping[str, Json]]:
        return {str(row["id"]): self.shown(row) for row in self._target.rows()}

    def more(self) -> Mapping[str, Any]:
        """What else a reset carries."""
        return {}

    def seeded(self, account: Account) -> dict[str, Any]:
        return dict(account.values)

    def shown(self, row: Mapping[str, Any]) -> Mapping[str, Json]:
        return row


class AwxServer(TargetServer):
    style = "awx"
    pages: ClassVar[Mapping[str, int]] = {"MAX_PAGE_SIZE": 3}

    def seeded(self, account: Account) -> dict[str, Any]:
        return {**account.values, "ldap_dn": ""}


class DjangoAdminServer(TargetServer):
    """Groups and permissions are ids to this API: the options say which name means which."""

    style = "django_admin"
    scheme = "token"
    owner: ClassVar[Mapping[str, Any]] = {
        "username": OWNER,
        "is_superuser": True,
        "is_staff": True,
        "groups": [*GROUPS.values()],
        "user_permissions": [*PERMISSIONS.values()],  # so that they exist
    }
    options: ClassVar[Mapping[str, Json]] = {"groups": GROUPS, "user_permissions": PERMISSIONS}
    samples: ClassVar[Mapping[str, Sequence[Json]]] = {
        "groups": (["Editors"], ["Editors", "Writers"]),
        "user_permissions": (["Can print"], ["Can print", "Can sign"]),
    }

    def seeded(self, account: Account) -> dict[str, Any]:
        numbered = {**account.values}
        for name, ids in (("groups", GROUPS), ("user_permissions", PERMISSIONS)):
            if name in numbered:
                numbered[name] = [_number(ids, label) for label in numbered[name]]
        return numbered

    def shown(self, row: Mapping[str, Any]) -> Mapping[str, Json]:
        return {
            **row,
            "groups": [_name(GROUPS, number) for number in row["groups"]],
            "user_permissions": [_name(PERMISSIONS, number) for number in row["user_permissions"]],
        }


class StaffUsersServer(TargetServer):
    style = "staff_users"
    scheme = "token"
    owner: ClassVar[Mapping[str, Any]] = {"username": OWNER, "is_staff": True, "is_admin": True}
    samples: ClassVar[Mapping[str, Sequence[Json]]] = {
        "groups": (["Editors"], ["Editors", "Writers"]),
        "avatar": ("one.png", "two.png"),
    }
    options: ClassVar[Mapping[str, Json]] = {"groups": GROUPS, "picture_folder": PICTURES}

    def more(self) -> Mapping[str, Any]:
        return {"groups": [{"id": number, "name": name} for name, number in GROUPS.items()]}

    def seeded(self, account: Account) -> dict[str, Any]:
        groups = account.values.get("groups", [])
        return {**account.values, "groups": [_number(GROUPS, label) for label in groups]}

    def shown(self, row: Mapping[str, Any]) -> Mapping[str, Json]:
        return {**row, "groups": [_name(GROUPS, number) for number in row["groups"]]}


class StaffMeServer(StaffUsersServer):
    """The other document of the same API: one account, the owner of the token."""

    options: ClassVar[Mapping[str, Json]] = {"endpoint": "me", "picture_folder": PICTURES}

    def reset(self, accounts: Sequence[Account]) -> Mapping[str, str]:
        (account,) = accounts
        user = {"id": 2, "is_staff": True, "groups": [1], **account.values}
        token = {"token": TOKEN, "username": account.values["username"]}
        self._target.reset([user], [token], more=self.more())
        return {account.key: "2"}

    def shown(self, row: Mapping[str, Any]) -> Mapping[str, Json]:
        """Without the time of the last write, which this document does not show."""
        return {name: value for name, value in super().shown(row).items() if name != "updated_at"}


class AuthentikServer(TargetServer):
    style = "authentik"
    pages: ClassVar[Mapping[str, int]] = {"max_page_size": 3}
    samples: ClassVar[Mapping[str, Sequence[Json]]] = {"groups": (["Editors"], ["Editors", "Writers"])}

    def more(self) -> Mapping[str, Any]:
        return {"groups": [{"name": name} for name in GROUPS]}

    def seeded(self, account: Account) -> dict[str, Any]:
        plain = {name: value for name, value in account.values.items() if not name.startswith(BELOW)}
        own = {name[len(BELOW) :]: value for name, value in account.values.items() if name.startswith(BELOW)}
        return {**plain, "attributes": {"kept": {"by": "somebody else"}, **own}}

    def shown(self, row: Mapping[str, Any]) -> Mapping[str, Json]:
        plain = {"pk" if name == "id" else name: value for name, value in row.items()}
        attributes = plain.pop("attributes")
        return {**plain, **{f"{BELOW}{key}": value for key, value in attributes.items()}}


def _number(ids: Mapping[str, int], name: str) -> int:
    """What the connector calls `#9` has the id 9."""
    return ids[name] if name in ids else int(name.removeprefix("#"))


def _name(ids: Mapping[str, int], number: int) -> str:
    return next((name for name, known in ids.items() if known == number), f"#{number}")
