"""Engines: the settings that were measured to be safe are really in force."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.worker.storage.world import NOW, at_once, people, rows
from worker.domain.identity import Identity
from worker.storage import tables
from worker.storage.database import reader, sqlite_url, writer
from worker.storage.store import SqlStore, SqlTransaction


@pytest.fixture
def second(engine: sa.Engine) -> Iterator[sa.Engine]:
    """A reading engine on the same database."""
    reading = reader(engine.url.render_as_string(hide_password=False))
    yield reading
    reading.dispose()


@pytest.mark.parametrize(
    "folder", ["a folder", "100%", "%20", "what?mode=ro", "a#b", "a&b=c", "ü", "user:secret@host", "a+b"]
)
def test_a_database_may_lie_in_any_folder(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "hirewire.db"
    path.parent.mkdir()
    for build in (writer, reader):
        engine = build(sqlite_url(path))
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE IF NOT EXISTS counts (n INTEGER)"))
        engine.dispose()
    found = {entry.name for entry in path.parent.iterdir()}
    assert "hirewire.db" in found
    assert {entry.name for entry in tmp_path.iterdir()} == {folder}


def test_another_kind_of_database_is_refused_without_its_password() -> None:
    with pytest.raises(ValueError, match=r"^database\.url: 'mysql' is not sqlite or postgresql$") as refused:
        writer("mysql://hirewire:hunter2@db.example.com/hirewire")
    assert "hunter2" not in str(refused.value)


def count_in_threads(store: SqlStore, read: Callable[[SqlTransaction], tuple[int, int]]) -> None:
    """Eight threads read, add one and write, ten times each."""
    people(store, "E1")
    all_ready = threading.Barrier(8)

    def count() -> None:
        all_ready.wait(60)
        for _ in range(10):
            with store.begin() as tx:
                row, revision = read(tx)
                tx.identities.save({row: Identity("E1", revision + 1)}, {})

    at_once(*[count] * 8)


def test_an_increment_under_the_row_is_never_lost(store: SqlStore, engine: sa.Engine) -> None:
    def read(tx: SqlTransaction) -> tuple[int, int]:
        row, found = tx.identities.lock(["E1"], NOW)["E1"]
        return row, found.revision

    count_in_threads(store, read)
    assert [row.revision for row in rows(engine, tables.identity)] == [80]


def test_a_transaction_that_reads_before_it_writes_loses_nothing_on_sqlite(
    sqlite_engine: sa.Engine,
) -> None:
    """A deferred transaction would read an old value, then fail or overwrite."""
    count_in_threads(SqlStore(sqlite_engine, 2), lambda tx: (1, tx.identities.revisions([1])[1]))
    assert [row.revision for row in rows(sqlite_engine, tables.identity)] == [80]


def test_a_reader_does_not_keep_writers_waiting(
    store: SqlStore, engine: sa.Engine, second: sa.Engine
) -> None:
    query = sa.select(sa.func.count()).select_from(tables.identity)
    with second.begin() as reading:
        assert reading.execute(query).scalar_one() == 0
        people(store, "E1")
        reading.execute(query)
    with second.begin() as reading:
        assert reading.execute(query).scalar_one() == 1
    assert len(rows(engine, tables.identity)) == 1


def test_a_writer_does_not_keep_readers_waiting(store: SqlStore, second: sa.Engine) -> None:
    with store.begin() as tx:
        tx.identities.lock(["E1"], NOW)
        with second.begin() as reading:
            assert reading.execute(sa.select(tables.identity)).all() == []


def test_a_reader_sees_one_moment_however_many_questions_it_asks(store: SqlStore, second: sa.Engine) -> None:
    people(store, "E1")
    query = sa.select(sa.func.count()).select_from(tables.identity)
    with second.connect() as reading:
        assert reading.scalars(query).one() == 1
        people(store, "E2")
        assert reading.scalars(query).one() == 1
    with second.connect() as reading:
        assert reading.scalars(query).one() == 2


def test_processes_may_open_a_new_sqlite_file_at_once(tmp_path: Path) -> None:
    """Each thread has an engine of its own, as a process would."""
    for turn in range(5):
        url = sqlite_url(tmp_path / f"{turn}.db")
        all_ready = threading.Barrier(6)

        def open_it(url: str = url, ready: threading.Barrier = all_ready) -> str:
            engine = writer(url)
            ready.wait(60)
            with engine.begin() as connection:
                mode: str = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            engine.dispose()
            return mode

        assert at_once(*[open_it] * 6) == ["wal"] * 6


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1)],
)
def test_sqlite_is_set_for_safety(sqlite_engine: sa.Engine, pragma: str, expected: object) -> None:
    with sqlite_engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == expected


@pytest.mark.parametrize(
    ("setting", "of_writer", "of_reader"),
    [
        ("lock_timeout", "5s", "5s"),
        ("statement_timeout", "5s", "0"),
        ("idle_in_transaction_session_timeout", "5s", "5s"),
        ("application_name", "hirewire", "hirewire"),
    ],
)
def test_postgresql_never_holds_a_lock_for_long(
    postgres_url: str, setting: str, of_writer: str, of_reader: str
) -> None:
    found = []
    for engine in (writer(postgres_url), reader(postgres_url)):
        with engine.connect() as connection:
            found.append(connection.execute(sa.text(f"SHOW {setting}")).scalar_one())
        engine.dispose()
    assert found == [of_writer, of_reader]


def test_postgresql_goes_by_either_name(postgres_url: str) -> None:
    engine = writer(postgres_url.replace("postgresql+psycopg://", "postgresql://"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
    engine.dispose()
