"""The audit: one gap-free chain for each stream, written with the transaction, checked end to end."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from itertools import groupby

import pytest
import sqlalchemy as sa

from connectors.sdk.model import Json
from tests.worker.storage.world import at_once, failing, rows
from worker.domain.strict_json import canonical
from worker.engine.rows import Entry
from worker.storage import tables
from worker.storage.store import SqlStore
from worker.storage.strand import Verified
from worker.storage.verify import in_short_reads, verify


def entry(stream: str = "targets/awx", action: str = "account:patch:intended", **facts: Json) -> Entry:
    return Entry(stream, action, "hirewire", facts)


def append(store: SqlStore, *entries: Entry) -> None:
    with store.begin() as tx:
        for item in entries:
            tx.audit(item)


def verified(engine: sa.Engine) -> Verified:
    """Without what no checkpoint covers: here there are none."""
    return replace(verify(in_short_reads(engine)), unsealed=())


def test_records_are_chained_in_their_stream(store: SqlStore, engine: sa.Engine) -> None:
    append(store, entry("a", n=1), entry("b", n=2), entry("a", n=3))
    append(store, entry("a", n=4))
    found = rows(engine, tables.audit)
    assert [(row.stream, row.seq) for row in found] == [("a", 1), ("a", 2), ("b", 1), ("a", 3)]
    for stream in ("a", "b"):
        prev = "0" * 64
        for row in (row for row in found if row.stream == stream):
            assert row.prev_hash == prev
            assert row.hash == hashlib.sha256((prev + row.text).encode()).hexdigest()
            prev = row.hash
    assert verified(engine) == Verified(4, 2, ())


def test_the_text_is_canonical_and_the_columns_say_the_same(store: SqlStore, engine: sa.Engine) -> None:
    facts: dict[str, Json] = {"status": 200, "name": "Åsa \u0000 \u202e"}
    append(store, Entry("a", "account:patch:applied", "mia", facts, identity_id=7, latency_s=0.1234567))
    (row,) = rows(engine, tables.audit)
    body = json.loads(row.text)
    assert row.text == canonical(body)
    assert body.pop("at").endswith("Z")
    assert body == facts | {
        "stream": "a",
        "seq": 1,
        "action": "account:patch:applied",
        "actor": "mia",
        "identity": 7,
        "latency_s": 0.123457,
    }
    assert (row.action, row.identity_id, row.latency_s) == ("account:patch:applied", 7, 0.1234567)
    assert verified(engine).breaks == ()


def test_a_failed_transaction_leaves_no_record_and_no_gap(store: SqlStore, engine: sa.Engine) -> None:
    append(store, entry("a"))
    failing(store, lambda tx: tx.audit(entry("a")))
    append(store, entry("a"))
    assert [row.seq for row in rows(engine, tables.audit)] == [1, 2]
    assert verified(engine).breaks == ()


def test_a_transaction_without_records_touches_no_head(store: SqlStore, engine: sa.Engine) -> None:
    append(store)
    assert rows(engine, tables.audit_head) == []
    assert verified(engine) == Verified(0, 0, ())


def test_appends_at_once_keep_every_chain_gap_free(store: SqlStore, engine: sa.Engine) -> None:
    all_ready = threading.Barrier(4)

    def work(turn: int) -> None:
        all_ready.wait(60)
        for _ in range(6):
            order = ("a", "b") if turn % 2 else ("b", "a")
            append(store, *(entry(stream, turn=turn) for stream in order))

    at_once(*(lambda turn=turn: work(turn) for turn in range(4)))
    found = sorted((row.stream, row.seq) for row in rows(engine, tables.audit))
    for _, chain in groupby(found, key=lambda pair: pair[0]):
        assert [seq for _, seq in chain] == list(range(1, 25))
    assert verified(engine) == Verified(48, 2, ())


def test_a_check_while_others_append_finds_no_break(store: SqlStore, engine: sa.Engine) -> None:
    over = threading.Event()
    seen: list[Verified] = []

    def work() -> None:
        try:
            for n in range(25):
                append(store, entry(f"s{n % 7}"), entry("a"))
        finally:
            over.set()

    def check() -> None:
        while not over.is_set():
            seen.append(verified(engine))

    at_once(work, check)
    assert {found.breaks for found in seen} == {()}
    assert verified(engine).records == 50


def test_a_chain_longer_than_a_page_is_walked_to_its_end(
    store: SqlStore, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.storage.verify._PAGE", 2)
    append(store, *(entry("a", n=n) for n in range(5)))
    assert verified(engine) == Verified(5, 1, ())
