"""One chain of the audit followed record by record, from rows or from a file, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from worker.storage.audit import GENESIS
from worker.storage.checkpoints import Head

Columns = tuple[Any, ...]
Link = tuple[int, str, str, str, Columns | None]
"""seq, text, prev_hash, hash, and what the query columns say where there are any."""

DEPARTED = "was chained anew: a checkpoint sealed another one"
_SCAN = json.JSONDecoder().raw_decode  # of `json.loads` without what canonical text does not need


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
    """One chain on its way from the first record to the last. `sealed` is what a checkpoint says of it.

    `floor` is where it was archived: what is left below it must lead there.
    """

    stream: str
    sealed: Head | None = None
    seq: int = 0
    prev: str = GENESIS
    records: int = 0
    fault: Break | None = None
    behind: tuple[int, str] | None = None  # the first record behind the checkpoint, and when it was written
    floor: Head | None = None

    def follow(self, links: Iterable[Link]) -> None:
        """Go on along these records, up to the first that is not what it was."""
        prev, seq = self.prev, self.seq
        size = self.sealed.size if self.sealed else 0
        ground = self.floor.size if self.floor else 0
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
            if seq == ground and self.floor is not None and hash_ != self.floor.hash:
                return self._break(seq, "is not the record that the floor names")
            if seq > size and self.behind is None:
                self.behind = (seq, told[2])
            prev = hash_
            self.records += 1
        self.prev, self.seq = prev, seq
        return None

    def stand_on(self, floor: Head) -> None:
        """Begin behind the floor, which the checkpoint may name as well."""
        self.seq, self.prev = floor
        if self.sealed is not None and self.sealed.size == floor.size and self.sealed != floor:
            self.fault = Break(self.stream, floor.size, DEPARTED)

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


def result(strands: Sequence[Strand]) -> Verified:
    return Verified(
        sum(strand.records for strand in strands),
        len(strands),
        tuple(strand.fault for strand in strands if strand.fault is not None),
        tuple(found for strand in strands if (found := strand.unsealed()) is not None),
    )
