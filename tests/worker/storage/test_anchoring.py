"""What the owner of a database could do to its audit is found by the checkpoints outside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.storage.sealing import (
    LATE_S,
    STREAM,
    Sealed,
    audit,
    but_public,
    cut,
    head,
    made_keys,
    rechain,
    thrice_sealed,
)
from worker.domain.strict_json import canonical
from worker.storage.anchoring import STREAM as CHECKPOINTS
from worker.storage.anchoring import Report, Verdict
from worker.storage.database import sqlite_url, writer
from worker.storage.migrate import upgrade
from worker.storage.signing import Keys
from worker.storage.store import SqlStore

Change = Callable[[sa.Connection], object]


@pytest.fixture
def sealed(store: SqlStore, engine: sa.Engine, tmp_path: Path) -> Sealed:
    """Two streams, three checkpoints: of 4, 8 and 12 records of the stream that is tampered with."""
    return thrice_sealed(store, engine, tmp_path / "checkpoints.jsonl")


def places(found: Report) -> list[tuple[str, int]]:
    return [(item.stream, item.seq) for item in found.breaks]


def test_what_is_sealed_and_signed_is_whole(sealed: Sealed) -> None:
    found = sealed.look(LATE_S)
    assert (found.verdict, found.records, found.streams, found.gaps) == (Verdict.WHOLE, 15, 2, ())
    assert found.last is not None
    assert found.last.number == 4


def edit(connection: sa.Connection) -> None:
    connection.execute(sa.update(audit).where(at(3)).values(text='{"n":9}'))


def insert(connection: sa.Connection) -> None:
    for seq in range(12, 5, -1):
        connection.execute(sa.update(audit).where(at(seq)).values(seq=seq + 1))
    row = connection.execute(sa.select(audit).where(at(5))).one()
    connection.execute(sa.insert(audit).values({**row._mapping, "id": 999, "seq": 6}))


def swap(connection: sa.Connection) -> None:
    for seq, place in ((6, 99), (7, 6), (99, 7)):
        connection.execute(sa.update(audit).where(at(seq)).values(seq=place))


def delete_stream(connection: sa.Connection) -> None:
    connection.execute(sa.delete(audit).where(audit.c.stream == STREAM))
    connection.execute(sa.delete(head).where(head.c.stream == STREAM))


def at(seq: int) -> sa.ColumnElement[bool]:
    return sa.and_(audit.c.stream == STREAM, audit.c.seq == seq)


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        pytest.param(edit, 3, id="an edited row"),
        pytest.param(insert, 6, id="an inserted row"),
        pytest.param(swap, 6, id="a reordered pair"),
        pytest.param(cut(11), 12, id="a tail cut below a checkpoint, the head with it"),
        pytest.param(cut(8), 9, id="a tail cut to an older checkpoint"),
        pytest.param(delete_stream, 1, id="a whole stream with its head"),
        pytest.param(rechain(1), 1, id="the whole chain made anew"),
        pytest.param(rechain(6), 5, id="the chain made anew from a record on: behind the last one that fits"),
        pytest.param(rechain(12), 9, id="the last record made anew"),
    ],
)
def test_a_change_of_the_database_is_found_with_stream_and_place(
    sealed: Sealed, change: Change, seq: int
) -> None:
    sealed.tamper(change)
    found = sealed.look()
    assert (found.verdict, places(found)) == (Verdict.TAMPERED, [(STREAM, seq)])


def test_a_change_is_found_without_a_key_too_while_the_checkpoints_stand(sealed: Sealed) -> None:
    sealed.tamper(rechain(6))
    assert places(sealed.look(keys=Keys())) == [(STREAM, 5)]


def test_a_restored_older_database_is_found(sealed: Sealed) -> None:
    """Every stream of an older state ends before its checkpoint."""
    sealed.tamper(cut(6))
    sealed.tamper(cut(1, "intake"))
    found = sealed.look()
    assert places(found) == [("intake", 2), (STREAM, 7)]
    assert all("an older database was restored" in item.reason for item in found.breaks)


def rewritten(sealed: Sealed, mend: Callable[[dict[str, Any]], None], *, keep: bool = True) -> None:
    """The last line changed by `mend`, its link kept, without the private key."""
    *before, last = sealed.lines()
    body = json.loads(last)
    mend(body)
    kept = before if keep else []
    sealed.path.write_bytes(b"".join(line + b"\n" for line in [*kept, canonical(body).encode()]))


def fit_database(sealed: Sealed) -> Callable[[dict[str, Any]], None]:
    def mend(body: dict[str, Any]) -> None:
        with sealed.engine.connect() as connection:
            for row in connection.execute(sa.select(head)):
                body["streams"][row.stream] = [row.seq, row.hash]

    return mend


def test_checkpoints_rewritten_for_a_rewritten_database_bear_no_signature(sealed: Sealed) -> None:
    sealed.tamper(rechain(2))
    rewritten(sealed, fit_database(sealed))
    found = sealed.look()
    assert places(found) == [(CHECKPOINTS, 4)]
    assert "does not bear the signature" in found.breaks[0].reason


def test_a_signature_that_was_taken_away_is_found(sealed: Sealed) -> None:
    sealed.tamper(rechain(2))

    def mend(body: dict[str, Any]) -> None:
        fit_database(sealed)(body)
        del body["signature"], body["key"]

    rewritten(sealed, mend)
    assert places(sealed.look()) == [(CHECKPOINTS, 4)]


def test_checkpoints_signed_by_somebody_else_are_found(sealed: Sealed, tmp_path: Path) -> None:
    stranger = Sealed(sealed.store, sealed.engine, tmp_path / "theirs.jsonl", made_keys())
    sealed.tamper(rechain(2))
    stranger.begin()
    shutil.copy(stranger.path, sealed.path)
    assert places(sealed.look()) == [(CHECKPOINTS, 1)]


@pytest.mark.parametrize("gone", [0, 1, 2], ids=["the first", "the second", "the third"])
def test_a_line_taken_out_of_the_checkpoints_is_found(sealed: Sealed, gone: int) -> None:
    lines = sealed.lines()
    del lines[gone]
    sealed.path.write_bytes(b"".join(line + b"\n" for line in lines))
    found = sealed.look()
    assert (found.verdict, places(found)[0]) == (Verdict.TAMPERED, (CHECKPOINTS, gone + 1))


def test_records_that_no_checkpoint_covers_are_a_gap_once_they_are_old(sealed: Sealed) -> None:
    sealed.append(3)
    assert sealed.look().verdict is Verdict.WHOLE
    late = sealed.look(LATE_S)
    assert late.verdict is Verdict.UNANCHORED
    (gap,) = late.gaps
    assert gap.startswith(f"{STREAM}: no checkpoint covers its 3 records from 13 on")


def test_a_stream_that_no_checkpoint_names_is_a_gap_once_it_is_old(sealed: Sealed) -> None:
    sealed.append(1, "operators")
    assert sealed.look(LATE_S).verdict is Verdict.UNANCHORED


@pytest.mark.parametrize(
    ("lose", "said"),
    [
        pytest.param(lambda sealed: sealed.path.unlink(), "there is no checkpoint file", id="no file"),
        pytest.param(lambda sealed: sealed.path.write_bytes(b""), "there is no checkpoint yet", id="empty"),
        pytest.param(lambda sealed: setattr(sealed, "keys", Keys()), "there is no key", id="no key"),
    ],
)
def test_without_checkpoints_or_key_a_whole_chain_is_not_anchored(
    sealed: Sealed, lose: Callable[[Sealed], object], said: str
) -> None:
    lose(sealed)
    found = sealed.look()
    assert (found.verdict, found.breaks) == (Verdict.UNANCHORED, ())
    assert found.gaps[0].startswith(said)


def test_checkpoints_that_were_never_signed_anchor_nothing(
    store: SqlStore, engine: sa.Engine, tmp_path: Path
) -> None:
    plain = Sealed(store, engine, tmp_path / "checkpoints.jsonl", Keys())
    plain.append(2)
    plain.seal()
    found = plain.look(keys=but_public(made_keys()))
    assert (found.verdict, found.gaps) == (Verdict.UNANCHORED, ("checkpoint 1 is not signed",))


def test_a_baseline_is_shown_with_who_and_why(sealed: Sealed) -> None:
    (note,) = sealed.look().notes
    assert note.endswith("checkpoints begin anew, says mia: first")


def test_a_key_set_later_anchors_from_an_operators_baseline_on(
    store: SqlStore, engine: sa.Engine, tmp_path: Path
) -> None:
    plain = Sealed(store, engine, tmp_path / "checkpoints.jsonl", Keys())
    plain.append(2)
    plain.seal()
    plain.keys = made_keys()
    plain.begin()
    plain.append(1)
    plain.seal()
    assert plain.look(LATE_S).verdict is Verdict.WHOLE


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """A sealed SQLite database that each example copies."""
    folder = tmp_path_factory.mktemp("frozen")
    engine = writer(sqlite_url(folder / "hirewire.db"))
    upgrade(engine)
    found = Sealed(SqlStore(engine, 2), engine, folder / "checkpoints.jsonl", made_keys())
    found.begin()
    found.append(6)
    found.append(3, "intake")
    found.seal()
    found.tamper(lambda _: None)
    return found


BYTES = st.tuples(
    st.integers(0, 8), st.sampled_from(["text", "hash", "prev_hash", "stream", "action"]), st.integers(0)
)


@given(where=BYTES, new=st.characters(min_codepoint=32, max_codepoint=126))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_one_character_of_any_record_that_changes_is_found(
    frozen: Sealed, where: tuple[int, str, int], new: str
) -> None:
    row, column, place = where
    with frozen.engine.connect() as connection:
        found = connection.execute(sa.select(audit).order_by(audit.c.id).offset(row).limit(1)).one()
        old = getattr(found, column)
        place %= len(old)
        changed = old[:place] + new + old[place + 1 :]
        connection.execute(sa.update(audit).where(audit.c.id == found.id).values({column: changed}))
        connection.commit()
        try:
            verdict = frozen.look().verdict
        finally:
            connection.execute(sa.update(audit).where(audit.c.id == found.id).values({column: old}))
            connection.commit()
    assert verdict is (Verdict.WHOLE if changed == old else Verdict.TAMPERED)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_one_byte_of_the_checkpoints_that_changes_is_found(frozen: Sealed, data: st.DataObject) -> None:
    """Or, where the last line end is lost with it, the last line does not count and nothing is anchored."""
    whole = frozen.path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    new = data.draw(st.integers(0, 255))
    frozen.path.write_bytes(whole[:place] + bytes([new]) + whole[place + 1 :])
    try:
        verdict = frozen.look(LATE_S).verdict
    finally:
        frozen.path.write_bytes(whole)
    if whole[place] == new:
        assert verdict is Verdict.WHOLE
    elif place == len(whole) - 1:
        assert verdict is Verdict.UNANCHORED
    else:
        assert verdict is not Verdict.WHOLE
