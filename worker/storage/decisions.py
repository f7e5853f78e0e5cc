"""Rows of decisions: what operators said about something held. Rows are added and never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from worker.domain.decisions import Decided, Word
from worker.engine.operator_ports import DecisionRow
from worker.storage.tables import decision


class DecisionRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, row: DecisionRow) -> int:
        values = {
            "account_id": row.account_id,
            "field": row.field,
            "word": row.word.value,
            "binds": row.binds,
            "decided_by": row.by,
            "why": row.why,
            "at": row.at,
            "until": row.until,
        }
        added = sa.insert(decision).values(values).returning(decision.c.id)
        return int(self._connection.execute(added).scalar_one())

    def verdict(self, account_id: int, field: str) -> Decided | None:
        about = sa.and_(
            decision.c.account_id == account_id,
            decision.c.field == field,
            decision.c.word != Word.RETRY.value,
        )
        query = sa.select(decision).where(about).order_by(decision.c.id.desc()).limit(1)
        row = self._connection.execute(query).first()
        return None if row is None else _decided(row)


def unheeded(connection: sa.Connection, accounts: Sequence[Any]) -> dict[int, tuple[Decided, ...]]:
    """Account to its decisions from the oldest, for those rows that have not heeded the newest one."""
    behind = [row.id for row in accounts if (row.decided or 0) > row.state.get("heeded", 0)]
    found: dict[int, list[Decided]] = defaultdict(list)
    if behind:
        query = sa.select(decision).where(decision.c.account_id.in_(behind)).order_by(decision.c.id)
        for row in connection.execute(query):
            found[row.account_id].append(_decided(row))
    return {account: tuple(decided) for account, decided in found.items()}


def _decided(row: Any) -> Decided:  # noqa: ANN401 - a row
    return Decided(row.id, row.field, Word(row.word), row.binds, row.decided_by, row.until)
