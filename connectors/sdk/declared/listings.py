"""How an API gives the list of its accounts: links to the next page, page numbers, or all at once.

Each kind is a small object that a connector declares. A page is whole or worth nothing: an entry that is
no object with an id, or fewer entries than the server itself counts, makes it ambiguous. A listing by page
numbers has to count its accounts: nothing else would tell that a page was the last. Safe from many threads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.sdk.answers import Answer, NotJsonError, json_of
from connectors.sdk.dialect import Dialect
from connectors.sdk.fields import Field
from connectors.sdk.listing import Listing, accounts_in, broken
from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient
from connectors.sdk.urls import ForeignOriginError

NO_LISTING: Final = "the answer is no listing of accounts"


@dataclass(frozen=True, slots=True)
class Shape:
    """How an entry of a list becomes an id and a record."""

    fields: Mapping[str, Field]
    id_key: str
    dialect: Dialect

    def listing(self, outcome: Outcome, results: Json, total: Json) -> Listing:
        """The accounts of one page that answered; `next_path` is still open."""
        accounts = accounts_in(results, self.fields, self.id_key, self.dialect)
        if accounts is None:
            return broken(outcome, NO_LISTING)
        counted = total if isinstance(total, int) and not isinstance(total, bool) else None
        return Listing(outcome, accounts, total=counted)


class Listed(Protocol):
    """One way of listing."""

    def first(self, path: str, condition: Mapping[str, str]) -> str:
        """The address of the first page of the accounts that a filter names, below the base URL."""

    def page(self, client: RestClient, shape: Shape, path: str, answer: Answer) -> Listing:
        """What the answer of this address holds; `next_path` leads to the following page, if there is one."""


@dataclass(frozen=True, slots=True)
class Linked:
    """`{"count": 3, "next": "https://…", "results": […]}`, by whatever names; `query` is always asked."""

    results: str = "results"
    following: str = "next"
    total: str = "count"
    query: Mapping[str, str] = field(default_factory=dict)

    def first(self, path: str, condition: Mapping[str, str]) -> str:
        """See `Listed.first`."""
        return _address(path, {**self.query, **condition})

    def page(self, client: RestClient, shape: Shape, path: str, answer: Answer) -> Listing:
        """See `Listed.page`. A link to another origin is not followed."""
        del path
        outcome, body = document_outcome(answer)
        if outcome.kind is not OutcomeKind.OBSERVED:
            return Listing(outcome)
        listing = shape.listing(outcome, body.get(self.results), body.get(self.total))
        link = body.get(self.following)
        if not listing.ok or not isinstance(link, str) or not link:
            return listing
        try:
            return replace(listing, next_path=client.follow(outcome.exchange, link))
        except ForeignOriginError as error:
            return broken(outcome, str(error), OutcomeKind.SUSPECT)


@dataclass(frozen=True, slots=True)
class Numbered:
    """`?page=2&page_size=100` answered by `{"count": 230, "results": […]}`, by whatever names."""

    results: str = "results"
    total: str = "count"
    number: str = "page"
    size: str = "page_size"
    page_size: int = 100
    query: Mapping[str, str] = field(default_factory=dict)

    def first(self, path: str, condition: Mapping[str, str]) -> str:
        """See `Listed.first`."""
        return self._at(path, {**self.query, **condition}, 1)

    def page(self, client: RestClient, shape: Shape, path: str, answer: Answer) -> Listing:
        """See `Listed.page`. Pages smaller than asked for would leave accounts out unseen."""
        del client
        outcome, body = document_outcome(answer)
        if outcome.kind is not OutcomeKind.OBSERVED:
            return Listing(outcome)
        listing = shape.listing(outcome, body.get(self.results), body.get(self.total))
        if not listing.ok or listing.total is None:
            return broken(outcome, NO_LISTING) if listing.ok else listing
        asked = dict(parse_qsl(urlsplit(path).query))
        number = int(asked.pop(self.number))
        left = listing.total - (number - 1) * self.page_size
        if len(listing.accounts) != max(0, min(left, self.page_size)):
            detail = f"{len(listing.accounts)} accounts on page {number} of pages of {self.page_size}"
            return broken(outcome, f"{detail}, {listing.total} in all: these do not fit together")
        del asked[self.size]
        following = self._at(urlsplit(path).path, asked, number + 1)
        return replace(listing, next_path=following if left > self.page_size else None)

    def _at(self, path: str, query: Mapping[str, str], number: int) -> str:
        return _address(path, {**query, self.size: str(self.page_size), self.number: str(number)})


@dataclass(frozen=True, slots=True)
class Whole:
    """A JSON array of all accounts in one answer."""

    query: Mapping[str, str] = field(default_factory=dict)

    def first(self, path: str, condition: Mapping[str, str]) -> str:
        """See `Listed.first`."""
        return _address(path, {**self.query, **condition})

    def page(self, client: RestClient, shape: Shape, path: str, answer: Answer) -> Listing:
        """See `Listed.page`: the first is the last."""
        del client, path
        outcome, body = document_outcome(_as_object(answer))
        if outcome.kind is not OutcomeKind.OBSERVED:
            return Listing(outcome)
        return shape.listing(outcome, body.get("array"), None)


def _as_object(answer: Answer) -> Answer:
    """An answer with its array as `{"array": …}`, as the table of outcomes judges documents."""
    try:
        parsed = json_of(answer.body)
    except NotJsonError:
        return answer
    if not isinstance(parsed, list):
        return answer
    return replace(answer, body=json.dumps({"array": parsed}).encode())


def _address(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
