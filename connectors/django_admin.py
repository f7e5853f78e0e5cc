"""Users of Django's own kind behind `PATCH /admin/users/{id}/` (Django REST framework).

The document marks `username` and `password` required even for a PATCH (a common generator artefact):
where a server insists on `username`, the target's `always_send` has the engine send it along; `password`
is never sent, since a plain serializer stores it as it comes and so locks the account; only a created
account, which must have one, is given a password that nobody knows, locked or not. Deactivating
is `is_active = false`. Groups and permissions are ids to this API and names to us: `options.groups` and
`options.user_permissions` say which (name = id).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final, TypeAlias
from urllib.parse import urlencode

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.contract import ConnectorConfig, Descriptor
from connectors.sdk.diagnosis import failed_report
from connectors.sdk.fields import Field, FieldType, Null
from connectors.sdk.listing import accounts_in
from connectors.sdk.model import CheckReport, Found, Outcome, OutcomeKind, Page, Record
from connectors.sdk.names import NamedSets, NameIds, configured_names
from connectors.sdk.offered import offered
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.passwords import unknown_password
from connectors.sdk.rest import RestClient
from connectors.sdk.search import PagedSearch, page_cap
from connectors.sdk.standing import CHANGE, standing
from connectors.sdk.style import RestStyle

DOCUMENT: Final = "Django admin users API, PATCH /admin/users/{id}/"
USERS: Final = "/admin/users/"
ROOT: Final = "set `base_url` so that /admin/users/ lies directly below it."
RIGHTS: Final = ("is_superuser", "is_staff")
Account: TypeAlias = tuple[str, Record]
ADD: Final = "add_user"
NO_CHANGE: Final = (
    "Our token may read the accounts but not change them: it is for reading only, or its owner lacks the"
    " permission change_user. Give it to them, or use a token of somebody who has it."
)
WHOSE: Final = (
    "This API does not tell whose the token is: name its owner in `protected`, so that no event changes or"
    " deactivates them."
)
NOBODY: Final = "No account is there to see what our token may do."
UNTOLD: Final = "This server does not tell whether our token may change accounts: the first change will."
NO_DEMOTING: Final = "accounts are deactivated here, not demoted; nothing was sent"
NO_PASSWORD: Final = "a plain serializer stores it as it comes, which locks the account"  # noqa: S105  # a reason


def _text(name: str, max_length: int, *, email: bool = False) -> Field:
    return Field(name, FieldType.TEXT, DOCUMENT, max_length=max_length, email=email, null_as=Null.EMPTY)


def _flag(name: str, *, privileged: bool) -> Field:
    return Field(name, FieldType.BOOLEAN, DOCUMENT, privileged=privileged)


def _names(name: str) -> Field:
    return Field(name, FieldType.NAME_SET, DOCUMENT, null_as=Null.EMPTY, privileged=True)


FIELDS: Final = (
    Field(
        "username",
        FieldType.TEXT,
        DOCUMENT,
        min_length=1,
        max_length=150,
        pattern=r"[\w.@+-]+",
        unique=True,
    ),
    _text("first_name", 30),
    _text("last_name", 150),
    _text("email", 254, email=True),
    _flag("is_superuser", privileged=True),
    _flag("is_staff", privileged=True),
    _flag("is_active", privileged=False),
    Field("last_login", FieldType.DATETIME, DOCUMENT),
    Field("date_joined", FieldType.DATETIME, DOCUMENT),
    _names("groups"),
    _names("user_permissions"),
    Field(
        "password",
        FieldType.TEXT,
        DOCUMENT,
        min_length=1,
        max_length=128,
        write_only=True,
        never_mapped=NO_PASSWORD,
    ),
    Field("id", FieldType.INTEGER, DOCUMENT, read_only=True),
)


class DjangoAdminConnector(RestStyle):
    """One Django server; `/admin/users/` lies below `base_url`, which may have a path of its own."""

    descriptor: ClassVar[Descriptor] = Descriptor(
        style="django_admin",
        title="Django admin users",
        document=DOCUMENT,
        fields=FIELDS,
        correlation="username",
        default_mapping={
            "username": "user_name",
            "first_name": "given_name",
            "last_name": "family_name",
            "email": "email",
            "is_active": "active",
        },
        active_field="is_active",
        containers=frozenset({"groups", "user_permissions"}),
        can_create=True,
        superuser_field="is_superuser",
    )

    def __init__(self, config: ConnectorConfig) -> None:
        options = config.options or {}
        dialect = self._dialect = NamedSets(
            {
                "groups": NameIds("group", configured_names(options, "groups")),
                "user_permissions": NameIds("permission", configured_names(options, "user_permissions")),
            }
        )
        self._client = RestClient(config)
        self._accounts = AccountCalls(self._client, self.descriptor, f"{USERS}{{id}}/", dialect=dialect)
        cap = page_cap(options)
        self._search = PagedSearch(self._client, self._accounts.fields, USERS, cap, dialect)

    def create(self, values: Record) -> Outcome:
        """See `Connector.create`. The document requires a password: one that is kept nowhere."""
        return self._accounts.create(USERS, values, {"password": unknown_password()})

    def demote(self, remote_id: str) -> Outcome:
        """Refused: an account of this API is deactivated instead."""
        return self._accounts.refused("PATCH", remote_id, {}, NO_DEMOTING)

    def probe(self) -> Outcome:
        """See `Connector.probe`. The credential is read anew."""
        self._client.refresh()
        return self._search.page(self._search.first_page).outcome

    def check(self) -> CheckReport:
        """See `Connector.check`. Four reads at most; the API tells no version.

        Of a token it does not tell whose it is: what it may do is asked at anybody's account then.
        """
        self._client.refresh()
        answer = self._client.get(USERS, {"page": 1})
        outcome, body = document_outcome(answer)
        accounts = accounts_in(body.get("results"), self._accounts.fields, "id", self._dialect)
        if outcome.kind is not OutcomeKind.OBSERVED or accounts is None:
            return failed_report(answer, outcome, self._client.base_url, ROOT, self._client.scheme)
        owner = self._client.username
        if owner is None:
            return self._entitled(CheckReport(reachable=True, healthy=True, notes=(WHOSE,)), accounts)
        mine = _called(owner, accounts) or self._asked_for(owner)
        report = CheckReport(reachable=True, healthy=True, owner=owner)
        if mine is None:
            return self._entitled(report, accounts)
        rights = tuple(name for name in RIGHTS if mine[1].get(name) is True)
        return self._entitled(replace(report, owner_id=mine[0], rights=rights), (mine,))

    def _asked_for(self, username: str) -> Account | None:
        """One account by its name, from one page: whole where the server filters."""
        return _called(username, self._search.page(f"{USERS}?{urlencode({'username': username})}").accounts)

    def _entitled(self, report: CheckReport, accounts: Sequence[Account]) -> CheckReport:
        """The report with what the token may do to the first of these."""
        if not accounts:
            return replace(report, notes=(*report.notes, NOBODY))
        remote_id = accounts[0][0]
        found = standing(self._client, self._accounts, f"{USERS}{remote_id}/", remote_id)
        report = replace(
            report, rights=(*report.rights, *found.rights), missing=found.missing, shown=found.shown
        )
        if CHANGE in found.missing:
            return replace(report, healthy=False, problems=(NO_CHANGE,))
        if CHANGE not in found.rights:
            return replace(report, notes=(*report.notes, UNTOLD))
        actions = offered(self._client, USERS)
        if actions is None:
            return report
        if "POST" in actions:
            return replace(report, rights=(*report.rights, ADD))
        return replace(report, missing=(*report.missing, ADD))

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`. The document names no filter: one is tried, else every page is read."""
        return self._search.find(wanted)

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`. The cursor is the address of the page, below `base_url`."""
        return self._search.scan(cursor)


def _called(username: str, accounts: Iterable[Account]) -> Account | None:
    """The one account of that name."""
    found = [account for account in accounts if account[1].get("username") == username]
    return found[0] if len(found) == 1 else None


CONNECTOR: Final = DjangoAdminConnector
