"""Outcomes, counted from the audit while they are written: how often each request ended in which way.

Counted from the moment the counter was made, exactly: a stream's records are numbered without a gap and
become visible in that order, so whoever goes on behind the last number that they saw misses none and counts
none twice. One read costs what was added since the one before, and at most `_MOST` records.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

from worker.storage.tables import audit, audit_head

_PREFIX = "target:"
_MOST = 200_000  # records of a stream that one read counts; the next goes on behind them
_PARTS = 3  # account:WRITE:WORD
_WRITES = frozenset({"patch", "create", "demote", "delete"})
_STEPS = frozenset({"intended", "planned", "census"})  # before an answer

Key = tuple[str, str, str]
"""Target, write, and the word that the audit has for its end."""


class Outcomes:
    """Safe from several threads. `engine` is one for reading."""

    def __init__(self, engine: sa.Engine) -> None:
        self._lock = threading.Lock()
        self._counted: Counter[Key] = Counter()
        with engine.connect() as connection:
            self._seen = _heads(connection)

    def read(self, connection: sa.Connection) -> Mapping[Key, int]:
        """All since this counter was made."""
        with self._lock:
            for stream, head in _heads(connection).items():
                self._count(connection, stream, head)
            return dict(self._counted)

    def _count(self, connection: sa.Connection, stream: str, head: int) -> None:
        since = self._seen.get(stream, 0)
        until = min(head, since + _MOST)
        fresh = sa.and_(audit.c.stream == stream, audit.c.seq > since, audit.c.seq <= until)
        query = sa.select(audit.c.action, sa.func.count()).where(fresh).group_by(audit.c.action)
        for action, count in connection.execute(query):
            key = _key(stream.removeprefix(_PREFIX), action)
            if key is not None:
                self._counted[key] += count
        self._seen[stream] = until


def _heads(connection: sa.Connection) -> dict[str, int]:
    query = sa.select(audit_head.c.stream, audit_head.c.seq).where(audit_head.c.stream.startswith(_PREFIX))
    return {row.stream: row.seq for row in connection.execute(query)}


def _key(target: str, action: str) -> Key | None:
    parts = action.split(":")
    if len(parts) != _PARTS or parts[0] != "account" or parts[1] not in _WRITES or parts[2] in _STEPS:
        return None
    return target, parts[1], parts[2]
