"""Archives: exports of whole segments, each from where the one before it ended to what a checkpoint sealed.

A file counts once it is on the disk under its name, and was read again to its end. Nothing here writes over
one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from worker.storage.audit import GENESIS
from worker.storage.checkpoints import Head
from worker.storage.export import ExportError, Part, read_head, read_record
from worker.storage.strand import Break, Strand

BOTTOM = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Read:
    """A file read to its end: where each chain of it leads, and the first record of each that is wrong."""

    ends: Mapping[str, Head]
    breaks: tuple[Break, ...]
    records: int
    sha256: str


def write_once(path: Path, lines: Iterable[str]) -> None:
    """For its owner only, and on the disk with its name; a file that is there stays. Raises OSError."""
    if path.exists():
        return
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_back(path: Path, below: Mapping[str, Head]) -> Read:
    """Follow its chains from where those below it ended. Raises ExportError, OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        lines = _lines(file, digest)
        parts = read_head(next(lines, "")).extent.parts
        strands = {part.stream: _strand(part, below) for part in parts}
        for number, line in enumerate(lines, 2):
            stream, link = read_record(line, number)
            if stream not in strands:
                raise ExportError(f"line {number} is of a stream that the head does not name")
            if strands[stream].fault is None:
                strands[stream].follow((link,))
    for part in parts:
        strands[part.stream].end("the archive's head says", part.head)
    return Read(
        {stream: Head(strand.seq, strand.prev) for stream, strand in strands.items()},
        tuple(strand.fault for strand in strands.values() if strand.fault is not None),
        sum(strand.records for strand in strands.values()),
        digest.hexdigest(),
    )


def _lines(file: BinaryIO, digest: hashlib._Hash) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        digest.update(line)
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise ExportError(f"line {number} is no text") from None


def _strand(part: Part, below: Mapping[str, Head]) -> Strand:
    seq, prev = below.get(part.stream, BOTTOM)
    return Strand(part.stream, seq=seq, prev=prev)
