"""The sealer: checkpoints outside the database, one after the other, never over a change, never lost half."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.worker.storage.sealing import EVERY_S, STREAM, Sealed, cut, made_keys, rechain
from tests.worker.storage.world import at_once, rows
from worker.engine.rows import Lease
from worker.storage import tables
from worker.storage.checkpoint_file import locked, newest, walk
from worker.storage.checkpoints import FIRST, Checkpoint, Head, Kind, compose, parsed, written
from worker.storage.seal import ALARM, LEASE, Ledger, Sealer, SealError
from worker.storage.signing import Keys, SigningKeyError, new_key, read_public, read_signer
from worker.storage.store import SqlStore


@pytest.fixture
def plain(store: SqlStore, engine: sa.Engine, tmp_path: Path) -> Sealed:
    """Without a key."""
    return Sealed(store, engine, tmp_path / "seals" / "checkpoints.jsonl", Keys())


@pytest.fixture
def signed(store: SqlStore, engine: sa.Engine, tmp_path: Path) -> Sealed:
    """With a key, and begun."""
    sealed = Sealed(store, engine, tmp_path / "checkpoints.jsonl", made_keys())
    sealed.begin()
    return sealed


def forge(sealed: Sealed) -> None:
    *before, last = sealed.lines()
    sealed.path.write_bytes(b"\n".join([*before, last.replace(b'"at":"2', b'"at":"3')]) + b"\n")


def alarms(engine: sa.Engine) -> list[str]:
    return [row.kind for row in rows(engine, tables.alarm) if row.cleared_at is None]


def test_a_checkpoint_names_size_and_head_of_every_chain_and_the_line_before(plain: Sealed) -> None:
    plain.append(2)
    first = plain.seal()
    plain.append(1, "intake")
    second = plain.seal()
    assert first is not None
    assert second is not None
    heads = {row.stream: Head(row.seq, row.hash) for row in rows(plain.engine, tables.audit_head)}
    assert (first.number, first.previous, second.number, second.previous) == (1, FIRST, 2, first.digest)
    assert dict(second.streams) == heads
    assert [parsed(line).number for line in plain.lines()] == [1, 2]


def test_without_a_change_nothing_is_sealed(plain: Sealed) -> None:
    assert plain.seal() is None
    plain.append(1)
    assert plain.seal() is not None
    assert plain.seal() is None
    assert len(plain.lines()) == 1


def test_a_line_that_a_crash_left_unfinished_does_not_count_and_goes_with_the_next(plain: Sealed) -> None:
    plain.append(1)
    plain.seal()
    whole = plain.path.read_bytes()
    with plain.path.open("ab") as file:
        file.write(whole[:40])
    assert walk(plain.path).torn
    assert walk(plain.path).last == parsed(whole[:-1])
    assert plain.look().breaks == ()
    plain.append(1)
    plain.seal()
    assert plain.path.read_bytes().startswith(whole)
    assert [parsed(line).number for line in plain.lines()] == [1, 2]


def test_a_disk_that_fails_leaves_the_file_as_it_was(plain: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.append(1)
    plain.seal()
    before = plain.path.read_bytes()
    plain.append(1)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SealError, match="No space left"):
            plain.seal()
    assert plain.path.read_bytes() == before
    assert plain.seal() is not None


def test_two_sealers_at_once_write_one_gap_free_file(plain: Sealed) -> None:
    other = Sealer(plain.store, Ledger(plain.path, Keys), EVERY_S)
    ready = threading.Barrier(3)

    def seal(sealer: Sealer) -> None:
        ready.wait(60)
        for _ in range(15):
            sealer.seal()

    def write() -> None:
        ready.wait(60)
        for _ in range(15):
            plain.append(1)

    at_once(lambda: seal(plain.sealer), lambda: seal(other), write)
    plain.seal()
    walked = walk(plain.path)
    assert (walked.fault, walked.torn) == (None, False)
    sizes = [parsed(line).streams[STREAM].size for line in plain.lines()]
    assert sizes == sorted(set(sizes))
    assert plain.look().breaks == ()


def test_of_two_beats_one_seals_in_an_interval(plain: Sealed) -> None:
    plain.append(1)
    plain.sealer.run()
    plain.append(1)
    plain.sealer.run()
    assert len(plain.lines()) == 1
    with plain.store.begin() as tx:
        assert not tx.leases.take(LEASE, Lease("other", tx.now, tx.now + 1))
        assert tx.leases.take(LEASE, Lease("other", tx.now + EVERY_S, tx.now + 2 * EVERY_S))


def test_a_failed_seal_is_an_alarm_until_one_succeeds(plain: Sealed) -> None:
    plain.append(1)
    plain.path.parent.write_text("a file where a folder should be")
    plain.sealer.run()
    plain.sealer.run()
    assert alarms(plain.engine) == [ALARM]
    plain.path.parent.unlink()
    plain.sealer.run()
    assert alarms(plain.engine) == []


def test_with_a_key_only_an_operator_begins(plain: Sealed) -> None:
    plain.keys = made_keys()
    plain.append(1)
    with pytest.raises(SealError, match="hirewire audit baseline"):
        plain.seal()
    plain.begin()
    plain.append(1)
    assert (plain.seal() or plain.begin()).kind is Kind.CHECKPOINT


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda sealed: sealed.tamper(cut(3)), "hirewire restore", id="a tail cut"),
        pytest.param(lambda sealed: sealed.tamper(rechain(2)), "hirewire restore", id="a chain made anew"),
        pytest.param(lambda sealed: sealed.path.unlink(), "no checkpoints", id="no file"),
        pytest.param(lambda sealed: setattr(sealed, "keys", Keys()), "there is no key", id="no key"),
        pytest.param(lambda sealed: setattr(sealed, "keys", made_keys()), "none of ours", id="another key"),
        pytest.param(forge, "does not bear", id="a forged line"),
        pytest.param(lambda sealed: sealed.path.write_bytes(b"{}\n"), "is no checkpoint", id="no checkpoint"),
    ],
)
def test_the_sealer_never_goes_on_over_a_change(signed: Sealed, change: object, said: str) -> None:
    signed.append(5)
    signed.seal()
    assert callable(change)
    change(signed)
    before = signed.path.read_bytes() if signed.path.exists() else b""
    signed.append(1)
    with pytest.raises(SealError, match=said):
        signed.seal()
    assert signed.path.read_bytes() == before


def test_a_new_key_goes_on_behind_the_old_one_while_both_are_trusted(signed: Sealed) -> None:
    old, new = signed.keys, made_keys()
    signed.append(1)
    signed.seal()
    signed.keys = Keys(new.signer, {**old.trusted, **new.trusted})
    signed.append(1)
    assert signed.seal() is not None
    assert signed.look(keys=Keys(None, new.trusted)).gaps == ()
    assert signed.look(keys=Keys(None, new.trusted)).breaks == ()
    (fault,) = signed.look(keys=Keys(None, old.trusted)).breaks
    assert fault.reason == "is signed with a key that is none of ours"


def lines_of(count: int) -> list[Checkpoint]:
    found: list[Checkpoint] = []
    for size in range(1, count + 1):
        heads = {"a": Head(size, f"{size:064d}")}
        body = compose(found[-1] if found else None, Kind.CHECKPOINT, "2026-01-01T00:00:00Z", heads, {})
        found.append(parsed(written(body, None)))
    return found


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_the_newest_line_that_fits_is_found_wherever_it_lies(tmp_path: Path, count: int) -> None:
    lines, path = lines_of(count), tmp_path / "checkpoints.jsonl"
    path.write_bytes(b"".join(line.line + b"\n" for line in lines) + b'{"torn')
    for most in range(count + 1):
        found = newest(path, lambda line, most=most: line.number <= most)  # type: ignore[misc]
        assert (found.number if found else 0) == most


def test_the_last_line_is_found_behind_a_long_one(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    heads = {f"target:{n}": Head(n, "0" * 64) for n in range(2_000)}
    long = parsed(written(compose(None, Kind.CHECKPOINT, "2026-01-01T00:00:00Z", heads, {}), None))
    short = written(compose(long, Kind.CHECKPOINT, "2026-01-01T00:00:00Z", {}, {}), None)
    path.write_bytes(long.line + b"\n")
    with locked(path) as tail:
        assert tail.last == long
        tail.append(short)
    with locked(path) as tail:
        assert tail.last == parsed(short)


def test_a_key_is_read_from_pem_and_anything_else_is_refused_without_being_shown() -> None:
    private, public = new_key()
    other = made_keys()
    assert read_signer(private).name in read_public(public)
    assert len(read_public(public + new_key()[1])) == 2
    for text in ("", "canary", public, private.replace("M", "?")):
        with pytest.raises(SigningKeyError) as refused:
            read_signer(text)
        assert "canary" not in str(refused.value)
    with pytest.raises(SigningKeyError):
        read_public(private)
    assert private not in repr(read_signer(private))
    assert repr(other.signer).count("=") == 1
