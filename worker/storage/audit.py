"""The audit: append-only records, one hash chain for each stream.

A record's text is canonical JSON and holds everything; the other columns are derived from it.
`hash = SHA-256(prev_hash + text)`, and the first `prev_hash` of a stream is 64 zeros. Heads are
locked in the order of their names when the transaction commits, after every other lock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.strict_json import canonical
from worker.engine.rows import Entry
from worker.storage.tables import audit, audit_head
from worker.storage.upsert import insert_missing

GENESIS = "0" * 64
LATENCY_DIGITS = 6


def chained(prev_hash: str, text: str) -> str:
    return hashlib.sha256((prev_hash + text).encode()).hexdigest()


def stamp(at: float) -> str:
    """RFC 3339 in UTC with microseconds."""
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def append(connection: sa.Connection, entries: Sequence[Entry], now: float) -> None:
    """Chain the entries behind the heads of their streams."""
    streams: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        streams[entry.stream].append(entry)
    for stream in sorted(streams):
        _append_stream(connection, stream, streams[stream], now)


def _append_stream(connection: sa.Connection, stream: str, entries: list[Entry], now: float) -> None:
    seq, prev = _lock_head(connection, stream)
    rows: list[dict[str, Any]] = []
    for entry in entries:
        seq += 1
        row = _row(entry, seq, prev, now)
        rows.append(row)
        prev = row["hash"]
    connection.execute(sa.insert(audit), rows)
    head = sa.update(audit_head).where(audit_head.c.stream == stream)
    connection.execute(head.values(seq=seq, hash=prev))


def _lock_head(connection: sa.Connection, stream: str) -> tuple[int, str]:
    query = sa.select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.stream == stream)
    row = connection.execute(query.with_for_update()).first()
    if row is None:
        insert_missing(connection, audit_head, [{"stream": stream, "seq": 0, "hash": GENESIS}], ["stream"])
        row = connection.execute(query.with_for_update()).one()
    return row.seq, row.hash


def _row(entry: Entry, seq: int, prev: str, now: float) -> dict[str, Any]:
    body: dict[str, Json] = {
        "at": stamp(now),
        "stream": entry.stream,
        "seq": seq,
        "action": entry.action,
        "actor": entry.actor,
        **entry.facts,
    }
    if entry.identity_id is not None:
        body["identity"] = entry.identity_id
    if entry.latency_s is not None:
        body["latency_s"] = round(entry.latency_s, LATENCY_DIGITS)
    text = canonical(body)
    return {
        "stream": entry.stream,
        "seq": seq,
        "at": now,
        "action": entry.action,
        "identity_id": entry.identity_id,
        "latency_s": entry.latency_s,
        "text": text,
        "prev_hash": prev,
        "hash": chained(prev, text),
    }
