"""INSERT … ON CONFLICT DO NOTHING on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_PAGE = 500  # both databases limit the variables of one statement


def insert_missing(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    unique: Sequence[str],
    returning: Sequence[sa.Column[Any]] = (),
) -> Sequence[Any]:
    """Insert the rows whose unique columns are new, in order; return the named columns of those."""
    if not rows:
        return []
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # The rows are parameters, so that the statement is the same for any number and is compiled once.
    statement = insert(table).on_conflict_do_nothing(index_elements=list(unique))
    if not returning:
        connection.execute(statement, list(rows))
        return []
    paged = statement.returning(*returning).execution_options(insertmanyvalues_page_size=_PAGE)
    return connection.execute(paged, list(rows)).all()
