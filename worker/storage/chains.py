"""What the sealer asks of the audit: how long each chain is, and what stands at one place of it."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from worker.storage.checkpoints import Head
from worker.storage.tables import audit, audit_floor, audit_head


class ChainRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def heads(self) -> dict[str, Head]:
        """Stream to size and head, by name; without those that have no record yet."""
        rows = self._connection.execute(sa.select(audit_head).where(audit_head.c.seq > 0))
        return {row.stream: Head(row.seq, row.hash) for row in sorted(rows, key=lambda row: row.stream)}

    def holds(self, stream: str, head: Head) -> bool:
        """Whether the stream's record of that number, or the floor in its place, has that hash."""
        found = (
            self._connection.execute(
                sa.select(table.c.hash).where(table.c.stream == stream, table.c.seq == head.size)
            ).scalar()
            for table in (audit, audit_floor)
        )
        return next(filter(None, found), None) == head.hash

    def departed(self, sealed: Mapping[str, Head]) -> list[str]:
        """The streams that are no longer what was sealed."""
        return [stream for stream, head in sealed.items() if not self.holds(stream, head)]
