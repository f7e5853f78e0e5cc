"""Finding and listing accounts the way a connector declares: `PagedSearch` over any kind of listing.

Only documented filters are asked for; a field without one is searched by reading every page.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from connectors.sdk.answers import Answer
from connectors.sdk.declared.listings import Listed, Shape
from connectors.sdk.listing import Listing, broken
from connectors.sdk.rest import RestClient
from connectors.sdk.search import PagedSearch

GONE: Final = "the page is gone: the listing shrank while it was read"


class DeclaredSearch(PagedSearch):
    """`filters` are field -> query parameter."""

    def __init__(  # noqa: PLR0913  # each is one way in which APIs differ
        self,
        client: RestClient,
        path: str,
        shape: Shape,
        cap: int,
        listing: Listed,
        filters: Mapping[str, str],
    ) -> None:
        super().__init__(client, shape.fields, path, cap, shape.dialect)
        self._shape = shape
        self._listing = listing
        self._filters = filters
        self.first_page = listing.first(path, {})

    def asked(self, name: str, text: str) -> str | None:
        """See `PagedSearch.asked`."""
        parameter = self._filters.get(name)
        return None if parameter is None else self._listing.first(self._path, {parameter: text})

    @property
    def path(self) -> str:
        """The list, below the base URL."""
        return self._path

    @property
    def id_key(self) -> str:
        """Where an account has its id."""
        return self._shape.id_key

    def page(self, path: str) -> Listing:
        """See `PagedSearch.page`."""
        page = self.judged(path, self._client.get(path))
        gone = page.outcome.exchange.status == HTTPStatus.NOT_FOUND and not self._is_first(path)
        return broken(page.outcome, GONE) if gone else page

    def judged(self, path: str, answer: Answer) -> Listing:
        """What the answer of this address holds."""
        return self._listing.page(self._client, self._shape, path, answer)

    def _is_first(self, path: str) -> bool:
        """Whether nothing but a filter leads from the first page to this one."""
        first = parse_qsl(urlsplit(self.first_page).query)
        left = [part for part in parse_qsl(urlsplit(path).query) if part[0] not in self._filters.values()]
        return sorted(left) == sorted(first)
