"""The file of checkpoints: appended under a lock, on the disk before it counts, read while others write.

A line counts once its line end is on the disk. What a crash left behind the last line end is no line:
readers pass over it, the next writer takes it away. The lock is the file's own (`flock`), for all
threads and processes of one machine.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

from worker.storage.checkpoints import (
    FIRST,
    Checkpoint,
    CheckpointError,
    Kind,
    parsed,
    require_follows,
)

_BLOCK = 65_536
_LOCK_PATIENCE_S = 10.0


class Tail:
    """The end of the locked file."""

    def __init__(self, descriptor: int, folder: Path) -> None:
        self._descriptor = descriptor
        self._folder = folder
        self._end, line = _last_line(descriptor)
        self.last = parsed(line) if line is not None else None

    def append(self, line: bytes) -> None:
        """On the disk, or an OSError and the file as it was."""
        os.ftruncate(self._descriptor, self._end)
        os.lseek(self._descriptor, self._end, os.SEEK_SET)
        try:
            _write_all(self._descriptor, line + b"\n")
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        if self._end == 0:
            _sync_folder(self._folder)
        self._end += len(line) + 1
        self.last = parsed(line)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(folder: Path) -> None:
    """The name of a new file must outlive a power cut as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[Tail]:
    """The file's end, for us alone. Made where it is missing. Raises OSError, CheckpointError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        _lock(descriptor)
        yield Tail(descriptor, path.parent)
    finally:
        os.close(descriptor)


@retry(
    retry=retry_if_exception_type(BlockingIOError),
    wait=wait_random(0.005, 0.05),
    stop=stop_after_delay(_LOCK_PATIENCE_S),
    reraise=True,
)
def _lock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _last_line(descriptor: int) -> tuple[int, bytes | None]:
    """Where the last whole line ends, and the line; read from the end backwards."""
    start = os.lseek(descriptor, 0, os.SEEK_END)
    held = b""
    while start and held.count(b"\n") < 2:  # noqa: PLR2004 - one ends the line, one the line before
        step = min(_BLOCK, start)
        start -= step
        held = os.pread(descriptor, step, start) + held
    whole, line_end, _ = held.rpartition(b"\n")
    if not line_end:
        return 0, None
    return start + len(whole) + 1, whole.rpartition(b"\n")[2]


@dataclass(frozen=True, slots=True)
class Walked:
    """A file walked to its end. `begun` are the lines of operators, `since` is where the last beginning lies.

    `fault` names the first line that does not follow from the one before, and why; nothing behind it counts.
    """

    last: Checkpoint | None = None
    begun: tuple[Checkpoint, ...] = ()
    since: int = 0
    any_signed: bool = False
    torn: bool = False
    fault: tuple[int, str] | None = None


def walk(path: Path) -> Walked:
    """From the first line to the last whole one. Raises OSError."""
    found = Walked()
    with path.open("rb") as file:
        place, line = 0, file.readline()
        while line.endswith(b"\n"):
            found, place = _next(found, line[:-1], place), place + len(line)
            if found.fault is not None:
                return found
            line = file.readline()
    return found if not line else _but(found, torn=True)


def _next(found: Walked, line: bytes, place: int) -> Walked:
    number = found.last.number + 1 if found.last else 1
    try:
        checkpoint = parsed(line)
        require_follows(checkpoint, number, found.last.digest if found.last else FIRST)
    except CheckpointError as error:
        return _but(found, fault=(number, str(error)))
    signed = found.any_signed or checkpoint.is_signed
    if checkpoint.kind is Kind.CHECKPOINT:
        return Walked(checkpoint, found.begun, found.since, signed)
    since = place if checkpoint.begins else found.since
    return Walked(checkpoint, (*found.begun, checkpoint), since, signed)


def _but(found: Walked, torn: bool = False, fault: tuple[int, str] | None = None) -> Walked:
    return Walked(found.last, found.begun, found.since, found.any_signed, torn, fault)


def newest(path: Path, fits: Callable[[Checkpoint], bool], since: int = 0) -> Checkpoint | None:
    """The newest line from that place on that fits, where all lines up to one fit and none behind it.

    Halves the file by bytes: a file of years takes some thirty looks. Raises OSError, CheckpointError.
    """
    with path.open("rb") as file:
        low, high, best = since, file.seek(0, os.SEEK_END), None
        while low < high:
            middle = (low + high) // 2
            start, line = _line_from(file, low, middle)
            if line is None or start >= high:
                high = middle
            elif fits(found := parsed(line)):
                best, low = found, start + len(line) + 1
            else:
                high = middle
    return best


def _line_from(file: BinaryIO, low: int, place: int) -> tuple[int, bytes | None]:
    """The first whole line that begins at `place` or behind it; `low` begins one."""
    file.seek(place)
    if place > low:
        file.seek(place - 1)
        file.readline()
    start = file.tell()
    line = file.readline()
    return start, line[:-1] if line.endswith(b"\n") else None
