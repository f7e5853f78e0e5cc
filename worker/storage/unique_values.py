"""Rows of unique values: which account showed one, which one waits for it, and the news of them.

An account's own rows are written by the owner of its lease only, in the transaction that writes
its state. Telling adds rows and locks none: the waiters' accounts become due in a transaction of
their own that follows (`wake`), or by the relay where that one never came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from worker.domain.clash import Holder, Holders, UniqueValue
from worker.storage.tables import account, identity, unique_news, unique_value

_KEY = ("target_id", "field", "value_hash")
_CHUNK = 200  # values of one statement: each is three variables, and databases limit those
_Row = tuple[int, UniqueValue, bool]  # account, value, waiting


class UniqueValueRows:
    """See `worker.engine.ports.UniqueValues`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, values: Mapping[int, Mapping[UniqueValue, bool]]) -> None:
        wanted = {(who, value, waits) for who, kept in values.items() for value, waits in kept.items()}
        there = self._rows(sorted(values))
        gone, fresh = sorted(there - wanted, key=_place), sorted(wanted - there, key=_place)
        if gone:
            same = [unique_value.c[name] == sa.bindparam(f"old_{name}") for name in (*_KEY, "account_id")]
            old = [{f"old_{name}": part for name, part in _columns(row).items()} for row in gone]
            self._connection.execute(sa.delete(unique_value).where(*same), old)
        if fresh:
            rows = [{**_columns(row), "waiting": row[2]} for row in fresh]
            self._connection.execute(sa.insert(unique_value), rows)

    def _rows(self, ids: Sequence[int]) -> set[_Row]:
        query = sa.select(unique_value).where(unique_value.c.account_id.in_(ids))
        return {(row.account_id, _value(row), row.waiting) for row in self._connection.execute(query)}

    def holders(self, values: Iterable[UniqueValue]) -> Holders:
        query = (
            sa.select(unique_value, identity.c.subject)
            .join(account, account.c.id == unique_value.c.account_id)
            .join(identity, identity.c.id == account.c.identity_id)
            .where(~unique_value.c.waiting)
        )
        found: dict[UniqueValue, tuple[Holder, ...]] = defaultdict(tuple)
        for row in self._those(query, values):
            found[_value(row)] += (Holder(row.account_id, row.subject),)
        return dict(found)

    def tell(self, moved: Mapping[int, AbstractSet[UniqueValue]]) -> frozenset[int]:
        tellers: dict[UniqueValue, set[int]] = defaultdict(set)
        for teller, values in moved.items():
            for value in values:
                tellers[value].add(teller)
        waiting = self._those(sa.select(unique_value).where(unique_value.c.waiting), tellers)
        told = [row for row in waiting if tellers[_value(row)] - {row.account_id}]
        if told:
            news = [_columns((row.account_id, _value(row), True)) for row in told]
            self._connection.execute(sa.insert(unique_news), news)
        return frozenset(row.account_id for row in told)

    def take_news(self, ids: Sequence[int]) -> Mapping[int, AbstractSet[UniqueValue]]:
        query = sa.delete(unique_news).where(unique_news.c.account_id.in_(ids)).returning(unique_news)
        found: dict[int, set[UniqueValue]] = defaultdict(set)
        for row in self._connection.execute(query):
            found[row.account_id].add(_value(row))
        return dict(found)

    def wake(self, ids: Iterable[int], now: float) -> set[int]:
        """The rows are locked before they are looked at: a waiter may just be settling."""
        query = sa.select(account.c.id, account.c.lease_token, account.c.held)
        rows = self._connection.execute(
            query.where(account.c.id.in_(sorted(ids))).order_by(account.c.id).with_for_update()
        )
        idle = [row.id for row in rows if row.lease_token is None and row.held]
        due = sa.update(account).where(account.c.id.in_(idle)).values(due_at=now)
        return set(self._connection.scalars(due.returning(account.c.shard)))

    def wake_forgotten(self, now: float) -> None:
        self._drop_unwanted()
        waiter = account.c.id == unique_news.c.account_id
        query = sa.select(unique_news.c.account_id).distinct().join(account, waiter)
        forgotten = list(self._connection.scalars(query.where(account.c.due_at.is_(None))))
        if forgotten:
            self.wake(forgotten, now)

    def _drop_unwanted(self) -> None:
        """What nobody waits for any more: the waiter's data changed, or it got the value."""
        same = [unique_value.c[name] == unique_news.c[name] for name in (*_KEY, "account_id")]
        waiter = sa.select(unique_value.c.account_id).where(unique_value.c.waiting, *same)
        self._connection.execute(sa.delete(unique_news).where(~waiter.exists()))

    def _those(self, query: sa.Select[Any], values: Iterable[UniqueValue]) -> list[Any]:
        """The rows of the query that are of these values."""
        keys = sorted({(value.target_id, value.field, value.value_hash) for value in values})
        key = sa.tuple_(*(unique_value.c[name] for name in _KEY))
        pages = [keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK)]
        return [row for page in pages for row in self._connection.execute(query.where(key.in_(page)))]


def _columns(row: _Row) -> dict[str, Any]:
    account_id, value, _ = row
    return {
        "account_id": account_id,
        "target_id": value.target_id,
        "field": value.field,
        "value_hash": value.value_hash,
    }


def _place(row: _Row) -> tuple[int, str, str]:
    account_id, value, _ = row
    return account_id, value.field, value.value_hash


def _value(row: Any) -> UniqueValue:  # noqa: ANN401 - a row
    return UniqueValue(row.target_id, row.field, row.value_hash)
