"""INSERT … ON CONFLICT DO NOTHING on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_CHUNK = 500  # both databases limit the variables of one statement


def insert_missing(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    unique: Sequence[str],
    returning: Sequence[sa.Column[Any]] = (),
) -> Sequence[Any]:
    """Insert the rows whose unique columns are new, in order; return the named columns of those."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    found: list[Any] = []
    for start in range(0, len(rows), _CHUNK):
        values = insert(table).values(list(rows[start : start + _CHUNK]))
        statement = values.on_conflict_do_nothing(index_elements=list(unique))
        if returning:
            found += connection.execute(statement.returning(*returning))
        else:
            connection.execute(statement)
    return found
