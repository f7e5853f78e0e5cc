"""Archiving: the oldest records of the audit go into a file, and then out of the database.

In this order, each step on the disk before the next: the file, read again and followed to what a checkpoint
sealed; a line of the checkpoints that vouches for it; the floors and a record of who and why, in one
transaction; the records below the floors, page by page. An interruption leaves an audit that verifies, and
the next archive drops what this one left.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from connectors.sdk.model import Json
from connectors.sdk.text import instant
from worker.engine.again import whole
from worker.engine.rows import Entry
from worker.engine.runs import OPERATORS
from worker.storage.anchoring import read_book
from worker.storage.archive_file import BOTTOM, Read, read_back, write_once
from worker.storage.checkpoint_file import newest
from worker.storage.checkpoints import Checkpoint, Head
from worker.storage.clock import clock
from worker.storage.export import ExportError, Extent, Part, as_jsonl
from worker.storage.floors import Floor, all_floors, newest_floors
from worker.storage.roles import may_drop
from worker.storage.seal import Sealer
from worker.storage.signing import Keys
from worker.storage.store import SqlStore
from worker.storage.verify import Ask

ACTION = "audit:archive:dropped"
_PAGE = 1_000
_REST_S = 0.01  # between two pages: others write as well


class ArchiveError(Exception):
    """Nothing is dropped that was not dropped before; the message says why and the way out."""


@dataclass(frozen=True, slots=True)
class Archived:
    """`file` None: nothing was old enough. `dropped` counts what an earlier archive had left, too."""

    file: Path | None
    sha256: str
    checkpoint: int | None
    parts: tuple[Part, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class Archiver:
    """`ask` reads, `keys` are those that checkpoints may be signed with."""

    engine: sa.Engine
    ask: Ask
    store: SqlStore
    sealer: Sealer
    checkpoints: Path
    keys: Keys

    def run(self, folder: Path, until: float, actor: str, why: str) -> Archived:
        """What was sealed until then, of every stream. Raises ArchiveError, SealError."""
        self._require_rights()
        left = self._drop()
        sealed = self._sealed(until)
        parts = self._parts(sealed) if sealed is not None else ()
        if sealed is None or not parts:
            return Archived(None, "", None, (), left)
        file = folder / f"audit-{_compact(sealed.at)}-{sealed.number}.jsonl"
        read = self._written(file, sealed, parts)
        self._vouch(file.name, read.sha256, parts, actor, why)
        self._sink(file.name, read.sha256, parts, actor, why)
        return Archived(file, read.sha256, sealed.number, parts, left + self._drop())

    def _require_rights(self) -> None:
        with self.engine.connect() as connection:
            if not may_drop(connection):
                raise ArchiveError(
                    "the role of this connection may not drop records of the audit: archive as the role that "
                    "owns the tables, the one that `hirewire migrate` connects as"
                )

    def _sealed(self, until: float) -> Checkpoint | None:
        """The newest checkpoint of then, behind the last that an operator began with."""
        try:
            book = read_book(self.checkpoints, self.keys)
            if book.breaks:
                raise ArchiveError(f"checkpoints: {book.breaks[0].reason}; see `hirewire audit verify`")
            if book.last is None:
                raise ArchiveError(f"there are no checkpoints in {self.checkpoints}: nothing is sealed")
            return newest(self.checkpoints, lambda line: _is_until(line, until), book.since)
        except OSError as error:
            raise ArchiveError(f"{self.checkpoints} cannot be read: {error.strerror}") from None

    def _parts(self, sealed: Checkpoint) -> tuple[Part, ...]:
        floors = newest_floors(all_floors(self.ask))
        parts = (
            Part(stream, floors.get(stream, BOTTOM).size + 1, head) for stream, head in sealed.streams.items()
        )
        return tuple(part for part in sorted(parts, key=_by_stream) if part.first <= part.head.size)

    def _written(self, file: Path, sealed: Checkpoint, parts: tuple[Part, ...]) -> Read:
        """One that is there already is used if it is what it must be: an earlier try left it."""
        with self.engine.connect() as connection:
            now = clock(connection)
        try:
            write_once(file, as_jsonl(self.ask, Extent(parts, whole=False), sealed, now))
            read = read_back(file, newest_floors(all_floors(self.ask)))
        except OSError as error:
            raise ArchiveError(f"{file} cannot be written: {error.strerror}") from None
        except ExportError as error:
            raise ArchiveError(f"{file} {error}: move it away") from None
        _require_sealed(file, read, parts)
        return read

    def _vouch(self, file: str, sha256: str, parts: tuple[Part, ...], actor: str, why: str) -> None:
        floors = newest_floors(all_floors(self.ask)) | {part.stream: part.head for part in parts}
        self.sealer.vouch(floors, {"by": actor, "why": why, "file": file, "sha256": sha256})

    def _sink(self, file: str, sha256: str, parts: tuple[Part, ...], actor: str, why: str) -> None:
        """The floors, and who wanted them. Two archives at once: the database refuses the second."""
        streams: Mapping[str, Json] = {part.stream: [part.first, part.head.size] for part in parts}
        told: dict[str, Json] = {"why": why, "file": file, "sha256": sha256, "streams": dict(streams)}
        with self.store.begin() as tx:
            tx.floors.add([Floor(part.stream, part.head, file, sha256) for part in parts], tx.now)
            tx.audit(Entry(OPERATORS, ACTION, actor, told))

    def _drop(self) -> int:
        """All that is left below the floors."""
        dropped = 0
        for stream, floor in newest_floors(all_floors(self.ask)).items():
            while page := whole(partial(self._page, stream, floor)):
                dropped += page
                time.sleep(_REST_S)
        return dropped

    def _page(self, stream: str, floor: Head) -> int:
        with self.store.begin() as tx:
            return tx.floors.drop(stream, floor.size, _PAGE)


def _require_sealed(file: Path, read: Read, parts: tuple[Part, ...]) -> None:
    for item in read.breaks:
        raise ArchiveError(
            f"{item.stream} at {item.seq} {item.reason}: see `hirewire audit verify`; {file} is kept"
        )
    for part in parts:
        if read.ends.get(part.stream) != part.head:
            raise ArchiveError(
                f"{part.stream} is not what was sealed: see `hirewire audit verify`; {file} is kept"
            )


def _is_until(line: Checkpoint, until: float) -> bool:
    at = instant(line.at)
    return at is not None and at.timestamp() <= until


def _compact(at: str) -> str:
    """`2026-01-31T02:00:00.123456Z` as part of a file's name."""
    return f"{at[:19].replace('-', '').replace(':', '')}Z"


def _by_stream(part: Part) -> str:
    return part.stream
