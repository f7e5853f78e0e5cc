"""Rows of what authenticated senders sent and we refused: its first bytes, to ask the sender about."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from worker.engine.rows import RefusedBody
from worker.storage.tables import refused_body

KEPT_BYTES = 4096


class RefusedRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, refused: Sequence[RefusedBody]) -> None:
        """At most `KEPT_BYTES` of each."""
        if not refused:
            return
        rows = [
            {
                "source": one.source,
                "event_id": one.event_id,
                "pointer": one.refusal.pointer,
                "reason": one.refusal.reason,
                "body": one.raw[:KEPT_BYTES],
                "at": one.at,
            }
            for one in refused
        ]
        self._connection.execute(sa.insert(refused_body), rows)
