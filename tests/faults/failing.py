"""Fail exactly the n-th of something, and know whether it came to that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa

from worker.bootstrap import Runtime


class Nth:
    """Counts calls, and tells which one is to fail. Safe from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = 0
        self._count = 0

    def fail(self, n: int) -> None:
        """From now on, the n-th call fails; 0: none."""
        with self._lock:
            self._count, self._at = 0, n

    @property
    def failed(self) -> bool:
        return 0 < self._at <= self._count

    def is_now(self) -> bool:
        """Whether the call that begins here is the one."""
        with self._lock:
            self._count += 1
            return self._count == self._at


def fail_statements(runtime: Runtime, nth: Nth, strike: Callable[[sa.Connection], None]) -> None:
    """Every statement and every commit of the runtime's engine counts; `strike` the n-th."""
    engine = runtime.store._engine

    def at_statement(connection: sa.Connection, *_: Any) -> None:
        if nth.is_now():
            strike(connection)

    def at_commit(connection: sa.Connection) -> None:
        if nth.is_now():
            strike(connection)

    sa.event.listen(engine, "before_cursor_execute", at_statement)
    sa.event.listen(engine, "commit", at_commit)


def lost_database() -> Exception:
    return sa.exc.OperationalError("a statement", None, Exception("the database is away"))


def refuse(_connection: sa.Connection) -> None:
    """The statement fails, as on a full or broken disk."""
    raise lost_database()


def cut_off(connection: sa.Connection) -> None:
    """PostgreSQL ends the session: whatever comes next on this connection fails, and nothing is committed."""
    session: Any = connection.connection.dbapi_connection
    with psycopg.connect(session.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [session.info.backend_pid])


class Calls:
    """Passes on what is asked of an object; the n-th of these calls raises."""

    def __init__(self, inner: Any, names: frozenset[str], nth: Nth, error: Callable[[], Exception]) -> None:
        self._inner = inner
        self._names = names
        self._nth = nth
        self._error = error

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name not in self._names:
            return value

        def call(*args: Any, **named: Any) -> Any:
            if self._nth.is_now():
                raise self._error()
            return value(*args, **named)

        return call


def nobody_sends(runtime: Runtime, limit_s: float = 10.0) -> None:
    """Wait until the threads of a task that failed have come back with their answers."""
    executor: Any = runtime.executor
    limit = time.monotonic() + limit_s
    idle = 0
    while idle < 2:  # a thread takes its work out of the queue before it is busy
        assert time.monotonic() < limit, "requests that never end"
        threads = len(executor._threads)
        waiting = executor._work_queue.qsize()
        idle = idle + 1 if waiting == 0 and executor._idle_semaphore._value >= threads else 0
        time.sleep(0.002)
