"""What every REST style does alike: one account below one path, through `AccountCalls`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from connectors.sdk.accounts import AccountCalls
from connectors.sdk.model import History, Json, Outcome, Page, Record

NO_DELETING = "accounts are never deleted here; nothing was sent"
NO_LOG = "this API has no log of who changed what; nothing was asked"


class RestStyle(ABC):
    """A style sets `_accounts` in its constructor and adds what is its own."""

    _accounts: AccountCalls

    def encode(self, name: str, value: Json) -> Json:
        """See `Connector.encode`."""
        return self._accounts.encode(name, value)

    def path_of(self, remote_id: str) -> str:
        """See `Connector.path_of`."""
        return self._accounts.path_of(remote_id)

    def fetch(self, remote_id: str) -> Outcome:
        """See `Connector.fetch`."""
        return self._accounts.fetch(remote_id)

    def patch(
        self, remote_id: str, changes: Record, digests: Mapping[str, str] = MappingProxyType({})
    ) -> Outcome:
        """See `Connector.patch`: for an API without opaque fields."""
        del digests
        return self._accounts.patch(remote_id, changes)

    def delete(self, remote_id: str) -> Outcome:
        """Refused, unless a style says otherwise."""
        return self._accounts.refused("DELETE", remote_id, {}, NO_DELETING)

    def history(self, remote_id: str) -> History:
        """Refused, unless a style has a log."""
        return History(self._accounts.refused("GET", remote_id, {}, NO_LOG))

    @abstractmethod
    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`: each style has its own."""

    def superusers(self, cursor: str | None) -> Page:
        """See `Connector.superusers`: everybody, where no filter is documented."""
        return self.scan(cursor)
