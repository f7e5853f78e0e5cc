"""Floors: up to where a stream of the audit was archived and dropped. Rows are added and never changed.

The chain goes on behind its floor's hash. The database lets records go at or below a floor only, and a
floor rise only to a record that is there; that an archive has them is told by the checkpoints outside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from worker.storage.checkpoints import Head
from worker.storage.tables import audit, audit_floor

_Ask = Callable[[sa.Select[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Floor:
    """`file` is the archive's name without its folder, `sha256` that of its bytes."""

    stream: str
    head: Head
    file: str
    sha256: str


def all_floors(ask: _Ask) -> list[Floor]:
    """By stream, the lowest first."""
    query = sa.select(audit_floor).order_by(audit_floor.c.stream, audit_floor.c.seq)
    return [Floor(row.stream, Head(row.seq, row.hash), row.file, row.sha256) for row in ask(query)]


def newest_floors(floors: Sequence[Floor]) -> dict[str, Head]:
    """By stream; of those that `all_floors` found."""
    return {floor.stream: floor.head for floor in floors}


def floor_of(ask: _Ask, stream: str) -> Head | None:
    query = sa.select(audit_floor.c.seq, audit_floor.c.hash).where(audit_floor.c.stream == stream)
    rows = ask(query.order_by(audit_floor.c.seq.desc()).limit(1))
    return Head(*rows[0]) if rows else None


def lowest_record(ask: _Ask, stream: str) -> int | None:
    """The number of the first record that is there."""
    ((seq,),) = ask(sa.select(sa.func.min(audit.c.seq)).where(audit.c.stream == stream))
    return None if seq is None else int(seq)


class FloorRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def all(self) -> list[Floor]:
        return all_floors(lambda query: self._connection.execute(query).all())

    def add(self, floors: Sequence[Floor], now: float) -> None:
        """The database refuses one that is not above the last, or names no record that is there."""
        rows = [
            {
                "stream": floor.stream,
                "seq": floor.head.size,
                "hash": floor.head.hash,
                "file": floor.file,
                "sha256": floor.sha256,
                "at": now,
            }
            for floor in floors
        ]
        self._connection.execute(sa.insert(audit_floor), rows)

    def drop(self, stream: str, floor: int, limit: int) -> int:
        """The lowest records of the stream up to its floor; how many went. What is left has no gap."""
        first = sa.select(sa.func.min(audit.c.seq)).where(audit.c.stream == stream)
        lowest = self._connection.execute(first).scalar()
        if lowest is None or lowest > floor:
            return 0
        last = min(floor, lowest + limit - 1)
        page = sa.delete(audit).where(audit.c.stream == stream, audit.c.seq <= last)
        return self._connection.execute(page).rowcount
