"""Verification: every chain from its floor, or its first record, to its head, and what checkpoints say of it.

Pages by (stream, seq), each its own short read, while others append. A chain alone shows an edit, an
insertion, a changed order; whoever may write to the whole database can build a chain anew, and only a
checkpoint outside it shows that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from worker.storage.audit import GENESIS, LATENCY_DIGITS, stamp
from worker.storage.checkpoints import Head
from worker.storage.floors import all_floors, floor_of, lowest_record
from worker.storage.strand import Break, Link, Strand, Verified, result
from worker.storage.tables import audit, audit_head

Ask = Callable[[sa.Select[Any]], Sequence[Any]]
"""Runs one query and returns all its rows, in a transaction that is over by then."""

_PAGE = 5_000
_LINK = (audit.c.seq, audit.c.text, audit.c.prev_hash, audit.c.hash)
_DERIVED = (audit.c.at, audit.c.action, audit.c.identity_id, audit.c.latency_s)


def verify(ask: Ask, sealed: Mapping[str, Head] | None = None) -> Verified:
    """Walk every chain, those that only `sealed` knows as well.

    A record is committed together with its head: records are looked at first, heads after them.
    """
    sealed = sealed or {}
    named = set(_streams(ask))
    heads = {row.stream: Head(row.seq, row.hash) for row in ask(sa.select(audit_head))}
    archived = {floor.stream for floor in all_floors(ask)}
    names = sorted({*named, *heads, *sealed, *archived})
    strands = [_walked(ask, name, heads.get(name), sealed.get(name)) for name in names]
    return result(strands)


def _streams(ask: Ask) -> Iterator[str]:
    """Those that have records, by one look into the index each."""
    lowest = sa.select(sa.func.min(audit.c.stream))
    ((name,),) = ask(lowest)
    while name is not None:
        yield name
        ((name,),) = ask(lowest.where(audit.c.stream > name))


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where a chain begins: its floor, and the number of the first record that is there."""

    floor: Head | None
    first: int | None


def _ground(ask: Ask, stream: str) -> _Ground:
    floor = floor_of(ask, stream)
    return _Ground(floor, lowest_record(ask, stream) if floor else None)


def _walked(ask: Ask, stream: str, head: Head | None, sealed: Head | None) -> Strand:
    """Once more where records that an archive has were dropped under our feet."""
    ground = _ground(ask, stream)
    while True:
        strand = _followed(ask, _begun(ask, stream, sealed, ground), head)
        now = ground if strand.fault is None else _ground(ask, stream)
        if now == ground:
            return strand
        ground = now


def _begun(ask: Ask, stream: str, sealed: Head | None, ground: _Ground) -> Strand:
    """What is left of an interrupted drop counts: it must lead to the floor."""
    floor, first = ground.floor, ground.first
    strand = Strand(stream, sealed, floor=floor)
    if floor is None:
        return strand
    if first is None or first > floor.size:
        strand.stand_on(floor)
    elif first < 1:
        strand.fault = Break(stream, 1, f"record {first} lies before the first")
    else:
        place = sa.and_(audit.c.stream == stream, audit.c.seq == first)
        rows = ask(sa.select(audit.c.prev_hash).where(place))
        strand.seq, strand.prev = first - 1, rows[0][0] if rows else GENESIS
    return strand


def _followed(ask: Ask, strand: Strand, head: Head | None) -> Strand:
    if head is None:
        strand.fault = Break(strand.stream, strand.seq + 1, "the stream has no head")
    elif strand.fault is None:
        _follow(ask, strand, head)
    return strand


def _follow(ask: Ask, strand: Strand, head: Head) -> None:
    for page in pages(ask, strand.stream, strand.seq + 1, head.size):
        strand.follow(_link(row) for row in page)
        if strand.fault is not None:
            return
    strand.end("its head says", head)
    strand.end_sealed()
    if strand.fault is None:
        strand.fault = _beyond(ask, strand.stream, head.size)


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
