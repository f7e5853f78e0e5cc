"""What the role that works may do: everything it needs, and never change the audit. PostgreSQL only.

The tables belong to the role that migrates. Whoever owns a table can switch its triggers off, so the role
that works must be another one. Safe to run twice and while workers run; grants all in one transaction, or
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from worker.storage.tables import audit, audit_floor, metadata

_LOCK = 7_220_416  # two grants at once would meet in the catalogue: the second one waits
_VERSION = "alembic_version"

_FOUND = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)"
_STRONGER = """
SELECT pg_has_role(:role, t.relowner, 'MEMBER') OR pg_has_role(:role, s.nspowner, 'MEMBER')
FROM pg_class t JOIN pg_namespace s ON s.oid = t.relnamespace WHERE t.oid = CAST(:audit AS regclass)
"""
_CAN_CHANGE = """
SELECT has_table_privilege(:role, :audit, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
    OR has_any_column_privilege(:role, :audit, 'UPDATE')
    OR has_table_privilege(:role, :floor, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
    OR has_any_column_privilege(:role, :floor, 'INSERT, UPDATE')
"""
_MAY_DROP = "SELECT has_table_privilege(:audit, 'DELETE') AND has_table_privilege(:floor, 'INSERT')"
_RIGHTS = {audit.name: "SELECT, INSERT", audit_floor.name: "SELECT"}
"""Of the tables that the role may not change at will: to archive is their owner's work."""


class RoleError(ValueError):
    """The role cannot be given its rights; the message says why and the way out."""


def grant(engine: sa.Engine, role: str) -> None:
    """Let `role` work with the tables of a migrated database. Raises RoleError, and then grants nothing."""
    if engine.dialect.name != "postgresql":
        raise RoleError("roles are PostgreSQL's: SQLite has none to grant to")
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        names = {"role": role, "audit": audit.name}
        tables = names | {"floor": audit_floor.name}
        if not connection.execute(sa.text(_FOUND), names).scalar_one():
            raise RoleError(f"there is no role {role!r}: have it made first")
        if connection.execute(sa.text(_STRONGER), names).scalar_one():
            raise RoleError(f"{role!r} owns the audit, or may act as its owner: work as another role")
        for statement in _statements(connection, role):
            connection.exec_driver_sql(statement)
        if connection.execute(sa.text(_CAN_CHANGE), tables).scalar_one():
            raise RoleError(f"{role!r} may change the audit by what others granted to it or to everybody")


def may_drop(connection: sa.Connection) -> bool:
    """Whether this connection's role may drop what an archive has: on PostgreSQL not the role that works."""
    if connection.dialect.name != "postgresql":
        return True
    names = {"audit": audit.name, "floor": audit_floor.name}
    return bool(connection.execute(sa.text(_MAY_DROP), names).scalar_one())


def _statements(connection: sa.Connection, role: str) -> Iterator[str]:
    """Anew from nothing, so that a right of an earlier version does not stay."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    who = quote(role)
    schema = quote(connection.execute(sa.select(sa.func.current_schema())).scalar_one())
    yield f"GRANT USAGE ON SCHEMA {schema} TO {who}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {who}"
    for table in sorted(metadata.tables):
        rights = _RIGHTS.get(table, "SELECT, INSERT, UPDATE, DELETE")
        yield f"GRANT {rights} ON {quote(table)} TO {who}"
    yield f"GRANT SELECT ON {quote(_VERSION)} TO {who}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {who}"
