"""What a target was asked and what became of it: one entry for each request, in order of arrival.

Safe for many threads. An entry is opened before anything happens and completed as it happens, so
that a request whose answer got lost, or whose effect is still to come, is in the journal too.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request. `status` is what was sent (None: nothing was), `applied` whether a write took effect."""

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


class Journal:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def open(self, method: str, path: str, query: str, token_owner: str | None, body: bytes) -> Entry:
        with self._lock:
            number = len(self._entries) + 1
            entry = Entry(number, time.time(), method, path, query, token_owner, readable(body))
            self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Start anew; entries of requests still under way are forgotten with the old list."""
        with self._lock:
            self._entries = []

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
