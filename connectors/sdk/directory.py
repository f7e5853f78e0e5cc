"""Names that a target lists, read when a name is asked for that is not known yet. Safe from many threads.

Threads that miss a name at the same time read the list once. At most `PAGES` pages are read; a longer list
is no answer, because a name that is missing from a part of it may well exist. Neither is one that moved from
page to page while it was read: fewer entries than the server counts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.names import NameIds, UnknownNameError
from connectors.sdk.outcomes import document_outcome
from connectors.sdk.rest import RestClient

PAGES: Final = 50
PAGE_SIZE: Final = 100


class Directory:
    """`path` is a listing below the base URL with `pagination` and `results`, each with `pk` and `name`."""

    def __init__(self, client: RestClient, names: NameIds, path: str, query: Mapping[str, str | int]) -> None:
        self._client = client
        self._names = names
        self._path = path
        self._query = query
        self._lock = threading.Lock()
        self._reads = 0
        self._stale = False

    def forget(self) -> None:
        """What is known proved wrong: the next question reads the list, whatever it asks for."""
        self._stale = True

    def complete(self, wanted: Iterable[Json]) -> Outcome | None:
        """None when everything is known that can be known; else why the list could not be read."""
        reads = self._reads
        if not self._stale and all(self._knows(name) for name in wanted):
            return None
        with self._lock:
            return None if self._reads != reads else self._read()

    def _knows(self, name: Json) -> bool:
        try:
            self._names.id_of(str(name))
        except UnknownNameError:
            return False
        return True

    def _read(self) -> Outcome | None:
        named: list[tuple[int | str, str]] = []
        listed: set[str] = set()
        for number in range(1, PAGES + 1):
            query = {**self._query, "page_size": PAGE_SIZE, "page": number}
            outcome, body = document_outcome(self._client.get(self._path, query))
            if outcome.kind is not OutcomeKind.OBSERVED:
                return outcome
            pagination, results = body.get("pagination"), body.get("results")
            if not isinstance(pagination, dict) or not isinstance(results, list):
                return _broken(outcome, "the answer is no listing of names")
            named += _named(results)
            listed.update(str(entry.get("pk")) for entry in results if isinstance(entry, dict))
            if not pagination.get("next"):
                count = pagination.get("count")
                if isinstance(count, int) and len(listed) < count:
                    return _broken(outcome, f"{len(listed)} of {count} names seen: the list moved meanwhile")
                self._names.relearn(named)
                self._reads, self._stale = self._reads + 1, False
                return None
        return _broken(outcome, f"more than {PAGES * PAGE_SIZE} names are listed")


def _named(results: Iterable[Json]) -> list[tuple[int | str, str]]:
    found: list[tuple[int | str, str]] = []
    for entry in results:
        if isinstance(entry, dict):
            pk, name = entry.get("pk"), entry.get("name")
            if isinstance(pk, int | str) and isinstance(name, str):
                found.append((pk, name))
    return found


def _broken(outcome: Outcome, detail: str) -> Outcome:
    return Outcome(OutcomeKind.AMBIGUOUS, outcome.exchange, detail=detail)
