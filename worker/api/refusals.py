"""Refused senders in the audit, so many a minute: whoever tries keys must not fill the disk.

What was left out is counted, and the number stands in the next record.
"""

from __future__ import annotations

import threading
import time

from connectors.sdk.model import Json
from worker.api.credentials import DeniedError
from worker.engine.accept import STREAM
from worker.engine.ports import Store
from worker.engine.rows import Entry

ACTION = "sender:authenticate:refused"
ACTOR = "stranger"
_WINDOW_S = 60.0


class Refusals:
    """Of one process. Safe from every thread."""

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most
        self._lock = threading.Lock()
        self._since = 0.0
        self._written = 0
        self._left_out = 0

    def note(self, denied: DeniedError, client: str | None) -> None:
        """In a transaction of its own, or counted."""
        left_out = self._admit(time.monotonic())
        if left_out is None:
            return
        facts: dict[str, Json] = {"why": denied.why, "source": denied.source, "client": client}
        if left_out:
            facts["left_out"] = left_out
        with self._store.begin() as tx:
            tx.audit(Entry(STREAM, ACTION, ACTOR, facts))

    def _admit(self, now: float) -> int | None:
        """How many were left out before this one; None: it is left out too."""
        with self._lock:
            if not self._written or now - self._since > _WINDOW_S:
                self._since, self._written = now, 0
            if self._written >= self._most:
                self._left_out += 1
                return None
            self._written += 1
            left_out, self._left_out = self._left_out, 0
            return left_out
