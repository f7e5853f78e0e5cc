"""Migrations: the tables that the code names, once, however many processes ask for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.worker.storage.world import rows
from worker.engine.rows import Entry
from worker.storage import migrations, tables
from worker.storage.database import writer
from worker.storage.head import HEAD, is_current
from worker.storage.migrate import _config, upgrade
from worker.storage.store import SqlStore

ROOT = Path(__file__).resolve().parents[3]
UPGRADE = """
import sys
from worker.storage.database import writer
from worker.storage.migrate import upgrade
engine = writer(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
upgrade(engine)
engine.dispose()
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[sa.Engine]:
    engine = writer(empty_database_url)
    yield engine
    engine.dispose()


def test_an_empty_database_is_not_current_and_a_migrated_one_is(empty: sa.Engine) -> None:
    assert not is_current(empty)
    upgrade(empty)
    assert is_current(empty)


def test_upgrading_twice_changes_nothing(engine: sa.Engine) -> None:
    with SqlStore(engine, 2).begin() as tx:
        tx.audit(Entry("a", "run:resync:done", "mia"))
    before = rows(engine, tables.audit)
    upgrade(engine)
    assert rows(engine, tables.audit) == before
    assert is_current(engine)


def test_the_migrations_make_the_tables_that_the_code_names(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def indexes(engine: sa.Engine) -> dict[str, str]:
    """Name to definition, with the condition of partial ones."""
    query = (
        "SELECT indexname AS name, indexdef AS text FROM pg_indexes WHERE schemaname = 'public'"
        if engine.dialect.name == "postgresql"
        else "SELECT name, sql AS text FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    )
    with engine.connect() as connection:
        found = {row.name: row.text for row in connection.execute(sa.text(query))}
    return {name: text for name, text in found.items() if "alembic" not in name}


def test_the_migrations_make_the_same_partial_indexes(empty: sa.Engine) -> None:
    tables.metadata.create_all(empty)
    named = indexes(empty)
    tables.metadata.drop_all(empty)
    upgrade(empty)
    assert indexes(empty) == named
    assert "WHERE" in named["ix_account_due"]


def test_a_migration_that_fails_leaves_nothing_behind(empty: sa.Engine) -> None:
    with empty.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alarm (id INTEGER)"))  # the last table of the migration
    with pytest.raises(sa.exc.DBAPIError):
        upgrade(empty)
    assert not is_current(empty)
    assert [name for name in sa.inspect(empty).get_table_names() if "alembic" not in name] == ["alarm"]


def test_an_older_database_gets_the_names_that_people_are_and_were_called(empty: sa.Engine) -> None:
    said = {
        "user_name": ["Mira.Berg", "1", 1, 1, "hr", ["mira", None]],
        "email": [None, "1", 1, 1, "hr", []],
        "title": ["Engineer", "1", 1, 1, "hr", []],
    }
    add = sa.text(
        "INSERT INTO identity (subject, revision, attributes, snapshots, created_at)"
        " VALUES ('E1', 1, :said, '{}', 0)"
    )
    with empty.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(add, {"said": json.dumps(said)})
    upgrade(empty)
    found = [(row.attribute, row.name, row.identity_id) for row in rows(empty, tables.identity_name)]
    assert found == [("user_name", "mira", 1), ("user_name", "mira.berg", 1)]


def waiting_upgrade(url: str) -> subprocess.Popen[str]:
    """A process that upgrades as soon as it reads a line."""
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", UPGRADE, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_upgrade_at_once_both_succeed(empty: sa.Engine, empty_database_url: str) -> None:
    both = [waiting_upgrade(empty_database_url) for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ends = [process.communicate(timeout=60) for process in both]
    assert [(process.returncode, error) for process, (_, error) in zip(both, ends, strict=True)] == [
        (0, ""),
        (0, ""),
    ]
    assert is_current(empty)


def test_the_version_that_is_asked_for_is_the_newest_migration() -> None:
    folder = Path(migrations.__file__).parent
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD
