"""What somebody could do under the cover of archives: the database refuses it, and verification finds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.worker.storage.archiving import LAST, archive, look_at_all, seqs
from tests.worker.storage.sealing import LATE_S, STREAM, Sealed, audit, rechain, thrice_sealed
from worker.storage import tables
from worker.storage.anchoring import Report, Verdict
from worker.storage.audit import chained
from worker.storage.store import SqlStore

floor = tables.audit_floor
Change = Callable[[sa.Connection], object]


@pytest.fixture
def sealed(sqlite_engine: sa.Engine, tmp_path: Path) -> Sealed:
    """Verification is the same for both databases; the triggers are not."""
    return thrice_sealed(SqlStore(sqlite_engine, 2), sqlite_engine, tmp_path / "checkpoints.jsonl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "archives"
    made.mkdir()
    return made


@pytest.fixture
def archived(sealed: Sealed, folder: Path) -> Sealed:
    """The first 8 records of the stream, and 2 of the other, are in an archive."""
    archive(sealed, folder)
    return sealed


@pytest.fixture
def guarded(store: SqlStore, engine: sa.Engine, tmp_path: Path, folder: Path) -> Sealed:
    """The same on each database."""
    sealed = thrice_sealed(store, engine, tmp_path / "checkpoints.jsonl")
    archive(sealed, folder)
    return sealed


def hash_of(sealed: Sealed, seq: int) -> str:
    with sealed.engine.connect() as connection:
        query = sa.select(audit.c.hash).where(audit.c.stream == STREAM, audit.c.seq == seq)
        return connection.execute(query).scalar_one()


def set_floor(seq: int, hash_: str) -> Change:
    row = {"stream": STREAM, "seq": seq, "hash": hash_, "file": "x.jsonl", "sha256": "", "at": 0.0}
    return lambda connection: connection.execute(sa.insert(floor).values(row))


def drop(upto: int) -> Change:
    gone = sa.delete(audit).where(audit.c.stream == STREAM, audit.c.seq <= upto)
    return lambda connection: connection.execute(gone)


def refused(sealed: Sealed, *changes: Change) -> None:
    """The last of these, whatever the others prepare."""
    before = seqs(sealed)
    with sealed.engine.connect() as connection:
        for change in changes[:-1]:
            change(connection)
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            changes[-1](connection)
    assert seqs(sealed) == before


def test_above_its_floor_no_record_can_be_deleted(guarded: Sealed) -> None:
    refused(guarded, drop(9))


def test_a_floor_of_one_stream_lets_no_other_go(guarded: Sealed) -> None:
    gone = sa.delete(audit).where(audit.c.stream == "operators")
    refused(guarded, lambda connection: connection.execute(gone))


def test_a_floor_cannot_be_moved_or_taken_away(guarded: Sealed) -> None:
    refused(guarded, lambda connection: connection.execute(sa.update(floor).values(seq=12)))
    refused(guarded, lambda connection: connection.execute(sa.delete(floor)))


def test_a_floor_rises_to_a_record_that_is_there_and_names_it_as_it_is(guarded: Sealed) -> None:
    last = hash_of(guarded, 12)
    for seq in (7, 8, 11, 13):
        refused(guarded, set_floor(seq, last))
    with guarded.engine.begin() as connection:
        set_floor(12, last)(connection)


def test_a_floor_cannot_be_replaced_on_sqlite(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    sealed = thrice_sealed(SqlStore(sqlite_engine, 2), sqlite_engine, tmp_path / "checkpoints.jsonl")
    archive(sealed, tmp_path)
    replaced = "INSERT OR REPLACE INTO audit_floor SELECT stream, seq, hash, file, 'x', at FROM audit_floor"
    refused(sealed, lambda connection: connection.exec_driver_sql(replaced))


def test_a_floor_that_only_one_session_sees_lets_nothing_go_on_postgresql(
    postgres_engine: sa.Engine, tmp_path: Path
) -> None:
    sealed = thrice_sealed(SqlStore(postgres_engine, 2), postgres_engine, tmp_path / "checkpoints.jsonl")
    refused(
        sealed,
        lambda c: c.exec_driver_sql("CREATE TEMP TABLE audit_floor (stream text, seq bigint)"),
        lambda c: c.exec_driver_sql("INSERT INTO pg_temp.audit_floor SELECT stream, 99 FROM audit"),
        drop(4),
    )


def test_floors_cannot_be_truncated_on_postgresql(postgres_engine: sa.Engine, tmp_path: Path) -> None:
    sealed = thrice_sealed(SqlStore(postgres_engine, 2), postgres_engine, tmp_path / "checkpoints.jsonl")
    refused(sealed, lambda connection: connection.exec_driver_sql("TRUNCATE audit_floor CASCADE"))


def force(sealed: Sealed, *changes: Change) -> None:
    """As one can who owns the database: without its triggers."""
    with sealed.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE audit_floor DISABLE TRIGGER USER"))
        else:
            for name in ("no_update", "no_delete", "rises"):
                connection.execute(sa.text(f"DROP TRIGGER IF EXISTS audit_floor_{name}"))
    for change in changes:
        sealed.tamper(change)


def places(found: Report) -> list[tuple[str, int]]:
    return [(item.stream, item.seq) for item in found.breaks]


@pytest.mark.parametrize("seq", [3, 8], ids=["anywhere", "where a checkpoint stands"])
def test_a_floor_set_by_hand_is_found(sealed: Sealed, seq: int) -> None:
    """Nothing vouches for it: what it let go may be in no archive."""
    force(sealed, set_floor(seq, hash_of(sealed, seq)), drop(seq))
    found = sealed.look()
    assert (found.verdict, places(found)) == (Verdict.TAMPERED, [(STREAM, 1)])
    assert "no checkpoint tells of an archive" in found.breaks[0].reason


def test_a_floor_moved_by_hand_is_found(archived: Sealed) -> None:
    moved = sa.update(floor).where(floor.c.stream == STREAM).values(seq=12, hash=hash_of(archived, 12))
    force(archived, lambda connection: connection.execute(moved), drop(12))
    found = archived.look()
    assert (found.verdict, places(found)) == (Verdict.TAMPERED, [(STREAM, 1)])


def test_a_floor_set_above_a_true_one_is_found(archived: Sealed) -> None:
    force(archived, set_floor(10, hash_of(archived, 10)), drop(10))
    found = archived.look()
    assert (found.verdict, places(found)) == (Verdict.TAMPERED, [(STREAM, 9)])


@pytest.mark.parametrize("upto", [5, 8])
def test_a_segment_that_was_dropped_and_never_archived_is_found(sealed: Sealed, upto: int) -> None:
    force(sealed, drop(upto))
    found = sealed.look()
    assert (found.verdict, places(found)) == (Verdict.TAMPERED, [(STREAM, 1)])


def test_records_dropped_behind_the_floor_are_found(archived: Sealed) -> None:
    force(archived, drop(10))
    assert places(archived.look()) == [(STREAM, 9)]


def test_a_floor_that_was_taken_away_is_found(archived: Sealed) -> None:
    force(archived, lambda connection: connection.execute(sa.delete(floor).where(floor.c.stream == STREAM)))
    assert places(archived.look()) == [(STREAM, 1)]


def test_a_record_put_in_below_the_floor_is_found(archived: Sealed) -> None:
    def plant(connection: sa.Connection) -> None:
        last = connection.execute(sa.select(audit).where(audit.c.stream == STREAM, audit.c.seq == 12)).one()
        text = last.text.replace('"seq":12', '"seq":8')
        row = {**last._mapping, "id": 999, "seq": 8, "text": text, "hash": chained(last.prev_hash, text)}
        connection.execute(sa.insert(audit).values(row))

    force(archived, plant)
    assert places(archived.look()) == [(STREAM, 8)]


def test_a_chain_made_anew_above_the_floor_is_found_at_its_place(archived: Sealed) -> None:
    archived.tamper(rechain(10))
    assert places(archived.look()) == [(STREAM, 9)]


def edited(folder: Path, change: Callable[[list[str]], object]) -> None:
    (file,) = folder.glob("*.jsonl")
    lines = file.read_text().splitlines(keepends=True)
    change(lines)
    file.write_text("".join(lines))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(
            lambda lines: lines.__setitem__(5, lines[5].replace("hirewire", "x")),
            (STREAM, 3),
            id="a record edited",
        ),
        pytest.param(lambda lines: lines.pop(5), (STREAM, 3), id="a record taken out"),
        pytest.param(lambda lines: lines.pop(), (STREAM, 8), id="the last cut"),
        pytest.param(
            lambda lines: lines.__setitem__(0, lines[0].replace('"whole":false', '"whole":true')),
            ("intake", 1),
            id="its head edited",
        ),
    ],
)
def test_an_archive_that_was_edited_is_found(
    archived: Sealed, folder: Path, change: Callable[[list[str]], object], place: tuple[str, int]
) -> None:
    edited(folder, change)
    assert archived.look(LATE_S).breaks == ()
    found = look_at_all(archived, folder)
    assert found.verdict is Verdict.TAMPERED
    assert place in places(found)


def test_an_archive_that_is_not_there_is_no_whole_audit(archived: Sealed, folder: Path) -> None:
    archive(archived, folder, LAST)
    archived.seal()
    first, _ = sorted(folder.glob("*.jsonl"))
    first.unlink()
    found = look_at_all(archived, folder)
    assert (found.verdict, found.breaks) == (Verdict.UNANCHORED, ())
    assert first.name in found.gaps[0]


def test_another_archive_in_the_place_of_one_is_found(archived: Sealed, folder: Path) -> None:
    archive(archived, folder, LAST)
    first, second = sorted(folder.glob("*.jsonl"))
    first.write_bytes(second.read_bytes())
    assert look_at_all(archived, folder).verdict is Verdict.TAMPERED
