"""`hirewire migrate --grant`: what the role of the workers gets, and whom it is refused to."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from tests.fixtures.postgres import ROLE as SUPERUSER
from tests.worker.cli.conftest import Installation, bare
from worker.storage import tables
from worker.storage.database import sqlite_url, writer
from worker.storage.roles import RoleError, grant, may_drop

__all__ = ["bare"]

WORKS = 'plain "role"'
ALL = {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.fixture
def owned(postgres_url: str) -> Iterator[sa.Engine]:
    """A migrated database, and a role that may do nothing yet."""
    engine = writer(postgres_url)
    run(engine, f"CREATE ROLE {quoted(WORKS)} LOGIN")
    yield engine
    run(engine, f"DROP OWNED BY {quoted(WORKS)}", f"DROP ROLE {quoted(WORKS)}")
    engine.dispose()


def quoted(name: str) -> str:
    return psycopg.sql.Identifier(name).as_string()


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def rights(engine: sa.Engine) -> dict[str, set[str]]:
    """Table to what the role may do with it."""
    query = sa.text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = :role"
    )
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, right in connection.execute(query, {"role": WORKS}):
            found.setdefault(table, set()).add(right)
    return found


def expected() -> dict[str, set[str]]:
    return dict.fromkeys(tables.metadata.tables, ALL) | {
        "audit": {"SELECT", "INSERT"},
        "audit_floor": {"SELECT"},
        "alembic_version": {"SELECT"},
    }


def test_the_role_gets_every_table_and_of_the_audit_only_reading_and_appending(owned: sa.Engine) -> None:
    grant(owned, WORKS)
    assert rights(owned) == expected()


def test_a_right_of_an_earlier_time_is_taken_back(owned: sa.Engine) -> None:
    run(owned, f"GRANT ALL ON audit, alembic_version TO {quoted(WORKS)}")
    grant(owned, WORKS)
    grant(owned, WORKS)
    assert rights(owned) == expected()


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (f"ALTER ROLE {quoted(WORKS)} SUPERUSER", "may act as its owner"),
        (f"GRANT {SUPERUSER} TO {quoted(WORKS)} WITH INHERIT FALSE", "may act as its owner"),
        ("GRANT UPDATE (text) ON audit TO PUBLIC", "granted to it or to everybody"),
        ("GRANT TRUNCATE ON audit TO PUBLIC", "granted to it or to everybody"),
        ("GRANT INSERT ON audit_floor TO PUBLIC", "granted to it or to everybody"),
    ],
)
def test_a_role_that_could_change_the_audit_all_the_same_is_refused_and_gets_nothing(
    owned: sa.Engine, before: str, reason: str
) -> None:
    run(owned, before)
    with pytest.raises(RoleError, match=reason):
        grant(owned, WORKS)
    assert rights(owned) == {}


def test_the_role_that_works_cannot_archive_and_the_owner_can(owned: sa.Engine) -> None:
    grant(owned, WORKS)
    with owned.connect() as connection:
        assert may_drop(connection)
        connection.exec_driver_sql(f"SET LOCAL ROLE {quoted(WORKS)}")
        assert not may_drop(connection)
        floor = {"stream": "intake", "seq": 1, "hash": "", "file": "", "sha256": "", "at": 0.0}
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            connection.execute(sa.insert(tables.audit_floor).values(floor))


def test_the_owner_of_the_schema_is_refused_since_it_could_drop_the_audit(owned: sa.Engine) -> None:
    run(owned, f"ALTER SCHEMA public OWNER TO {quoted(WORKS)}")
    with pytest.raises(RoleError, match="may act as its owner"):
        grant(owned, WORKS)
    run(owned, f"ALTER SCHEMA public OWNER TO {SUPERUSER}")


def test_sqlite_has_no_roles(bare: Installation) -> None:
    engine = writer(sqlite_url(bare.folder / "other.db"))
    with pytest.raises(RoleError, match="SQLite has none"):
        grant(engine, WORKS)
    engine.dispose()
    told = bare.run("migrate", "--grant", WORKS)
    assert (told.code, told.errors) == (
        2,
        "hirewire: roles are PostgreSQL's: SQLite has none to grant to\n",
    )


def test_a_role_that_is_not_there_is_named(owned: sa.Engine) -> None:
    with pytest.raises(RoleError, match="there is no role 'nobody of ours'"):
        grant(owned, "nobody of ours")
