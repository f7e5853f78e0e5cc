"""Pages: a listing gives at most `limit` entries, and `next`, which names where the next page begins.

A cursor is opaque, and good for the listing and the filters that it came from. It names a place and not a
number: what is added meanwhile neither repeats nor hides an entry.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypeAlias, TypeVar

from fastapi import Query

from worker.api.problems import ProblemError
from worker.domain.strict_json import digest

Key = list[int | str]
_Entry = TypeVar("_Entry")
_Page: TypeAlias = tuple[Sequence[_Entry], str | None]

LimitParameter = Annotated[int, Query(ge=1, le=500, description="Entries of a page at most.")]
CursorParameter = Annotated[
    str | None,
    Query(
        min_length=1, max_length=4096, pattern="^[A-Za-z0-9_=-]+$", description="`next` of the page before."
    ),
]


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing with its filters."""

    name: str
    filters: Mapping[str, str | int | float | None]

    @property
    def _mark(self) -> str:
        return digest([self.name, dict(self.filters)])[-16:]

    def cursor(self, key: Key) -> str:
        """For the page behind the entry with this key."""
        return base64.urlsafe_b64encode(json.dumps([self._mark, *key]).encode()).decode()

    def page(self, found: Sequence[_Entry], limit: int, key: Callable[[_Entry], Key]) -> _Page[_Entry]:
        """Of what was found, one more than `limit` where there is more: a page, and its `next`."""
        page = found[:limit]
        return page, self.cursor(key(page[-1])) if len(found) > limit else None

    def numbered(self, cursor: str | None) -> int | None:
        """The one number of a key."""
        key = self._key(cursor)
        if key is None:
            return None
        match key:
            case [int(number)]:
                return number
        raise _foreign()

    def named(self, cursor: str | None) -> tuple[str, str] | None:
        """The two names of a key."""
        key = self._key(cursor)
        if key is None:
            return None
        match key:
            case [str(first), str(second)]:
                return first, second
        raise _foreign()

    def _key(self, cursor: str | None) -> list[object] | None:
        """Raises ProblemError for what `cursor` did not make for these filters."""
        if cursor is None:
            return None
        try:
            found = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        except (binascii.Error, ValueError, RecursionError):
            raise _foreign() from None
        if not isinstance(found, list) or not found or found[0] != self._mark:
            raise _foreign()
        return found[1:]


def _foreign() -> ProblemError:
    words = "query parameter cursor: is not the `next` of this listing with these filters"
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, words)
