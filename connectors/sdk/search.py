"""Finding and listing accounts by page numbers, where a filter is not documented. Safe from many threads.

The server is asked with a filter first. An answer that holds anybody else, or a refusal, shows that it has
none; then every page is read, at most `page_cap`. Page numbers shift while accounts come and go: a search
that saw fewer accounts than the server counts, or was not finished, is *ambiguous*, never *nobody*.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from connectors.sdk.dialect import PLAIN, Dialect
from connectors.sdk.fields import Field
from connectors.sdk.listing import Listing, broken, list_page
from connectors.sdk.matching import matches_in, searchable
from connectors.sdk.model import Found, Json, Match, Outcome, OutcomeKind, Page, Record
from connectors.sdk.rest import RestClient

PAGE_CAP: Final = 200  # pages read where the server has no filter; option `find_page_cap`


def page_cap(options: Mapping[str, Json]) -> int:
    """The option `find_page_cap`. Raises `ValueError`."""
    cap = options.get("find_page_cap", PAGE_CAP)
    if isinstance(cap, bool) or not isinstance(cap, int) or cap < 1:
        raise ValueError("options.find_page_cap must be a number of pages, at least 1")
    return cap


class PagedSearch:
    """`path` is the listing below the base URL, with its slash."""

    def __init__(
        self, client: RestClient, fields: Mapping[str, Field], path: str, cap: int, dialect: Dialect = PLAIN
    ) -> None:
        self._client = client
        self._fields = fields
        self._path = path
        self._cap = cap
        self._dialect = dialect
        self.first_page = f"{path}?page=1"

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        """See `Connector.find`."""
        values = searchable(self._fields, wanted)
        found: dict[str, Match] = {}
        nothing = self._client.unsent("GET", self._path)
        last = Outcome(OutcomeKind.REJECTED, nothing, detail="nothing to search by")
        for name, texts in values.items():
            for text in texts:
                listing = self.filtered(name, text)
                if listing is None:
                    return self._find_in_all(values)
                if not listing.ok:
                    return Found(listing.outcome)
                last = listing.outcome
                found.update(matches_in(listing.accounts, values))
        return Found(last, tuple(found.values()))

    def scan(self, cursor: str | None) -> Page:
        """See `Connector.scan`. The cursor is the address of the page, below the base URL."""
        listing = self.page(cursor or self.first_page)
        if not listing.ok:
            return Page(listing.outcome)
        return Page(listing.outcome, listing.accounts, listing.next_path, listing.total)

    def filtered(self, name: str, text: str) -> Listing | None:
        """All accounts of the filtered listing; None where the server has no such filter."""
        accounts: list[tuple[str, Record]] = []
        path = self.asked(name, text)
        if path is None:
            return None
        for _ in range(self._cap):
            page = self.page(path)
            if page.outcome.kind is OutcomeKind.REJECTED:
                return None
            if any(record.get(name) != text for _, record in page.accounts):
                return None
            accounts += page.accounts
            if not page.ok or page.next_path is None:
                return dataclasses.replace(page, accounts=tuple(accounts))
            path = page.next_path
        return broken(page.outcome, self._too_long())

    def asked(self, name: str, text: str) -> str | None:
        """The address of the list with a filter; None where there is none for this field."""
        return f"{self._path}?{urlencode({name: text})}"

    def page(self, path: str) -> Listing:
        """One page; one that is gone means that the listing shrank while it was read."""
        page = list_page(self._client, self._fields, path, dialect=self._dialect)
        gone = page.outcome.exchange.status == HTTPStatus.NOT_FOUND
        if gone and "page=" in path and path != self.first_page:
            return broken(page.outcome, "the page is gone: the listing shrank while it was read")
        return page

    def _find_in_all(self, values: Mapping[str, tuple[str, ...]]) -> Found:
        """Every page read; only what matches is kept."""
        found: dict[str, Match] = {}
        seen: set[str] = set()
        path = self.first_page
        for _ in range(self._cap):
            page = self.page(path)
            if not page.ok:
                return Found(page.outcome)
            seen.update(remote_id for remote_id, _ in page.accounts)
            found.update(matches_in(page.accounts, values))
            if page.next_path is None:
                return _whole(page, seen, found)
            path = page.next_path
        return Found(broken(page.outcome, self._too_long()).outcome)

    def _too_long(self) -> str:
        return f"more than {self._cap} pages (option find_page_cap): the search was not finished"


def _whole(page: Listing, seen: set[str], found: Mapping[str, Match]) -> Found:
    """The end of a search through all pages, if all were seen."""
    if page.total is not None and len(seen) < page.total:
        detail = f"{len(seen)} of {page.total} accounts seen: the listing moved while it was read"
        return Found(broken(page.outcome, detail).outcome)
    return Found(page.outcome, tuple(found.values()))
