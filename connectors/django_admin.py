"""Users of Django's own kind behind `PATCH /admin/users/{id}/` (Django REST framework).

The document marks `username` and `password` required even for a PATCH (a common generator artefact):
where a server insists on `username`, the target's `always_send` has the engine send it along; `password`
is never sent, since a plain serializer stores it as it comes and so locks the account. Deactivating
is `is_active = false`. Listing is by page numbers, which shift while accounts come and go: a search that
had to read all pages and saw fewer accounts than the server counts answers *ambiguous*, not *nobody*.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final
from urllib.parse import urlencode

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.contract import ConnectorConfig, Descriptor
from connectors.sdk.diagnosis import failed_report
from connectors.sdk.fields import Field, FieldType, Null
from connectors.sdk.listing import Listing, broken, list_page
from connectors.sdk.matching import matches_in, searchable
from connectors.sdk.model import CheckReport, Found, Json, Match, Outcome, OutcomeKind, Page, Record
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient

DOCUMENT: Final = "Django admin users API, PATCH /admin/users/{id}/"
USERS: Final = "/admin/users/"
FIRST_PAGE: Final = f"{USERS}?page=1"
ROOT: Final = "set `base_url` so that /admin/users/ lies directly below it."
FIND_PAGE_CAP: Final = 200  # pages read where the server has no filter; option `find_page_cap`
RIGHTS: Final = ("is_superuser", "is_staff")
NO_PASSWORD: Final = "a plain serializer stores it as it comes, which locks the account"  # noqa: S105  # a reason


def _text(name: str, max_length: int, *, email: bool = False) -> Field:
    return Field(name, FieldType.TEXT, DOCUMENT, max_length=max_length, email=email, null_as=Null.EMPTY)


def _flag(name: str, *, privileged: bool) -> Field:
    return Field(name, FieldType.BOOLEAN, DOCUMENT, privileged=privileged)


def _ids(name: str) -> Field:
    return Field(name, FieldType.ID_SET, DOCUMENT, null_as=Null.EMPTY, privileged=True)


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
    _ids("groups"),
    _ids("user_permissions"),
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


class DjangoAdminConnector:
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
    )

    def __init__(self, config: ConnectorConfig) -> None:
        self._find_page_cap = _page_cap(config.options or {})
        self._client = RestClient(config)
        self._accounts = AccountCalls(self._client, self.descriptor, f"{USERS}{{id}}/")

    def encode(self, name: str, value: Json) -> Json:
        """See `Connector.encode`."""
        return self._accounts.encode(name, value)

    def path_of(self, remote_id: str) -> str:
        """See `Connector.path_of`."""
        return self._accounts.path_of(remote_id)

    def fetch(self, remote_id: str) -> Outcome:
        """See `Connector.fetch`."""
        return self._accounts.fetch(remote_id)

    def patch(self, remote_id: str, changes: Record) -> Outcome:
        """See `Connector.patch`."""
        return self._accounts.patch(remote_id, changes)

    def probe(self) -> Outcome:
        """See `Connector.probe`. The credential is read anew."""
        self._client.refresh()
        return self._page(FIRST_PAGE).outcome

    def check(self) -> CheckReport:
        """See `Connector.check`. The API tells no version, and of a token not whose it is.

        Whether accounts may be changed shows with the first change: reading them proves it only in part.
        """
        self._client.refresh()
        answer = self._client.get(USERS, {"page": 1})
        outcome, body = document_outcome(answer)
        if not isinstance(body.get("results"), list):
            return failed_report(answer, outcome, self._client.base_url, ROOT)
        username = self._client.username
        if username is None:
            return CheckReport(reachable=True, healthy=True)
        mine = self.find({"username": (username,)}).matches
        me = mine[0] if len(mine) == 1 else None
        return CheckReport(
            reachable=True,
            healthy=True,
            owner=username,
            owner_id=me.remote_id if me else None,
            rights=tuple(name for name in RIGHTS if me is not None and me.record.get(name) is True),
        )

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`.

        The document names no filter. One is tried; a server that ignores it is read page by page,
        up to `find_page_cap` pages, beyond which the answer is *ambiguous*, never *nobody*.
        """
        values = searchable(self._accounts.fields, wanted)
        found: dict[str, Match] = {}
        last = Outcome(OutcomeKind.REJECTED, self._client.unsent("GET", USERS), detail="nothing to search by")
        for name, texts in values.items():
            for text in texts:
                listing = self._filtered(name, text)
                if listing is None:
                    return self._find_in_all(values)
                if not listing.ok:
                    return Found(listing.outcome)
                last = listing.outcome
                found.update(matches_in(listing.accounts, values))
        return Found(last, tuple(found.values()))

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`. The cursor is the address of the page, below `base_url`."""
        listing = self._page(cursor or FIRST_PAGE)
        if not listing.ok:
            return Page(listing.outcome)
        return Page(listing.outcome, listing.accounts, listing.next_path, listing.total)

    def _filtered(self, name: str, text: str) -> Listing | None:
        """All accounts of the filtered listing; None where the server has no such filter."""
        accounts: list[tuple[str, Record]] = []
        path = f"{USERS}?{urlencode({name: text})}"
        for _ in range(self._find_page_cap):
            page = self._page(path)
            if page.outcome.kind is OutcomeKind.REJECTED:
                return None
            if any(record.get(name) != text for _, record in page.accounts):
                return None
            accounts += page.accounts
            if not page.ok or page.next_path is None:
                return dataclasses.replace(page, accounts=tuple(accounts))
            path = page.next_path
        return broken(page.outcome, self._too_long())

    def _find_in_all(self, values: Mapping[str, tuple[str, ...]]) -> Found:
        """Every page read; only what matches is kept."""
        found: dict[str, Match] = {}
        seen: set[str] = set()
        path = FIRST_PAGE
        for _ in range(self._find_page_cap):
            page = self._page(path)
            if not page.ok:
                return Found(page.outcome)
            seen.update(remote_id for remote_id, _ in page.accounts)
            found.update(matches_in(page.accounts, values))
            if page.next_path is None:
                return _whole(page, seen, found)
            path = page.next_path
        return Found(broken(page.outcome, self._too_long()).outcome)

    def _page(self, path: str) -> Listing:
        """One page; one that is gone means that the listing shrank while it was read."""
        page = list_page(self._client, self._accounts.fields, path)
        if page.outcome.exchange.status == HTTPStatus.NOT_FOUND and "page=" in path and path != FIRST_PAGE:
            return broken(page.outcome, "the page is gone: the listing shrank while it was read")
        return page

    def _too_long(self) -> str:
        return f"more than {self._find_page_cap} pages (option find_page_cap): the search was not finished"


def _whole(page: Listing, seen: set[str], found: Mapping[str, Match]) -> Found:
    """The end of a search through all pages, if all were seen."""
    if page.total is not None and len(seen) < page.total:
        detail = f"{len(seen)} of {page.total} accounts seen: the listing moved while it was read"
        return Found(broken(page.outcome, detail).outcome)
    return Found(page.outcome, tuple(found.values()))


def _page_cap(options: Mapping[str, Json]) -> int:
    cap = options.get("find_page_cap", FIND_PAGE_CAP)
    if isinstance(cap, bool) or not isinstance(cap, int) or cap < 1:
        raise ValueError("options.find_page_cap must be a number of pages, at least 1")
    return cap


CONNECTOR: Final = DjangoAdminConnector
