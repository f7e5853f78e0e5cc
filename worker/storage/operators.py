"""Rows of operators. The token itself is never here, only its digest."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from worker.domain.operator import Role
from worker.engine.operator_ports import OperatorRow
from worker.storage.tables import operator


class OperatorRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def lock(self) -> None:
        """One change at a time; SQLite's writers are alone anyhow."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(sa.text(f"LOCK TABLE {operator.name} IN SHARE ROW EXCLUSIVE MODE"))

    def all(self) -> list[OperatorRow]:
        return [_row(row) for row in self._connection.execute(sa.select(operator).order_by(operator.c.name))]

    def by_token_hash(self, wanted: str) -> OperatorRow | None:
        row = self._connection.execute(sa.select(operator).where(operator.c.token_hash == wanted)).first()
        return None if row is None else _row(row)

    def add(self, row: OperatorRow) -> None:
        values = {
            "role": row.role.value,
            "token_hash": row.token_hash,
            "created_by": row.created_by,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "revoked_at": None,
            "targets": None if row.targets is None else sorted(row.targets),
        }
        again = sa.update(operator).where(operator.c.name == row.name).values(values)
        if self._connection.execute(again).rowcount == 0:
            self._connection.execute(sa.insert(operator).values(name=row.name, **values))

    def revoke(self, name: str, now: float) -> None:
        self._connection.execute(sa.update(operator).where(operator.c.name == name).values(revoked_at=now))


def _row(row: Any) -> OperatorRow:  # noqa: ANN401 - a row
    return OperatorRow(
        name=row.name,
        role=Role(row.role),
        token_hash=row.token_hash,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        targets=None if row.targets is None else frozenset(row.targets),
    )
