"""Verification: every chain from its first record to its head, and what checkpoints say about it.

Pages by (stream, seq), each its own short read, while others append. A chain alone shows an edit, an
insertion, a changed order; whoever may write to the whole database can build a chain anew, and only a
checkpoint outside it shows that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from worker.storage.audit import GENESIS, LATENCY_DIGITS, stamp
from worker.storage.checkpoints import Head
from worker.storage.tables import audit, audit_head

Ask = Callable[[sa.Select[Any]], Sequence[Any]]
"""Runs one query and returns all its rows, in a transaction that is over by then."""

Columns = tuple[Any, ...]
Link = tuple[int, str, str, str, Columns | None]
"""seq, text, prev_hash, hash, and what the query columns say where there are any."""

DEPARTED = "was chained anew: a checkpoint sealed another one"
_PAGE = 5_000
_SCAN = json.JSONDecoder().raw_decode  # of `json.loads` without what canonical text does not need
_LINK = (audit.c.seq, audit.c.text, audit.c.prev_hash, audit.c.hash)
_DERIVED = (audit.c.at, audit.c.action, audit.c.identity_id, audit.c.latency_s)


@dataclass(frozen=True, slots=True)
class Break:
    """The first record of a stream that is not what it was."""

    stream: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    """`unsealed`: what of each stream no checkpoint covers."""

    records: int
    streams: int
    breaks: tuple[Break, ...]
    unsealed: tuple[Unsealed, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsealed:
    """Records behind the last checkpoint: how many, and when the first was written (RFC 3339)."""

    stream: str
    seq: int
    records: int
    since: str


@dataclass(slots=True)
class Strand:
    """One chain on its way from the first record to the last. `sealed` is what a checkpoint says of it."""

    stream: str
    sealed: Head | None = None
    seq: int = 0
    prev: str = GENESIS
    records: int = 0
    fault: Break | None = None
    behind: tuple[int, str] | None = None  # the first record behind the checkpoint, and when it was written

    def follow(self, links: Iterable[Link]) -> None:
        """Go on along these records, up to the first that is not what it was."""
        prev, seq = self.prev, self.seq
        size = self.sealed.size if self.sealed else 0
        for number, text, before, hash_, columns in links:
            seq += 1
            if number != seq:
                return self._break(seq, f"record {seq} is missing, {number} follows")
            if before != prev:
                return self._break(seq, "does not follow from the record before")
            if sha256((prev + text).encode("utf-8", "surrogatepass")).hexdigest() != hash_:
                return self._break(seq, "its text was changed")
            told = _told(text)
            if told is None or told[:2] != (self.stream, seq):
                return self._break(seq, "its text is not that of this record")
            if columns is not None and told[2:] != columns:
                return self._break(seq, f"does not say what its text says: {_differing(told[2:], columns)}")
            if seq == size and self.sealed is not None and hash_ != self.sealed.hash:
                return self._break(seq, DEPARTED)
            if seq > size and self.behind is None:
                self.behind = (seq, told[2])
            prev = hash_
            self.records += 1
        self.prev, self.seq = prev, seq
        return None

    def _break(self, seq: int, reason: str) -> None:
        self.records += 1
        self.fault = Break(self.stream, seq, reason)

    def end(self, says: str, head: Head) -> None:
        """What the chain must have come to, and who says so."""
        if self.fault is None and (self.seq, self.prev) != head:
            self.fault = Break(self.stream, self.seq + 1, f"the chain ends at {self.seq}, {says} {head.size}")

    def end_sealed(self) -> None:
        """A chain may be longer than its checkpoint says, never shorter."""
        if self.fault is None and self.sealed is not None and self.seq < self.sealed.size:
            reason = f"the chain ends at {self.seq}, its checkpoint says {self.sealed.size}: records were cut"
            self.fault = Break(self.stream, self.seq + 1, f"{reason}, or an older database was restored")

    def unsealed(self) -> Unsealed | None:
        if self.behind is None or self.fault is not None:
            return None
        first, since = self.behind
        return Unsealed(self.stream, first, self.seq - first + 1, since)


_NAMES = ("at", "action", "identity_id", "latency_s")


def _told(text: str) -> tuple[Any, ...] | None:
    """Stream, seq and the query columns, as the text has them; None where it is no record's text."""
    try:
        body, end = _SCAN(text)
        if end != len(text):
            return None
        told = (body["stream"], body["seq"], body["at"], body["action"])
        return (*told, body.get("identity"), body.get("latency_s"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _differing(told: Columns, columns: Columns) -> str:
    return ", ".join(name for name, one, other in zip(_NAMES, told, columns, strict=True) if one != other)


def verify(ask: Ask, sealed: Mapping[str, Head] | None = None) -> Verified:
    """Walk every chain, those that only `sealed` knows as well.

    A record is committed together with its head: records are looked at first, heads after them.
    """
    sealed = sealed or {}
    named = set(_streams(ask))
    heads = {row.stream: Head(row.seq, row.hash) for row in ask(sa.select(audit_head))}
    names = sorted({*named, *heads, *sealed})
    strands = [_walked(ask, name, heads.get(name), sealed.get(name)) for name in names]
    return result(strands)


def _streams(ask: Ask) -> Iterator[str]:
    """Those that have records, by one look into the index each."""
    lowest = sa.select(sa.func.min(audit.c.stream))
    ((name,),) = ask(lowest)
    while name is not None:
        yield name
        ((name,),) = ask(lowest.where(audit.c.stream > name))


def result(strands: Sequence[Strand]) -> Verified:
    return Verified(
        sum(strand.records for strand in strands),
        len(strands),
        tuple(strand.fault for strand in strands if strand.fault is not None),
        tuple(found for strand in strands if (found := strand.unsealed()) is not None),
    )


def _walked(ask: Ask, stream: str, head: Head | None, sealed: Head | None) -> Strand:
    strand = Strand(stream, sealed)
    if head is None:
        strand.fault = Break(stream, 1, "the stream has no head")
        return strand
    for page in pages(ask, stream, 1, head.size):
        strand.follow(_link(row) for row in page)
        if strand.fault is not None:
            return strand
    strand.end("its head says", head)
    strand.end_sealed()
    if strand.fault is None:
        strand.fault = _beyond(ask, stream, head.size)
    return strand


def pages(ask: Ask, stream: str, first: int, last: int) -> Iterator[Sequence[Any]]:
    """The records `first` to `last`, up to the first gap; from 1 on also those that no stream can have.

    Pages are ranges of numbers, so that each reads so many rows whatever plan the database makes.
    """
    query = sa.select(*_LINK, *_DERIVED).where(audit.c.stream == stream).order_by(audit.c.seq)
    for start in range(first, last + 1, _PAGE):
        end = min(start + _PAGE - 1, last)
        page = query.where(audit.c.seq <= end)
        found = ask(page if start == 1 else page.where(audit.c.seq >= start))
        yield found
        if len(found) <= end - start:
            return


def _link(row: Any) -> Link:  # noqa: ANN401 - a row
    seq, text, prev_hash, hash_, at, action, identity_id, latency_s = row
    if latency_s is not None:
        latency_s = round(latency_s, LATENCY_DIGITS)
    return seq, text, prev_hash, hash_, (_stamp(at), action, identity_id, latency_s)


@lru_cache(maxsize=1024)  # records of one transaction have one time
def _stamp(at: float) -> str | None:
    try:
        return stamp(at)
    except (ValueError, OverflowError):
        return None


def _beyond(ask: Ask, stream: str, size: int) -> Break | None:
    """Records behind the head: those of transactions that committed since have moved it."""
    ((found,),) = ask(sa.select(sa.func.max(audit.c.seq)).where(audit.c.stream == stream, audit.c.seq > size))
    if found is None:
        return None
    now = ask(sa.select(audit_head.c.seq).where(audit_head.c.stream == stream))
    if now and found <= now[0][0]:
        return None
    return Break(stream, size + 1, f"record {found} lies behind the head of the chain")


def asking(connection: sa.Connection) -> Ask:
    """Within one transaction of the caller's."""
    return lambda query: connection.execute(query).all()


def in_short_reads(engine: sa.Engine) -> Ask:
    """Each query a transaction of its own: a long look keeps no old state alive and meets no timeout."""

    def ask(query: sa.Select[Any]) -> Sequence[Any]:
        with engine.connect() as connection:
            return connection.execute(query).all()

    return ask
