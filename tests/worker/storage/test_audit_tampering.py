"""The audit resists change, and where its guards were taken away every change is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.worker.storage.world import rows
from worker.engine.rows import Entry
from worker.storage import tables
from worker.storage.audit import chained
from worker.storage.store import SqlStore
from worker.storage.strand import Break
from worker.storage.verify import asking, verify

STREAM = "targets/awx"
Tamper = Callable[[sa.Connection], None]
audit, head = tables.audit, tables.audit_head


@pytest.fixture
def chain(store: SqlStore, engine: sa.Engine) -> sa.Engine:
    """Five records in one stream, one in another."""
    with store.begin() as tx:
        tx.audit(Entry("intake", "event:accept:accepted", "hr", {}))
        for n in range(5):
            tx.audit(Entry(STREAM, "account:patch:applied", "hirewire", {"n": n}, identity_id=n + 1))
    return engine


@pytest.fixture
def unguarded(chain: sa.Engine) -> sa.Engine:
    """The same without the triggers, as one with the owner's rights could have it."""
    with chain.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER USER"))
        else:
            for name in ("audit_no_update", "audit_no_delete", "audit_no_replace"):
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
    return chain


def records(engine: sa.Engine) -> list[tuple[str, int, str]]:
    return [(row.stream, row.seq, row.text) for row in rows(engine, audit)]


def refuses(engine: sa.Engine, statement: str) -> None:
    before = records(engine)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    assert records(engine) == before


def test_a_record_cannot_be_updated(chain: sa.Engine) -> None:
    refuses(chain, "UPDATE audit SET text = '{}' WHERE seq = 2")


def test_a_record_cannot_be_deleted(chain: sa.Engine) -> None:
    refuses(chain, "DELETE FROM audit WHERE seq = 5")


REPLACED = "VALUES ({id}, 'targets/awx', {seq}, 0, 'x', '{{}}', '', '')"
COLUMNS = "audit (id, stream, seq, at, action, text, prev_hash, hash)"


@pytest.mark.parametrize(("row", "seq"), [(3, 99), (99, 3)], ids=["by id", "by place in the chain"])
def test_a_record_cannot_be_replaced_on_sqlite(sqlite_engine: sa.Engine, row: int, seq: int) -> None:
    with SqlStore(sqlite_engine, 2).begin() as tx:
        for _ in range(5):
            tx.audit(Entry(STREAM, "account:patch:applied", "hirewire"))
    refuses(sqlite_engine, f"INSERT OR REPLACE INTO {COLUMNS} " + REPLACED.format(id=row, seq=seq))


def test_a_record_cannot_be_replaced_by_an_sqlite_that_has_recursive_triggers_off(
    sqlite_engine: sa.Engine,
) -> None:
    with SqlStore(sqlite_engine, 2).begin() as tx:
        tx.audit(Entry(STREAM, "account:patch:applied", "hirewire"))
    before = records(sqlite_engine)
    connection = sqlite_engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA recursive_triggers=OFF")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.cursor().execute(f"REPLACE INTO {COLUMNS} " + REPLACED.format(id=1, seq=1))
    finally:
        connection.close()
    assert records(sqlite_engine) == before


@pytest.mark.parametrize("more", ["", " CASCADE"])
def test_the_audit_cannot_be_truncated_on_postgresql(postgres_engine: sa.Engine, more: str) -> None:
    with SqlStore(postgres_engine, 2).begin() as tx:
        tx.audit(Entry(STREAM, "account:patch:applied", "hirewire"))
    refuses(postgres_engine, "TRUNCATE audit" + more)


def at(seq: int) -> sa.ColumnElement[bool]:
    return sa.and_(audit.c.stream == STREAM, audit.c.seq == seq)


def edit(seq: int, **values: object) -> Tamper:
    def tamper(connection: sa.Connection) -> None:
        connection.execute(sa.update(audit).where(at(seq)).values(**values))

    return tamper


def delete(seq: int) -> Tamper:
    def tamper(connection: sa.Connection) -> None:
        connection.execute(sa.delete(audit).where(at(seq)))

    return tamper


