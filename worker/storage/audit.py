"""The audit: append-only records, one hash chain for each stream.

A record's text is canonical JSON and holds everything; the other columns are derived from it.
`hash = SHA-256(prev_hash + text)`, and the first `prev_hash` of a stream is 64 zeros. Heads are
locked in the order of their names when the transaction commits, after every other lock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.strict_json import canonical
from worker.engine.ports import Entry
from worker.storage.tables import audit, audit_head
from worker.storage.upsert import insert_missing

GENESIS = "0" * 64
_PAGE = 5_000
_LATENCY_DIGITS = 6


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
        body["latency_s"] = round(entry.latency_s, _LATENCY_DIGITS)
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


@dataclass(frozen=True, slots=True)
class Break:
    """The first record of a stream that does not follow from the one before."""

    stream: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    records: int
    streams: int
    breaks: tuple[Break, ...]


def verify(connection: sa.Connection) -> Verified:
    """Walk every chain from its first record to its head, in pages, while others may append.

    A record is committed together with its head: records are looked at first, heads after them.
    """
    named = set(connection.scalars(sa.select(audit.c.stream).distinct()))
    heads = {row.stream: row for row in connection.execute(sa.select(audit_head))}
    breaks: list[Break] = []
    records = 0
    for name in sorted({*named, *heads}):
        count, found = _verify_stream(connection, name, heads.get(name))
        records += count
        breaks += [found] if found is not None else []
    return Verified(records, len({*named, *heads}), tuple(breaks))


def _verify_stream(connection: sa.Connection, stream: str, head: Any) -> tuple[int, Break | None]:  # noqa: ANN401 - a row or None
    seq, prev = 0, GENESIS
    if head is None:
        return 0, Break(stream, 1, "the stream has records and no head")
    for row in _records(connection, stream, head.seq):
        seq += 1
        if reason := _fault(row, seq, prev):
            return seq, Break(stream, seq, reason)
        prev = row.hash
    if (seq, prev) != (head.seq, head.hash):
        return seq, Break(stream, seq + 1, f"the chain ends at {seq}, its head says {head.seq}")
    return seq, _beyond(connection, stream, head.seq)


def _beyond(connection: sa.Connection, stream: str, head_seq: int) -> Break | None:
    """Records behind the head: those of transactions that committed since have moved it."""
    last = sa.select(sa.func.max(audit.c.seq)).where(audit.c.stream == stream, audit.c.seq > head_seq)
    found = connection.execute(last).scalar_one()
    now = sa.select(audit_head.c.seq).where(audit_head.c.stream == stream)
    if found is None or found <= (connection.execute(now).scalar() or 0):
        return None
    return Break(stream, head_seq + 1, f"record {found} lies behind the head of the chain")


def _fault(row: Any, seq: int, prev: str) -> str | None:  # noqa: ANN401 - an audit row
    if row.seq != seq:
        return f"record {seq} is missing, {row.seq} follows"
    if row.prev_hash != prev:
        return "does not follow from the record before"
    if row.hash != chained(prev, row.text):
        return "its text was changed"
    wrong = [name for name, value in _derived(row.text).items() if _column(row, name) != value]
    return f"does not say what its text says: {', '.join(wrong)}" if wrong else None


def _derived(text: str) -> dict[str, Json]:
    """The query columns, as the text has them."""
    body = json.loads(text)
    return {
        "stream": body["stream"],
        "seq": body["seq"],
        "at": body["at"],
        "action": body["action"],
        "identity_id": body.get("identity"),
        "latency_s": body.get("latency_s"),
    }


def _column(row: Any, name: str) -> Json:  # noqa: ANN401 - an audit row
    value: Json = getattr(row, name)
    if name == "at":
        return stamp(row.at)
    return round(value, _LATENCY_DIGITS) if isinstance(value, float) else value


def _records(connection: sa.Connection, stream: str, most: int) -> Iterator[Any]:
    query = sa.select(audit).where(audit.c.stream == stream, audit.c.seq <= most)
    page = connection.execute(query.order_by(audit.c.seq).limit(_PAGE)).all()
    while page:
        yield from page
        following = query.where(audit.c.seq > page[-1].seq)
        page = connection.execute(following.order_by(audit.c.seq).limit(_PAGE)).all()
