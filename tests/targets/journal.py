"""What a target was asked and what became of it: one entry for each request, in order of arrival.

Safe for many threads. An entry is opened before anything happens and completed as it happens, so
that a request whose answer got lost, or whose effect is still to come, is in the journal too.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request. `status` is what was sent (None: nothing was), `applied` whether a write took effect.

    `turn` counts the writes that took effect, in that order, which `n` does not tell of late ones.
    """

    n: int
    at: float
    method: str
    path: str
    query: str
    token_owner: str | None
    body: Any
    fault: str | None = None
    status: int | None = None
    applied: bool = False
    request_id: str | None = None
    correlation: str | None = None
    turn: int | None = None
    applied_at: float | None = None


READS = frozenset({"GET", "HEAD", "OPTIONS"})  # methods that change nothing (RFC 9110, 9.2.1)


class Journal:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._turns = 0

    def open(
        self,
        method: str,
        path: str,
        query: str,
        token_owner: str | None,
        body: bytes,
        request_id: str | None,
    ) -> Entry:
        with self._lock:
            number = len(self._entries) + 1
            entry = Entry(number, time.time(), method, path, query, token_owner, readable(body))
            entry.request_id = request_id
            self._entries.append(entry)
        return entry

    def note_applied(self, entry: Entry) -> None:
        with self._lock:
            self._turns += 1
            entry.applied, entry.turn, entry.applied_at = True, self._turns, time.time()

    def clear(self) -> None:
        """Start anew; entries of requests still under way are forgotten with the old list."""
        with self._lock:
            self._entries = []
            self._turns = 0

    def counts(self) -> dict[str, Any]:
        """How many requests, and how many met which fault: without sending the entries."""
        with self._lock:
            faults = Counter(entry.fault for entry in self._entries if entry.fault is not None)
            return {"requests": len(self._entries), "faults": dict(faults)}

    def snapshot(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(entry) for entry in self._entries]


def readable(body: bytes) -> Any:
    """The body as JSON where it is JSON, else as text; None where there was none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", errors="replace")