def rechain_last(connection: sa.Connection) -> None:
    """The last record rewritten with a hash that fits, the head left as it was."""
    last = connection.execute(sa.select(audit).where(at(5))).one()
    text = last.text.replace('"n":4', '"n":9')
    values = {"text": text, "hash": chained(last.prev_hash, text)}
    connection.execute(sa.update(audit).where(at(5)).values(values))


def insert(seq: int) -> Tamper:
    """A record that says it is number `seq`, chained behind the last as well as can be."""

    def tamper(connection: sa.Connection) -> None:
        last = connection.execute(sa.select(audit).where(at(5))).one()
        text = last.text.replace('"seq":5', f'"seq":{seq}')
        row = {**last._mapping, "id": 99, "seq": seq, "text": text, "prev_hash": last.hash}
        connection.execute(sa.insert(audit).values(row | {"hash": chained(last.hash, text)}))

    return tamper


def insert_between(connection: sa.Connection) -> None:
    for seq in (5, 4, 3):
        connection.execute(sa.update(audit).where(at(seq)).values(seq=seq + 1))
    first = connection.execute(sa.select(audit).where(at(1))).one()
    connection.execute(sa.insert(audit).values({**first._mapping, "id": 99, "seq": 3}))


def swap(connection: sa.Connection) -> None:
    for seq, place in ((2, 99), (3, 2), (99, 3)):
        connection.execute(sa.update(audit).where(at(seq)).values(seq=place))


def move_head(connection: sa.Connection) -> None:
    connection.execute(sa.update(head).where(head.c.stream == STREAM).values(seq=6))


def delete_head(connection: sa.Connection) -> None:
    connection.execute(sa.delete(head).where(head.c.stream == STREAM))


def empty(connection: sa.Connection) -> None:
    connection.execute(sa.delete(audit).where(audit.c.stream == STREAM))


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [
        pytest.param(edit(3, text='{"n":2}'), 3, id="its text edited"),
        pytest.param(edit(3, hash="0" * 64), 3, id="its hash edited"),
        pytest.param(edit(3, prev_hash="0" * 64), 3, id="its link edited"),
        pytest.param(edit(3, action="account:patch:planned"), 3, id="its action edited"),
        pytest.param(edit(3, identity_id=9), 3, id="its person edited"),
        pytest.param(edit(3, identity_id=None), 3, id="its person removed"),
        pytest.param(edit(3, at=1.0), 3, id="its time edited"),
        pytest.param(edit(3, latency_s=0.5), 3, id="its latency edited"),
        pytest.param(rechain_last, 6, id="the last one rewritten with a fitting hash"),
        pytest.param(delete(1), 1, id="the first deleted"),
        pytest.param(delete(3), 3, id="one deleted"),
        pytest.param(delete(5), 5, id="the last deleted"),
        pytest.param(empty, 1, id="all deleted"),
        pytest.param(insert(6), 6, id="one inserted behind the head"),
        pytest.param(insert(0), 1, id="one inserted before the first"),
        pytest.param(insert_between, 3, id="one inserted between"),
        pytest.param(swap, 2, id="two in the other order"),
        pytest.param(move_head, 6, id="the head moved"),
        pytest.param(delete_head, 1, id="the head deleted"),
    ],
)
def test_a_changed_chain_is_found_with_its_stream_and_place(
    unguarded: sa.Engine, tamper: Tamper, seq: int
) -> None:
    with unguarded.begin() as connection:
        assert verify(asking(connection)).breaks == ()
        tamper(connection)
    with unguarded.connect() as connection:
        (found,) = verify(asking(connection)).breaks
    assert isinstance(found, Break)
    assert (found.stream, found.seq) == (STREAM, seq)
    assert found.reason


def test_a_broken_chain_does_not_hide_the_others(unguarded: sa.Engine) -> None:
    with unguarded.begin() as connection:
        edit(1, text="{}")(connection)
    with unguarded.connect() as connection:
        found = verify(asking(connection))
    assert (found.streams, found.records) == (2, 2)
