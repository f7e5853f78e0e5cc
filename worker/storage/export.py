"""The audit as a file: JSON Lines that verify without a database, or CSV for a spreadsheet.

JSON Lines: a head that says what part of which streams follows, the newest checkpoint, then the records by
stream and seq with their text and both hashes. What was written while the export ran is left out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.storage.audit import stamp
from worker.storage.checkpoint_file import Walked
from worker.storage.checkpoints import Checkpoint, CheckpointError, Head, parsed
from worker.storage.floors import floor_of
from worker.storage.strand import Break, Link, Strand, Verified, result
from worker.storage.tables import audit, audit_head
from worker.storage.verify import Ask, pages

FORMAT = "hirewire audit export"
VERSION = 1
_CSV = ("stream", "seq", "at", "action", "identity", "latency_s", "text", "prev_hash", "hash")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class ExportError(Exception):
    """What was given is no export of ours; the message says where."""


@dataclass(frozen=True, slots=True)
class Part:
    """The records `first` to `head.size` of a stream."""

    stream: str
    first: int
    head: Head


@dataclass(frozen=True, slots=True)
class Extent:
    """What is exported. `whole`: every stream from its first record on, none of them archived."""

    parts: tuple[Part, ...]
    whole: bool


def extent(ask: Ask, stream: str | None, since: float | None) -> Extent:
    """Of one stream or all, from the first record that was written at `since` or later."""
    heads = sa.select(audit_head).where(audit_head.c.seq > 0).order_by(audit_head.c.stream)
    chosen = [row for row in ask(heads) if stream is None or row.stream == stream]
    parts = [Part(row.stream, _first(ask, row.stream, since), Head(row.seq, row.hash)) for row in chosen]
    kept = tuple(part for part in parts if part.first <= part.head.size)
    from_the_first = len(kept) == len(parts) and all(part.first == 1 for part in kept)
    return Extent(kept, stream is None and since is None and from_the_first)


def _first(ask: Ask, stream: str, since: float | None) -> int:
    if since is None:
        floor = floor_of(ask, stream)
        return floor.size + 1 if floor else 1
    later = sa.and_(audit.c.stream == stream, audit.c.at >= since)
    ((seq,),) = ask(sa.select(sa.func.min(audit.c.seq)).where(later))
    if seq is not None:
        return int(seq)
    ((most,),) = ask(sa.select(audit_head.c.seq).where(audit_head.c.stream == stream))
    return int(most) + 1


def as_jsonl(ask: Ask, chosen: Extent, newest: Checkpoint | None, now: float) -> Iterator[str]:
    """Lines with their ends. `newest` was read before the extent."""
    yield _line(
        {
            "format": FORMAT,
            "version": VERSION,
            "at": stamp(now),
            "whole": chosen.whole,
            "streams": {part.stream: [part.first, part.head.size, part.head.hash] for part in chosen.parts},
            "checkpoint": newest.line.decode() if newest else None,
        }
    )
    for part, row in _rows(ask, chosen):
        seq, text, prev_hash, hash_ = row[:4]
        yield _line({"stream": part.stream, "seq": seq, "prev_hash": prev_hash, "hash": hash_, "text": text})


def _line(body: Mapping[str, Json]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")) + "\n"


def _rows(ask: Ask, chosen: Extent) -> Iterator[tuple[Part, Any]]:
    for part in chosen.parts:
        for page in pages(ask, part.stream, part.first, part.head.size):
            for row in page:
                yield part, row


def as_csv(ask: Ask, chosen: Extent) -> Iterator[str]:
    """Lines with their ends. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_CSV)
    for part, row in _rows(ask, chosen):
        seq, text, prev_hash, hash_, at, action, identity_id, latency_s = row
        cells = (part.stream, seq, stamp(at), action, identity_id, latency_s, text, prev_hash, hash_)
        writer.writerow([harmless(cell) for cell in cells])
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def harmless(cell: object) -> object:
    """Numbers stay numbers; text that begins as a formula does is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell


@dataclass(frozen=True, slots=True)
class Export:
    """The head of an export: which part of which streams follows, and the checkpoint that came with it."""

    at: str
    extent: Extent
    checkpoint: Checkpoint | None

    @property
    def notes(self) -> tuple[str, ...]:
        if self.extent.whole:
            return ()
        parts = ", ".join(f"{part.stream} from {part.first} on" for part in self.extent.parts) or "nothing"
        return (f"a part of the audit: {parts}",)


def read_head(line: str) -> Export:
    """Raises ExportError."""
    try:
        body = json.loads(line)
        if (body["format"], body["version"]) != (FORMAT, VERSION):
            raise ExportError("is no export that this version reads")
        parts = tuple(
            Part(str(stream), int(first), Head(int(size), str(end)))
            for stream, (first, size, end) in body["streams"].items()
        )
        raw = body["checkpoint"]
        checkpoint = parsed(raw.encode()) if raw is not None else None
        return Export(str(body["at"]), Extent(parts, body["whole"] is True), checkpoint)
    except CheckpointError as error:
        raise ExportError(f"holds a checkpoint that {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ExportError("is no export in JSON Lines") from None


def carried(export: Export) -> Walked:
    """The one checkpoint of an export, as if it were a file."""
    last = export.checkpoint
    return Walked(last, (), 0, last is not None and last.is_signed)


def verified(export: Export, lines: Iterable[str], sealed: Mapping[str, Head]) -> Verified:
    """Follow every chain of the export to the end that its head names. Raises ExportError."""
    parts = {part.stream: part for part in export.extent.parts}
    strands = {part.stream: _strand(part, sealed.get(part.stream)) for part in export.extent.parts}
    strange: dict[str, Break] = {}
    for number, line in enumerate(lines, 2):
        stream, link = read_record(line, number)
        strand = strands.get(stream)
        if strand is None:
            strange.setdefault(stream, Break(stream, link[0], "the export's head does not name the stream"))
        elif strand.fault is None:
            if strand.records == 0 and parts[stream].first > 1:
                strand.prev = link[2]
            strand.follow((link,))
    for part in export.extent.parts:
        strands[part.stream].end("the export's head says", part.head)
        strands[part.stream].end_sealed()
    found = result(list(strands.values()))
    missing = _missing(export, sealed) if export.extent.whole else ()
    return Verified(
        found.records, found.streams, (*found.breaks, *strange.values(), *missing), found.unsealed
    )


def _strand(part: Part, sealed: Head | None) -> Strand:
    """A part begins in the middle of its chain; a checkpoint behind its beginning still proves it."""
    return Strand(part.stream, sealed, seq=part.first - 1)


def _missing(export: Export, sealed: Mapping[str, Head]) -> tuple[Break, ...]:
    held = {part.stream for part in export.extent.parts}
    return tuple(
        Break(stream, 1, "a checkpoint names the stream, the export does not have it")
        for stream in sorted(sealed.keys() - held)
    )


def read_record(line: str, number: int) -> tuple[str, Link]:
    """Stream and record of a line of an export; `number` is the line's. Raises ExportError."""
    try:
        body = json.loads(line)
        stream, seq, text = body["stream"], body["seq"], body["text"]
        link = (int(seq), str(text), str(body["prev_hash"]), str(body["hash"]), None)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ExportError(f"line {number} is no record") from None
    return str(stream), link
