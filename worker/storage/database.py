"""Engines for the two databases, with the settings that were measured to be safe.

SQLite: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE` for writers (a deferred transaction that turns
into a writer loses updates), a second engine for readers. PostgreSQL: psycopg 3, and timeouts, so
that a stuck statement never holds a lock for long. A reader's transaction sees one moment on both.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

_PG_TIMEOUT_MS = 5_000
_SQLITE_BUSY_MS = 20_000
_SQLITE_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",
    f"PRAGMA busy_timeout={_SQLITE_BUSY_MS}",
)


@dataclass(frozen=True, slots=True)
class _Use:
    """`begin` is SQLite's; `isolation` and the timeout of a statement are PostgreSQL's."""

    begin: str
    isolation: Literal["READ COMMITTED", "REPEATABLE READ"]
    timeout_ms: int


_WRITING = _Use("BEGIN IMMEDIATE", "READ COMMITTED", _PG_TIMEOUT_MS)
_READING = _Use("BEGIN", "REPEATABLE READ", 0)


def sqlite_url(path: Path) -> str:
    """The URL of a database file; any character is allowed in the path."""
    return sa.URL.create("sqlite+pysqlite", database=str(path)).render_as_string(hide_password=False)


def writer(url: str, pool_size: int = 10) -> sa.Engine:
    """An engine whose transactions may write."""
    return _engine(url, _WRITING, pool_size)


def reader(url: str, pool_size: int = 5) -> sa.Engine:
    """An engine for long reads: no statement timeout, no write lock, one moment for a whole transaction."""
    return _engine(url, _READING, pool_size)


def _engine(url: str, use: _Use, pool_size: int) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, use.begin, pool_size)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"database.url: {parsed.get_backend_name()!r} is not sqlite or postgresql")
    options = f"-c lock_timeout={_PG_TIMEOUT_MS} -c statement_timeout={use.timeout_ms}"
    options += f" -c idle_in_transaction_session_timeout={_PG_TIMEOUT_MS}"
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        isolation_level=use.isolation,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text must not quote values
        connect_args={"options": options, "application_name": "hirewire", "connect_timeout": 5},
    )


def _sqlite(url: sa.URL, begin: str, pool_size: int) -> sa.Engine:
    engine = sa.create_engine(
        url, pool_size=pool_size, hide_parameters=True, connect_args={"check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's connection
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)
        _use_wal(connection)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@retry(
    retry=retry_if_exception_type(sqlite3.OperationalError),
    wait=wait_random(0.005, 0.05),
    stop=stop_after_delay(_SQLITE_BUSY_MS / 1000),
    reraise=True,
)
def _use_wal(connection: sqlite3.Connection) -> None:
    """The switch of a new file asks for a lock that SQLite's own waiting does not cover."""
    mode = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != ("wal",):
        connection.execute("PRAGMA journal_mode=WAL")
