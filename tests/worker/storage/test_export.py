"""An export verifies by itself, without the database, and says when it is a part."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.worker.storage.sealing import STREAM, Sealed, made_keys
from worker.engine.rows import Entry
from worker.storage.anchoring import Report, Verdict, book_of, read_book, report
from worker.storage.export import (
    ExportError,
    as_csv,
    as_jsonl,
    carried,
    extent,
    harmless,
    read_head,
    verified,
)
from worker.storage.signing import Keys
from worker.storage.store import SqlStore
from worker.storage.verify import in_short_reads


@pytest.fixture
def sealed(store: SqlStore, engine: sa.Engine, tmp_path: Path) -> Sealed:
    found = Sealed(store, engine, tmp_path / "checkpoints.jsonl", made_keys())
    found.begin()
    found.append(6)
    found.append(3, "intake")
    found.seal()
    return found


def exported(sealed: Sealed, stream: str | None = None, since: float | None = None) -> list[str]:
    ask = in_short_reads(sealed.engine)
    newest = read_book(sealed.path, Keys()).last
    return list(as_jsonl(ask, extent(ask, stream, since), newest, 0.0))


def looked(lines: list[str], keys: Keys) -> Report:
    export = read_head(lines[0])
    book = book_of(carried(export), keys)
    found = verified(export, lines[1:], book.sealed)
    return report(book, found, list(found.unsealed))


def test_an_export_verifies_by_itself(sealed: Sealed) -> None:
    found = looked(exported(sealed), sealed.keys)
    assert (found.verdict, found.records, found.streams) == (Verdict.WHOLE, 9, 2)


def test_without_the_public_key_an_export_is_not_anchored(sealed: Sealed) -> None:
    assert looked(exported(sealed), Keys()).verdict is Verdict.UNANCHORED


def test_what_no_checkpoint_covers_is_a_gap_however_young(sealed: Sealed) -> None:
    sealed.append(2)
    found = looked(exported(sealed), sealed.keys)
    assert (found.verdict, len(found.gaps)) == (Verdict.UNANCHORED, 1)


@pytest.mark.parametrize(
    ("tamper", "place"),
    [
        pytest.param(lambda lines: lines.pop(6), (STREAM, 3), id="a line taken out"),
        pytest.param(lambda lines: lines.pop(), (STREAM, 6), id="the last line cut"),
        pytest.param(lambda lines: lines.insert(6, lines[5]), (STREAM, 3), id="a line twice"),
        pytest.param(
            lambda lines: lines.__setitem__(2, lines[2].replace("hirewire", "x")),
            ("intake", 2),
            id="a text changed",
        ),
        pytest.param(lambda lines: lines.__setitem__(slice(1, 4), []), ("intake", 1), id="a stream left out"),
    ],
)
def test_a_change_of_an_export_is_found_with_stream_and_place(
    sealed: Sealed, tamper: object, place: tuple[str, int]
) -> None:
    lines = exported(sealed)
    assert callable(tamper)
    tamper(lines)
    found = looked(lines, sealed.keys)
    assert found.verdict is Verdict.TAMPERED
    assert [(item.stream, item.seq) for item in found.breaks] == [place]


def test_a_stream_that_the_head_denies_is_found_by_the_checkpoint(sealed: Sealed) -> None:
    lines = exported(sealed)
    head = json.loads(lines[0])
    del head["streams"]["intake"]
    found = looked([json.dumps(head), *lines[4:]], sealed.keys)
    assert [item.stream for item in found.breaks] == ["intake"]


def test_a_part_is_proven_by_a_checkpoint_behind_it_and_says_that_it_is_one(sealed: Sealed) -> None:
    with sealed.engine.connect() as connection:
        moment = connection.execute(sa.text("SELECT max(at) FROM audit WHERE stream = 'intake'")).scalar_one()
    part = exported(sealed, since=moment)
    assert [json.loads(line)["stream"] for line in part[1:]] == ["intake"] * 3
    assert looked(part, sealed.keys).verdict is Verdict.WHOLE
    only = exported(sealed, stream=STREAM)
    assert looked(only, sealed.keys).verdict is Verdict.WHOLE
    assert read_head(only[0]).notes == (f"a part of the audit: {STREAM} from 1 on",)
    assert len(exported(sealed, since=moment + 1000)) == 1


def test_a_part_behind_the_last_checkpoint_is_not_anchored(sealed: Sealed) -> None:
    sealed.append(4)
    lines = exported(sealed, stream=STREAM)
    head = json.loads(lines[0])
    head["streams"][STREAM][0] = 9
    found = looked([json.dumps(head), *lines[9:]], sealed.keys)
    assert (found.verdict, found.records) == (Verdict.UNANCHORED, 2)


@pytest.mark.parametrize("text", ["", "{}", "[]", "stream,seq,at\n", '{"format":"hirewire audit export"}'])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(ExportError):
        read_head(text)


def test_a_line_that_is_no_record_is_refused_with_its_number(sealed: Sealed) -> None:
    lines = exported(sealed)
    lines[3] = "{\n"
    with pytest.raises(ExportError, match="line 4"):
        looked(lines, sealed.keys)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_csv_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert harmless(-1) == -1
    assert harmless("plain") == "plain"


def test_a_csv_has_every_record_in_one_row(sealed: Sealed) -> None:
    with sealed.store.begin() as tx:
        tx.audit(Entry("=cmd()", "account:patch:applied", 'a "b",\nc', {"n": 1}, latency_s=0.5))
    ask = in_short_reads(sealed.engine)
    rows = list(csv.DictReader(io.StringIO("".join(as_csv(ask, extent(ask, None, None))), newline="")))
    assert [(row["stream"], row["seq"]) for row in rows][:2] == [("'=cmd()", "1"), ("intake", "1")]
    assert json.loads(rows[0]["text"])["actor"] == 'a "b",\nc'
    assert len(rows) == 10
