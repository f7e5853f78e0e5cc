"""Engines for the two databases, with the settings that were measured to be safe.

SQLite: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE` for writers (a deferred transaction that turns
into a writer loses updates), a second engine for readers. PostgreSQL: psycopg 3, and timeouts, so
that a stuck statement never holds a lock for long.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

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


def sqlite_url(path: Path) -> str:
    """The URL of a database file; any character is allowed in the path."""
    return sa.URL.create("sqlite+pysqlite", database=str(path)).render_as_string(hide_password=False)


def writer(url: str, pool_size: int = 10) -> sa.Engine:
    """An engine whose transactions may write."""
    return _engine(url, "BEGIN IMMEDIATE", pool_size, timeout_ms=_PG_TIMEOUT_MS)


def reader(url: str, pool_size: int = 5) -> sa.Engine:
    """An engine for long reads: no statement timeout, and on SQLite no write lock."""
    return _engine(url, "BEGIN", pool_size, timeout_ms=0)


def _engine(url: str, begin: str, pool_size: int, timeout_ms: int) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, begin, pool_size)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"database.url: {parsed.get_backend_name()!r} is not sqlite or postgresql")
    options = f"-c lock_timeout={_PG_TIMEOUT_MS} -c statement_timeout={timeout_ms}"
    options += f" -c idle_in_transaction_session_timeout={_PG_TIMEOUT_MS}"
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
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
