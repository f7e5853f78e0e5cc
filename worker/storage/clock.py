"""The installation's clock: the database's on PostgreSQL, this machine's on SQLite."""

from __future__ import annotations

import time

import sqlalchemy as sa


def clock(connection: sa.Connection) -> float:
    """Seconds since the epoch, now and not when the transaction began."""
    if connection.dialect.name == "sqlite":
        return time.time()
    now = sa.func.extract("epoch", sa.func.clock_timestamp())
    return float(connection.execute(sa.select(now)).scalar_one())
