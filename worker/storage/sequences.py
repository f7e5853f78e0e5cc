"""Rows of the numbers that came from sources which publish to the broker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from worker.engine.gaps import Gap
from worker.storage.tables import sequence_gap, sequence_mark
from worker.storage.upsert import insert_missing

_LISTED = 1_000


class SequenceRows:
    """See `worker.engine.gaps.Sequences`. The source's mark is locked first: one transaction at a time."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def note(self, source: str, numbers: Iterable[int], now: float) -> tuple[list[Gap], list[Gap]]:
        came = sorted(set(numbers))
        first = [{"source": source, "highest": came[0]}]
        insert_missing(self._connection, sequence_mark, first, ["source"])
        mark = sa.select(sequence_mark.c.highest).where(sequence_mark.c.source == source)
        highest = self._connection.scalars(mark.with_for_update()).one()
        opened, closed = [], []
        for number in came:
            if number > highest:
                opened += self._opened(Gap(source, highest + 1, number - 1, now))
                highest = number
            else:
                closed += self._closed(source, number)
        self._connection.execute(
            sa.update(sequence_mark).where(sequence_mark.c.source == source).values(highest=highest)
        )
        return opened, closed

    def _opened(self, gap: Gap) -> list[Gap]:
        if gap.first > gap.last:
            return []
        self._connection.execute(sa.insert(sequence_gap), [_values(gap)])
        return [gap]

    def _closed(self, source: str, number: int) -> list[Gap]:
        """One number of a gap came: what is left of it are up to two gaps."""
        around = (
            sequence_gap.c.source == source,
            sequence_gap.c.first <= number,
            sequence_gap.c.last >= number,
        )
        row = self._connection.execute(sa.select(sequence_gap).where(*around)).first()
        if row is None:
            return []
        self._connection.execute(sa.delete(sequence_gap).where(sequence_gap.c.id == row.id))
        self._opened(Gap(source, row.first, number - 1, row.noticed_at))
        self._opened(Gap(source, number + 1, row.last, row.noticed_at))
        return [Gap(source, number, number, row.noticed_at)]

    def older(self, before: float) -> list[Gap]:
        query = sa.select(sequence_gap).where(sequence_gap.c.noticed_at < before)
        rows = self._connection.execute(
            query.order_by(sequence_gap.c.source, sequence_gap.c.first).limit(_LISTED)
        )
        return [_gap(row) for row in rows]

    def give_up(self, before: float) -> list[Gap]:
        old = sequence_gap.c.noticed_at < before
        return [
            _gap(row)
            for row in self._connection.execute(
                sa.delete(sequence_gap).where(old).returning(*sequence_gap.columns)
            )
        ]


def _values(gap: Gap) -> dict[str, Any]:
    return {"source": gap.source, "first": gap.first, "last": gap.last, "noticed_at": gap.noticed_at}


def _gap(row: Any) -> Gap:  # noqa: ANN401 - a row
    return Gap(row.source, row.first, row.last, row.noticed_at)
