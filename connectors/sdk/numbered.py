"""Walking a listing that has page numbers only, without losing anybody while accounts come and go.

Pages are asked for in the order of ids, each overlapping the one before: it is trusted only if it begins
at or before the last account seen. Where one does not, accounts before it have gone and the rest moved up:
the walk steps back. A server whose pages are smaller than asked for is followed. Safe from many threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, Self

from connectors.sdk.dialect import PLAIN, Dialect
from connectors.sdk.fields import Field
from connectors.sdk.listing import accounts_in
from connectors.sdk.model import Json, Outcome, OutcomeKind, Page, Record
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient

TRIES: Final = 12
Accounts = tuple[tuple[str, Record], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a walk has come: accounts read, the last one's id, the largest page the server gives."""

    read: int
    last: int
    cap: int

    @classmethod
    def of(cls, cursor: str | None, cap: int) -> Self:
        """Raises `ValueError` for what is no cursor of ours."""
        return cls(*(int(part) for part in cursor.split("."))) if cursor else cls(0, 0, cap)

    def __str__(self) -> str:
        return f"{self.read}.{self.last}.{self.cap}"

    def window(self) -> tuple[int, int]:
        """Page size and number of the page that holds the last account read and most after it."""
        if self.read == 0:
            return self.cap, 1
        sizes = range(self.cap, max(1, self.cap // 2) - 1, -1)
        best = max(sizes, key=lambda size: -self.read % size)
        if self.read % best == 0:  # pages too small to overlap
            return self.cap, self.read // self.cap + 1
        return best, self.read // best + 1


@dataclass(frozen=True, slots=True)
class Numbered:
    """One page as it was answered."""

    outcome: Outcome
    accounts: Accounts = ()
    more: bool = False
    total: int | None = None


class NumberedListing:
    """`path` is the listing below the base URL; its answers hold `pagination` and `results`."""

    def __init__(  # noqa: PLR0913  # each is one way in which listings differ
        self,
        client: RestClient,
        fields: Mapping[str, Field],
        path: str,
        *,
        id_key: str,
        page_size: int,
        dialect: Dialect = PLAIN,
    ) -> None:
        self._client = client
        self._fields = fields
        self._path = path
        self._id_key = id_key
        self._page_size = page_size
        self._dialect = dialect

    def page(self, query: Mapping[str, str | int]) -> Numbered:
        """One page, as the query has it."""
        outcome, body = document_outcome(self._client.get(self._path, query))
        if outcome.kind is not OutcomeKind.OBSERVED:
            return Numbered(outcome)
        accounts = accounts_in(body.get("results"), self._fields, self._id_key, self._dialect)
        numbers = body.get("pagination")
        if accounts is None or not isinstance(numbers, dict) or not _is_count(numbers.get("next")):
            return _broken(outcome, "the answer is no listing of accounts")
        total = numbers.get("count")
        return Numbered(outcome, accounts, numbers["next"] != 0, total if isinstance(total, int) else None)

    def after(self, cursor: str | None, query: Mapping[str, str | int]) -> Page:
        """The accounts after the cursor, each once; `query` holds filters and the order by ids."""
        place, back = Place.of(cursor, self._page_size), 1
        for _ in range(TRIES):
            size, number = place.window()
            got = self.page({**query, "page_size": size, "page": number})
            gone = got.outcome.exchange.status == HTTPStatus.NOT_FOUND and number > 1
            if got.outcome.kind is not OutcomeKind.OBSERVED and not gone:
                return Page(got.outcome)
            ids = _ascending(got.accounts)
            if ids is None:
                return Page(_broken(got.outcome, "the listing is not in the order of ids").outcome)
            overlaps = number == 1 or (number - 1) * size >= place.read
            if gone or not (overlaps or (ids and ids[0] <= place.last)):
                place, back = replace(place, read=max(0, place.read - back * place.cap)), back * 2
                continue
            page, place = _taken(got, ids, place, size, number)
            if page.records or page.cursor is None:
                return replace(page, total=got.total if cursor is None else None)
        return Page(_broken(got.outcome, "the listing moves faster than it can be read").outcome)


def _taken(got: Numbered, ids: list[int], place: Place, size: int, number: int) -> tuple[Page, Place]:
    """What is new on a page that follows without a gap, and where the walk stands now."""
    cap = len(ids) if got.more and ids and len(ids) < size else place.cap
    read = (number - 1) * min(size, cap) + len(ids)
    fresh = tuple(account for account, pk in zip(got.accounts, ids, strict=True) if pk > place.last)
    reached = Place(read, max([place.last, *ids]), cap)
    return Page(got.outcome, fresh, str(reached) if got.more else None), reached


def _ascending(accounts: Accounts) -> list[int] | None:
    ids = [int(remote_id) if remote_id.isdigit() else -1 for remote_id, _ in accounts]
    return ids if ids == sorted(set(ids)) and -1 not in ids else None


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _broken(outcome: Outcome, detail: str) -> Numbered:
    return Numbered(Outcome(OutcomeKind.AMBIGUOUS, outcome.exchange, detail=detail))
