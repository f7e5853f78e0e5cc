"""Archives: the oldest records leave the database for a file, and all of it stays one chain."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.worker.storage.archiving import LAST, archive, archiver, look_at_all, moment_of, seqs
from tests.worker.storage.sealing import EVERY_S, LATE_S, STREAM, Sealed, but_public, cut, thrice_sealed
from tests.worker.storage.world import at_once, rows
from worker.storage import tables
from worker.storage.anchoring import Verdict, book_of, report
from worker.storage.archive import ACTION, ArchiveError, Archiver
from worker.storage.checkpoints import parsed
from worker.storage.export import as_jsonl, carried, extent, read_head, verified
from worker.storage.floors import Floor, all_floors
from worker.storage.restore import compared
from worker.storage.seal import Ledger, Sealer, SealError
from worker.storage.store import SqlStore, SqlTransaction
from worker.storage.verify import in_short_reads


@pytest.fixture
def sealed(store: SqlStore, engine: sa.Engine, tmp_path: Path) -> Sealed:
    return thrice_sealed(store, engine, tmp_path / "checkpoints.jsonl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "archives"
    made.mkdir()
    return made


def test_what_a_checkpoint_sealed_goes_into_a_file_and_then_out_of_the_database(
    sealed: Sealed, folder: Path
) -> None:
    done = archive(sealed, folder)
    assert (seqs(sealed), seqs(sealed, "intake"), done.dropped) == ([9, 10, 11, 12], [3], 10)
    assert sealed.look(LATE_S).breaks == ()
    assert (look_at_all(sealed, folder).breaks, look_at_all(sealed, folder).records) == ((), 16)
    assert done.file is not None
    assert done.file.stat().st_mode & 0o077 == 0


def test_the_audit_says_who_archived_what_where_and_why(sealed: Sealed, folder: Path) -> None:
    done = archive(sealed, folder)
    (record,) = [json.loads(row.text) for row in rows(sealed.engine, tables.audit) if row.action == ACTION]
    assert done.file is not None
    assert (record["actor"], record["why"]) == ("operator:mia", "a year is over")
    assert (record["file"], record["sha256"]) == (done.file.name, done.sha256)
    assert record["streams"] == {"intake": [1, 2], STREAM: [1, 8]}


def test_verification_says_where_the_archived_records_are(sealed: Sealed, folder: Path) -> None:
    done = archive(sealed, folder)
    assert done.file is not None
    (note,) = [note for note in sealed.look().notes if done.file.name in note]
    assert f"{STREAM} up to 8" in note
    assert "operator:mia: a year is over" in note


def test_an_archive_verifies_by_itself(sealed: Sealed, folder: Path) -> None:
    file = archive(sealed, folder).file
    assert file is not None
    head, *lines = file.read_text().splitlines(keepends=True)
    export = read_head(head)
    book = book_of(carried(export), but_public(sealed.keys))
    found = verified(export, lines, book.sealed)
    told = report(book, found, list(found.unsealed))
    assert (told.verdict, told.records) == (Verdict.WHOLE, 10)


def test_one_archive_goes_on_where_the_last_one_ended(sealed: Sealed, folder: Path) -> None:
    first, second = archive(sealed, folder), archive(sealed, folder, LAST)
    assert [(part.first, part.head.size) for done in (first, second) for part in done.parts] == [
        (1, 2), (1, 8), (3, 3), (9, 12),
    ]  # fmt: skip
    assert seqs(sealed) == []
    sealed.seal()
    found = look_at_all(sealed, folder)
    assert (found.verdict, found.records) == (Verdict.WHOLE, 17)


def test_nothing_is_archived_twice(sealed: Sealed, folder: Path) -> None:
    archive(sealed, folder)
    before = sealed.lines()
    again = archive(sealed, folder)
    assert (again.file, again.dropped, sealed.lines()) == (None, 0, before)


def test_a_chain_goes_on_behind_a_floor_that_took_all_of_it(sealed: Sealed, folder: Path) -> None:
    """Also while nothing is added to one of the streams."""
    archive(sealed, folder, LAST)
    assert sealed.seal() is not None
    sealed.append(2)
    assert sealed.seal() is not None
    assert sealed.look(LATE_S).verdict is Verdict.WHOLE
    assert seqs(sealed) == [13, 14]


def test_what_no_checkpoint_covers_stays_however_old(sealed: Sealed, folder: Path) -> None:
    sealed.append(3)
    archiver(sealed).run(folder, moment_of(sealed, LAST) + 1e6, "operator:mia", "all of it")
    assert seqs(sealed) == [13, 14, 15]


def test_without_checkpoints_nothing_is_archived(sealed: Sealed, folder: Path) -> None:
    until = moment_of(sealed, LAST)
    sealed.path.unlink()
    with pytest.raises(ArchiveError, match="no checkpoints"):
        archiver(sealed).run(folder, until, "operator:mia", "old")
    assert len(seqs(sealed)) == 12


def test_a_changed_audit_is_not_archived(sealed: Sealed, folder: Path) -> None:
    edit = sa.update(tables.audit).where(tables.audit.c.stream == STREAM, tables.audit.c.seq == 3)
    sealed.tamper(lambda connection: connection.execute(edit.values(text="{}")))
    with pytest.raises(ArchiveError, match="hirewire audit verify"):
        archive(sealed, folder)
    assert len(seqs(sealed)) == 12


def test_a_forged_checkpoint_file_archives_nothing(sealed: Sealed, folder: Path) -> None:
    *before, last = sealed.lines()
    sealed.path.write_bytes(b"\n".join([*before, last.replace(b'"at":"2', b'"at":"3')]) + b"\n")
    with pytest.raises(ArchiveError, match="signature"):
        archive(sealed, folder)
    assert len(seqs(sealed)) == 12


def test_a_folder_that_is_not_there_archives_nothing(sealed: Sealed, tmp_path: Path) -> None:
    before = sealed.lines()
    with pytest.raises(ArchiveError, match="cannot be written"):
        archive(sealed, tmp_path / "elsewhere")
    assert (len(seqs(sealed)), sealed.lines()) == (12, before)


def test_a_file_that_is_not_the_archive_is_never_written_over(sealed: Sealed, folder: Path) -> None:
    kept = archive(sealed, folder).file
    assert kept is not None
    at = sealed.lines()[LAST]
    other = folder / kept.name
    other.rename(folder / "moved")
    number, moment = json.loads(at)["number"], json.loads(at)["at"]
    taken = folder / f"audit-{moment[:19].replace('-', '').replace(':', '')}Z-{number}.jsonl"
    taken.write_text("minutes of a meeting\n")
    with pytest.raises(ArchiveError, match="move it away"):
        archive(sealed, folder, LAST)
    assert (taken.read_text(), len(seqs(sealed))) == ("minutes of a meeting\n", 4)


class Dying(SqlStore):
    """Every transaction counts; the process dies at the commit of the last one that it is granted."""

    granted = 1_000

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        with super().begin() as tx:
            yield tx
            self.granted -= 1
            if self.granted < 0:
                raise KeyboardInterrupt


@pytest.mark.parametrize("granted", range(4))
def test_an_archive_that_dies_anywhere_leaves_a_whole_audit_and_the_next_one_ends_it(
    sqlite_engine: sa.Engine, tmp_path: Path, folder: Path, granted: int
) -> None:
    """At the checkpoint, at the floors, at each page of the drop."""
    engine, store = sqlite_engine, Dying(sqlite_engine, 2)
    sealed = thrice_sealed(SqlStore(engine, 2), engine, tmp_path / "checkpoints.jsonl")
    store.granted = granted
    sealer = Sealer(store, Ledger(sealed.path, lambda: sealed.keys), EVERY_S)
    dying = Archiver(engine, in_short_reads(engine), store, sealer, sealed.path, but_public(sealed.keys))
    with pytest.raises(KeyboardInterrupt):
        dying.run(folder, moment_of(sealed, 2), "operator:mia", "a year is over")
    assert look_at_all(sealed, folder).breaks == ()
    archive(sealed, folder)
    assert seqs(sealed) == [9, 10, 11, 12]
    assert look_at_all(sealed, folder).breaks == ()


def test_a_drop_that_was_interrupted_leaves_no_gap(sealed: Sealed, folder: Path) -> None:
    """And the next archive takes what is left of it, before anything else."""
    head = parsed(sealed.lines()[2]).streams[STREAM]
    sealed.sealer.vouch({STREAM: head}, {"by": "operator:mia", "why": "old", "file": "a.jsonl"})
    with sealed.store.begin() as tx:
        tx.floors.add([Floor(STREAM, head, "a.jsonl", "")], tx.now)
        assert tx.floors.drop(STREAM, 8, 3) == 3
    assert (head.size, seqs(sealed)[0], sealed.look().breaks) == (8, 4, ())
    archiver(sealed).run(folder, 0.0, "operator:mia", "nothing is that old")
    assert seqs(sealed) == [9, 10, 11, 12]


def test_verifying_while_an_archive_drops_finds_no_break(sealed: Sealed, folder: Path) -> None:
    sealed.append(3_000)
    sealed.seal()
    over = threading.Event()

    def drop() -> int:
        try:
            return archive(sealed, folder, 4).dropped
        finally:
            over.set()

    def watch() -> int:
        breaks = 0
        while not over.is_set():
            breaks += len(sealed.look().breaks)
        return breaks

    assert at_once(drop, watch) == [3_015, 0]


def test_an_export_behind_a_floor_says_that_it_is_a_part(sealed: Sealed, folder: Path) -> None:
    archive(sealed, folder)
    ask = in_short_reads(sealed.engine)
    chosen = extent(ask, None, None)
    lines = list(as_jsonl(ask, chosen, None, 0.0))
    found = verified(read_head(lines[0]), lines[1:], {})
    assert (chosen.whole, found.breaks, found.records) == (False, (), 6)


def test_a_lost_checkpoint_file_is_begun_anew_with_the_floors_as_they_stand(
    sealed: Sealed, folder: Path
) -> None:
    archive(sealed, folder)
    sealed.path.unlink()
    lost = sealed.look()
    assert (lost.verdict, any("were let go" in gap for gap in lost.gaps)) == (Verdict.UNANCHORED, True)
    sealed.begin()
    assert look_at_all(sealed, folder).verdict is Verdict.WHOLE


def test_a_database_set_back_to_behind_its_floor_tells_what_is_missing(sealed: Sealed, folder: Path) -> None:
    archive(sealed, folder)
    sealed.append(3)
    sealed.seal()
    sealed.tamper(cut(12))
    assert [(item.stream, item.seq) for item in sealed.look().breaks] == [(STREAM, 13)]
    (missing,) = compared(in_short_reads(sealed.engine), sealed.path)
    assert (missing.stream, missing.agreed, missing.records) == (STREAM, 12, 3)


def test_a_sealer_that_refuses_keeps_everything(sealed: Sealed, folder: Path) -> None:
    sealed.keys = but_public(sealed.keys)
    with pytest.raises(SealError, match="there is no key"):
        archive(sealed, folder)
    assert (len(seqs(sealed)), all_floors(in_short_reads(sealed.engine))) == (12, [])
