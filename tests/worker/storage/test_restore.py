"""After a restore nothing is believed, the loss is told, and verification shows the restore."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.worker.storage.sealing import LATE_S, STREAM, Sealed, audit, cut, thrice_sealed
from tests.worker.storage.world import claim, lease, make_due, people, register, rows
from worker.storage import tables
from worker.storage.anchoring import Verdict
from worker.storage.restore import ACTION, Missing, Restored, Restorer, compared
from worker.storage.seal import SealError
from worker.storage.signing import Keys
from worker.storage.store import SqlStore
from worker.storage.verify import in_short_reads


@pytest.fixture
def sealed(store: SqlStore, engine: sa.Engine, tmp_path: Path) -> Sealed:
    """Checkpoints of 4, 8 and 12 records."""
    return thrice_sealed(store, engine, tmp_path / "checkpoints.jsonl")


def missing(sealed: Sealed) -> tuple[Missing, ...]:
    return compared(in_short_reads(sealed.engine), sealed.path)


def restore(sealed: Sealed) -> Restored:
    return Restorer(sealed.engine, sealed.store, sealed.sealer).run(missing(sealed), "cli:mia", "disk lost")


def test_every_account_must_be_read_and_no_lease_or_slot_is_left(sealed: Sealed) -> None:
    target = register(sealed.store, awx=2)["awx"]
    make_due(sealed.store, people(sealed.store, "E1", "E2", "E3"), [target])
    with sealed.store.begin() as tx:
        now = tx.now
        tx.targets.take_slots(target, 1, 2, lease(now=now))
    taken = claim(sealed.store, target, lease(now=now), limit=1)
    done = restore(sealed)
    assert (done.accounts, done.leases, done.slots) == (3, len(taken), 1)
    found = rows(sealed.engine, tables.account)
    assert [row.lease_token for row in found] == [None] * 3
    assert all(row.verify_at is not None and row.due_at <= row.verify_at for row in found)
    assert [row.owner for row in rows(sealed.engine, tables.slot)] == [None, None]
    claims = claim(sealed.store, target, lease("later", now=now + 60))
    assert [item.account.must_read for item in claims] == [True] * 3


def test_what_the_checkpoints_know_more_is_told_by_stream(sealed: Sealed) -> None:
    assert missing(sealed) == ()
    sealed.tamper(cut(6))
    (found,) = missing(sealed)
    assert (found.stream, found.size, found.sealed, found.agreed, found.records) == (STREAM, 6, 12, 4, 8)
    assert found.at is not None


def test_records_written_between_the_restore_and_the_command_count_as_missing(sealed: Sealed) -> None:
    """The chain is as long as before, and it is another one."""
    sealed.tamper(cut(8))
    sealed.append(9)
    (found,) = missing(sealed)
    assert (found.size, found.sealed, found.agreed) == (17, 12, 8)


def test_verification_shows_the_restore_and_finds_the_audit_whole_again(sealed: Sealed) -> None:
    sealed.tamper(cut(6))
    assert sealed.look().verdict is Verdict.TAMPERED
    with pytest.raises(SealError, match="hirewire restore"):
        sealed.seal()
    restore(sealed)
    found = sealed.look(LATE_S)
    assert (found.verdict, found.breaks, found.gaps) == (Verdict.WHOLE, (), ())
    assert found.notes[-1].endswith(f"the database was set back, says cli:mia: disk lost ({STREAM} 12 -> 6)")
    sealed.append(3)
    assert sealed.seal() is not None
    assert sealed.look(LATE_S).verdict is Verdict.WHOLE


def test_the_restore_stands_in_the_audit_and_in_the_checkpoints(sealed: Sealed) -> None:
    sealed.tamper(cut(6))
    restore(sealed)
    (row,) = [row for row in rows(sealed.engine, audit) if row.action == ACTION]
    told = json.loads(row.text)
    assert (row.stream, told["actor"], told["why"], told["missing"]) == (
        "operators",
        "cli:mia",
        "disk lost",
        {STREAM: 8},
    )
    line = json.loads(sealed.lines()[-1])
    assert (line["kind"], line["before"][STREAM][0], line["streams"][STREAM][0]) == ("restored", 12, 6)
    assert line["streams"]["operators"] == [row.seq, row.hash]
    assert line["agreed"] == {STREAM: 4}


def test_a_change_after_the_restore_is_found_as_ever(sealed: Sealed) -> None:
    sealed.tamper(cut(6))
    restore(sealed)
    sealed.tamper(cut(5))
    found = sealed.look()
    assert [(item.stream, item.seq) for item in found.breaks] == [(STREAM, 6)]


def test_a_second_restore_is_told_by_what_was_sealed_since_the_first(sealed: Sealed) -> None:
    sealed.tamper(cut(6))
    restore(sealed)
    for _ in range(2):
        sealed.append(2)
        sealed.seal()
    sealed.tamper(cut(9))
    (found,) = missing(sealed)
    assert (found.size, found.sealed, found.agreed) == (9, 10, 8)


def test_twice_is_harmless(sealed: Sealed) -> None:
    sealed.tamper(cut(6))
    restore(sealed)
    assert restore(sealed).missing == ()
    assert sealed.look().verdict is Verdict.WHOLE


def test_a_file_that_was_signed_is_not_continued_without_the_key(sealed: Sealed) -> None:
    sealed.keys = Keys()
    with pytest.raises(SealError, match="there is no key"):
        sealed.sealer.require_ready()


def test_without_any_checkpoint_nothing_is_known_to_be_missing(
    store: SqlStore, engine: sa.Engine, tmp_path: Path
) -> None:
    plain = Sealed(store, engine, tmp_path / "checkpoints.jsonl", Keys())
    plain.append(3)
    assert missing(plain) == ()
    assert restore(plain).checkpoint.number == 1
