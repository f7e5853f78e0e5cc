"""Whether the audit is what it was: its chains, and the checkpoints outside the database that anchor them.

`TAMPERED` is certain. `WHOLE` means that nothing sealed was changed, cut or chained anew, and that nothing
older than two intervals is unsealed. `UNANCHORED` means that the chains agree with themselves and with the
checkpoints there are, but a cut tail or a chain made anew cannot be excluded; the gaps say why.
Who sets back the database and the checkpoint file together to an older state is not found by either.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from connectors.sdk.text import instant
from worker.storage.checkpoint_file import Walked, newest, walk
from worker.storage.checkpoints import Checkpoint, Head, Kind, Seal, seal_of
from worker.storage.floors import Floor, all_floors, floor_of
from worker.storage.signing import Keys
from worker.storage.strand import DEPARTED, Break, Unsealed, Verified
from worker.storage.tables import audit
from worker.storage.verify import Ask, verify

STREAM = "checkpoints"  # what a break in the checkpoint file names as its stream
_INTERVALS = 2


class Verdict(enum.StrEnum):
    WHOLE = "whole"
    TAMPERED = "tampered"
    UNANCHORED = "unanchored"


@dataclass(frozen=True, slots=True)
class Book:
    """What the checkpoints say, and how far they can be believed. `floors` are all that they tell of."""

    last: Checkpoint | None = None
    since: int = 0
    breaks: tuple[Break, ...] = ()
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    floors: AbstractSet[tuple[str, Head]] = frozenset()

    @property
    def sealed(self) -> Mapping[str, Head]:
        return self.last.streams if self.last else {}


@dataclass(frozen=True, slots=True)
class Report:
    """`notes` are lines that operators wrote into the checkpoints: beginnings and restored databases."""

    records: int
    streams: int
    breaks: tuple[Break, ...]
    gaps: tuple[str, ...]
    notes: tuple[str, ...]
    last: Checkpoint | None

    @property
    def verdict(self) -> Verdict:
        if self.breaks:
            return Verdict.TAMPERED
        return Verdict.UNANCHORED if self.gaps else Verdict.WHOLE


def read_book(path: Path, keys: Keys) -> Book:
    """Raises OSError where there is a file that cannot be read."""
    try:
        return book_of(walk(path), keys)
    except FileNotFoundError:
        return Book(gaps=(f"there is no checkpoint file {path}",))


def book_of(walked: Walked, keys: Keys) -> Book:
    breaks = tuple(Break(STREAM, number, reason) for number, reason in _faults(walked, keys))
    notes = tuple(_note(line) for line in walked.begun)
    if walked.torn:
        notes += ("the last line of the checkpoints is not finished: it does not count",)
    floors = frozenset(item for line in walked.begun for item in line.floors.items())
    return Book(walked.last, walked.since, breaks, tuple(_gaps(walked.last, keys)), notes, floors)


def _faults(walked: Walked, keys: Keys) -> list[tuple[int, str]]:
    found = [walked.fault] if walked.fault is not None else []
    last = walked.last
    if last is None:
        return found
    seal = seal_of(last, keys)
    if seal in (Seal.STRANGE, Seal.FORGED):
        found.append((last.number, seal.value))
    elif seal is Seal.MISSING and walked.any_signed:
        found.append((last.number, "is not signed, and lines before it are"))
    return found


def _gaps(last: Checkpoint | None, keys: Keys) -> list[str]:
    if last is None:
        return ["there is no checkpoint yet"]
    if not keys.trusted:
        return ["there is no key: who can write the checkpoint file can write it anew"]
    return [f"checkpoint {last.number} {Seal.MISSING.value}"] if not last.is_signed else []


def _note(line: Checkpoint) -> str:
    what = _said(line)
    said = (
        f"checkpoint {line.number} of {line.at}: {what}, says {line.facts.get('by')}: {line.facts.get('why')}"
    )
    moved = [
        f"{stream} {_size(before)} -> {line.streams[stream].size if stream in line.streams else 0}"
        for stream, before in _mapping(line.facts.get("before")).items()
        if _size(before) > (line.streams[stream].size if stream in line.streams else 0)
    ]
    return f"{said} ({', '.join(moved)})" if moved else said


def _said(line: Checkpoint) -> str:
    match line.kind:
        case Kind.ARCHIVED:
            floors = ", ".join(f"{stream} up to {head.size}" for stream, head in line.floors.items())
            return f"{line.facts.get('file')} has what was dropped ({floors})"
        case Kind.RESTORED:
            return "the database was set back"
        case _:
            return "checkpoints begin anew"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _size(head: object) -> int:
    return head[0] if isinstance(head, list) and head and isinstance(head[0], int) else 0


def audited(ask: Ask, path: Path, keys: Keys, now: Callable[[], float], every_s: float) -> Report:
    """Look at the checkpoints first and at the database after them, which has at least as much by then."""
    book = read_book(path, keys)
    found = verify(ask, book.sealed)
    floors = all_floors(ask)
    if any(_is_strange(floor, book) for floor in floors):  # or one was set while we looked
        book = replace(book, floors=read_book(path, keys).floors)
    strange = tuple(_strange(floors, book))
    if book.last is None:
        untold = (f"{item.stream}: {item.reason}" for item in strange)
        book, strange = replace(book, gaps=(*book.gaps, *untold)), ()
    narrowed = (_narrowed(item, ask, path, book) for item in found.breaks)
    found = replace(found, breaks=(*strange, *narrowed))
    late = now() - _INTERVALS * every_s
    return report(book, found, [item for item in found.unsealed if _is_older(item, late)])


def _is_strange(floor: Floor, book: Book) -> bool:
    return (floor.stream, floor.head) not in book.floors


def _strange(floors: Sequence[Floor], book: Book) -> Iterator[Break]:
    """Floors that nobody sealed: what they let go was never archived, as far as anybody knows."""
    below: dict[str, int] = {}
    for floor in floors:
        if _is_strange(floor, book):
            reason = f"the records up to {floor.head.size} were let go, and no checkpoint tells of an archive"
            yield Break(floor.stream, below.get(floor.stream, 0) + 1, reason)
        below[floor.stream] = floor.head.size


def report(book: Book, found: Verified, unsealed: list[Unsealed]) -> Report:
    gaps = book.gaps
    if book.last is not None:
        gaps += tuple(
            f"{item.stream}: no checkpoint covers its {item.records} records from {item.seq} on, "
            f"the first of {item.since}"
            for item in unsealed
        )
    return Report(found.records, found.streams, (*book.breaks, *found.breaks), gaps, book.notes, book.last)


def _is_older(item: Unsealed, late: float) -> bool:
    written = instant(item.since)
    return written is None or written.timestamp() < late


def _narrowed(item: Break, ask: Ask, path: Path, book: Book) -> Break:
    """Of a chain made anew: the first record that may be another, by the newest line that still fits."""
    if item.reason != DEPARTED:
        return item
    fitting = newest_fitting(ask, path, item.stream, book.since)
    first = fitting.streams[item.stream].size + 1 if fitting and item.stream in fitting.streams else 1
    return Break(item.stream, first, f"the chain was made anew from here or later, up to {item.seq}")


def newest_fitting(ask: Ask, path: Path, stream: str, since: int) -> Checkpoint | None:
    """The newest line that the database still agrees with about a stream; None where none does."""

    def fits(line: Checkpoint) -> bool:
        head = line.streams.get(stream)
        return head is None or _holds(ask, stream, head)

    return newest(path, fits, since) or newest(path, fits)


def _holds(ask: Ask, stream: str, head: Head) -> bool:
    """Below a floor nothing is left to disagree with; the floor itself is checked by its own line."""
    floor = floor_of(ask, stream)
    if floor is not None and head.size <= floor.size:
        return head.size < floor.size or head == floor
    place = sa.and_(audit.c.stream == stream, audit.c.seq == head.size)
    rows = ask(sa.select(audit.c.hash).where(place))
    return bool(rows) and rows[0][0] == head.hash
