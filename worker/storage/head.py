"""Which migration this version needs. Light on purpose: no Alembic."""

from __future__ import annotations

import sqlalchemy as sa

HEAD = "0003"  # a test compares it with the newest migration
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def is_current(engine: sa.Engine) -> bool:
    """Whether the database has the tables that this version needs."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(_VERSION.name):
            return False
        return connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none() == HEAD
