"""A connector as a declaration: a descriptor, and an `Api` that says where things are and how lists come.

For an API that reads an account with GET, changes it with PATCH and lists accounts in one of the ways of
`listings`. What every REST style promises (`rest`, `outcomes`, `search`) holds here too. Whatever an API
does in its own way is an object of its own in the declaration or a method of the style, never a switch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from connectors.sdk.accounts import NOTHING, NUMBER, AccountCalls
from connectors.sdk.contract import ConnectorConfig, Descriptor
from connectors.sdk.declared.dialects import PLAIN_JSON, Dialects, known_options
from connectors.sdk.declared.listings import Linked, Listed, Shape
from connectors.sdk.declared.ownership import OwnerByName, Ownership
from connectors.sdk.declared.search import DeclaredSearch
from connectors.sdk.model import CheckReport, Found, Outcome, Page, Record
from connectors.sdk.rest import RestClient
from connectors.sdk.search import page_cap
from connectors.sdk.style import RestStyle

UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_CREATING: Final = "accounts are never created here; nothing was sent"
NO_SCANNING: Final = "accounts are never listed here; nothing was sent"
NO_DEMOTING: Final = "accounts are never demoted here; nothing was sent"


def nothing() -> Record:
    """No value goes along unseen."""
    return NOTHING


@dataclass(frozen=True, slots=True)
class Api:
    """Where an API has its accounts. Paths lie below the base URL, exactly as the server wants them.

    `filters` are field -> query parameter, of those that the API documents; any other field is searched by
    reading every page. `secret` are values sent along when an account is created or demoted, shown by no
    answer and kept nowhere, such as a password; `demoted` are the values that take every right away.
    """

    accounts: str  # the list; POST makes an account
    account: str  # one account; holds `{id}`
    listing: Listed = field(default_factory=Linked)
    id_key: str = "id"
    remote_ids: re.Pattern[str] = NUMBER
    filters: Mapping[str, str] = field(default_factory=dict)
    owner: Ownership = field(default_factory=OwnerByName)
    dialect: Dialects = PLAIN_JSON
    demoted: Record = field(default_factory=nothing)
    secret: Callable[[], Record] = nothing
    request_id_header: str = "X-Request-ID"


class DeclaredStyle(RestStyle):
    """A style declares `descriptor` and `api`. The option `find_page_cap` bounds a search by pages."""

    descriptor: ClassVar[Descriptor]
    api: ClassVar[Api]

    def __init__(self, config: ConnectorConfig) -> None:
        api, options = self.api, known_options(config.options, self.api.dialect)
        dialect = api.dialect.built(options)
        self._client = RestClient(config, api.request_id_header)
        self._accounts = AccountCalls(
            self._client,
            self.descriptor,
            api.account,
            id_key=api.id_key,
            remote_ids=api.remote_ids,
            dialect=dialect,
        )
        shape = Shape(self._accounts.fields, api.id_key, dialect)
        self._search = DeclaredSearch(
            self._client, api.accounts, shape, page_cap(options), api.listing, api.filters
        )

    def create(self, values: Record) -> Outcome:
        """See `Connector.create`."""
        if not self.descriptor.can_create:
            return self._accounts.refused_at("POST", self.api.accounts, {}, NO_CREATING)
        return self._accounts.create(self.api.accounts, values, self.api.secret())

    def demote(self, remote_id: str) -> Outcome:
        """See `Connector.demote`."""
        if not self.descriptor.can_demote:
            return self._accounts.refused("PATCH", remote_id, {}, NO_DEMOTING)
        return self._accounts.overwrite(remote_id, self.api.demoted, self.api.secret())

    def delete(self, remote_id: str) -> Outcome:
        """See `Connector.delete`."""
        return self._accounts.delete(remote_id) if self.descriptor.can_delete else super().delete(remote_id)

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`. What a filter answers is never trusted alone."""
        return self._search.find(wanted)

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`. The cursor is the address of the page, below `base_url`."""
        if not self.descriptor.can_scan:
            return Page(self._accounts.refused_at("GET", self.api.accounts, {}, NO_SCANNING))
        return self._search.scan(cursor)

    def superusers(self, cursor: str | None) -> Page:
        """See `Connector.superusers`: filtered where the API has a filter for the flag."""
        flag = self.descriptor.superuser_field or ""
        return self._search.scan(cursor or self._search.asked(flag, "true"))

    def probe(self) -> Outcome:
        """See `Connector.probe`. The credential is read anew."""
        self._client.refresh()
        return self.api.owner.probe(self._client, self._search)

    def check(self) -> CheckReport:
        """See `Connector.check`: whose token, and what it may do."""
        self._client.refresh()
        return self.api.owner.report(self._client, self._search, self.descriptor)
