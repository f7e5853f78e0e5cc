"""Answers to requests that may come again: rows by who asked and by the key that they gave.

A request is begun before it is carried out and ended with its answer. One that was begun and never ended,
since its process died, stays begun until its row expires: nobody knows what became of it, so it is not done
a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from worker.storage.clock import clock
from worker.storage.tables import idempotency
from worker.storage.upsert import insert_missing


@dataclass(frozen=True, slots=True)
class Name:
    """Of a request: who asked, and their key for it."""

    principal: str
    key: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that came before. `status` None: it has no answer yet."""

    request_hash: str
    status: int | None
    body: str | None


class RequestRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def begin(self, name: Name, request_hash: str, keep_s: float) -> Begun | None:
        """None: it is the first, and begun now. Rows older than `keep_s` go."""
        now = clock(self._connection)
        self._connection.execute(sa.delete(idempotency).where(idempotency.c.at < now - keep_s))
        row = {"principal": name.principal, "key": name.key, "request_hash": request_hash, "at": now}
        unique, returned = ["principal", "key"], [idempotency.c.key]
        if insert_missing(self._connection, idempotency, [row], unique, returned):
            return None
        found = self._connection.execute(sa.select(idempotency).where(_is(name))).one()
        return Begun(found.request_hash, found.status, found.body)

    def end(self, name: Name, status: int, body: str) -> None:
        """It has its answer."""
        ended = sa.update(idempotency).where(_is(name)).values(status=status, body=body)
        self._connection.execute(ended)


def _is(name: Name) -> sa.ColumnElement[bool]:
    return sa.and_(idempotency.c.principal == name.principal, idempotency.c.key == name.key)
