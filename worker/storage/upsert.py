"""INSERT … ON CONFLICT DO NOTHING on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    unique: Sequence[str],
    returning: Sequence[sa.Column[Any]] = (),
) -> Sequence[Any]:
    """Insert the rows whose unique columns are new; return the named columns of those."""
    if not rows:
        return ()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(list(rows)).on_conflict_do_nothing(index_elements=list(unique))
    if not returning:
        connection.execute(statement)
        return ()
    return connection.execute(statement.returning(*returning)).all()
