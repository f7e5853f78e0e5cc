"""What may go: rows that nothing reads any more, kind by kind, found page by page in the order of their keys.

The newest row of a table whose ids others keep never goes: SQLite would give its id again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from worker.domain.decisions import Word
from worker.storage.tables import account, decision

PAGE = 500
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Rows that may go, by their keys; `after` is where to go on, None: that was the last page."""

    keys: Sequence[Key]
    after: Key | None


class Prunable(Protocol):
    """One kind of rows. `now` is one moment for a whole prune."""

    @property
    def name(self) -> str: ...

    def find(self, connection: sa.Connection, now: float, after: Key) -> Step:
        """The next page behind this key; () is before the first."""

    def drop(self, connection: sa.Connection, keys: Sequence[Key]) -> None:
        """In the transaction that found them."""


@dataclass(frozen=True, slots=True)
class Aged:
    """Rows that nobody needs once `at` is so long ago. One whose `at` is null stays."""

    name: str
    table: sa.Table
    at: sa.Column[Any]
    keep_s: float

    def find(self, connection: sa.Connection, now: float, after: Key) -> Step:
        key = self._key()
        query = sa.select(*key).where(self.at < now - self.keep_s).order_by(*key).limit(PAGE)
        if after:
            query = query.where(beyond(key, after))
        return page_of(connection, query)

    def drop(self, connection: sa.Connection, keys: Sequence[Key]) -> None:
        """One that was touched since has another `at`, and stays."""
        connection.execute(sa.delete(self.table).where(sa.tuple_(*self._key()).in_(keys)))

    def _key(self) -> list[sa.Column[Any]]:
        return [self.at, *self.table.primary_key.columns]


@dataclass(frozen=True, slots=True)
class Decisions:
    """Those that the account has heeded and a later verdict about the same field has replaced."""

    keep_s: float
    name: str = "decisions"

    def find(self, connection: sa.Connection, now: float, after: Key) -> Step:
        query = (
            sa.select(decision.c.id, account.c.state)
            .join(account, account.c.id == decision.c.account_id)
            .where(decision.c.at < now - self.keep_s, decision.c.id > (after[0] if after else 0))
            .where(_is_replaced())
            .order_by(decision.c.id)
            .limit(PAGE)
        )
        rows = connection.execute(query).all()
        heeded = [(row.id,) for row in rows if row.state.get("heeded", 0) >= row.id]
        return Step(heeded, (rows[-1].id,) if len(rows) == PAGE else None)

    def drop(self, connection: sa.Connection, keys: Sequence[Key]) -> None:
        connection.execute(sa.delete(decision).where(decision.c.id.in_([row for (row,) in keys])))


def _is_replaced() -> sa.Exists:
    later = decision.alias()
    return sa.exists().where(
        later.c.account_id == decision.c.account_id,
        later.c.field == decision.c.field,
        later.c.id > decision.c.id,
        later.c.word != Word.RETRY.value,
    )


def beyond(key: Sequence[sa.Column[Any]], after: Key) -> sa.ColumnElement[bool]:
    """Rows behind this one, in the order of these columns."""
    values = [sa.literal(value, column.type) for column, value in zip(key, after, strict=True)]
    return sa.tuple_(*key) > sa.tuple_(*values)


def page_of(connection: sa.Connection, query: sa.Select[Any]) -> Step:
    """The rows of a query that is limited to a page and ordered by its columns."""
    keys = [tuple(row) for row in connection.execute(query)]
    return Step(keys, keys[-1] if len(keys) == PAGE else None)
