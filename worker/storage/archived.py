"""Archives and database as one chain: what a folder of archives says of the floors of a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from worker.storage.anchoring import Report
from worker.storage.archive_file import BOTTOM, Read, read_back
from worker.storage.checkpoints import Head
from worker.storage.export import ExportError
from worker.storage.floors import Floor
from worker.storage.strand import Break


@dataclass(frozen=True, slots=True)
class Archives:
    """What a folder says of the floors of a database. Without a break and a gap: one chain."""

    records: int
    breaks: tuple[Break, ...]
    gaps: tuple[str, ...]


def with_archives(found: Report, archives: Archives) -> Report:
    """The report of a database whose floors these archives stand below."""
    return replace(
        found,
        records=found.records + archives.records,
        breaks=(*found.breaks, *archives.breaks),
        gaps=(*found.gaps, *archives.gaps),
    )


@dataclass(frozen=True, slots=True)
class _Segment:
    """What one archive must have: its floors, and those below them."""

    file: str
    floors: list[Floor]
    below: dict[str, Head]


def chained_archives(floors: Sequence[Floor], folder: Path) -> Archives:
    """Every archive that the floors name, from the first record of each stream to its floor."""
    records, breaks, gaps = 0, list[Break](), list[str]()
    for segment in _segments(floors):
        try:
            found = read_back(folder / Path(segment.file).name, segment.below)
        except FileNotFoundError:
            gaps.append(f"the archive {segment.file} is not in {folder}: what was dropped is not looked at")
            continue
        except ExportError as error:
            breaks += [_break(floor, segment, f"{segment.file} {error}") for floor in segment.floors]
            continue
        records += found.records
        breaks += _breaks(found, segment)
    return Archives(records, tuple(breaks), tuple(gaps))


def _segments(floors: Sequence[Floor]) -> list[_Segment]:
    """By file, in the order of the first floor of each."""
    found: dict[str, _Segment] = {}
    below: dict[str, Head] = {}
    for floor in floors:
        segment = found.setdefault(floor.file, _Segment(floor.file, [], {}))
        segment.floors.append(floor)
        segment.below[floor.stream] = below.get(floor.stream, BOTTOM)
        below[floor.stream] = floor.head
    return list(found.values())


def _breaks(found: Read, segment: _Segment) -> Iterator[Break]:
    """A record that was changed has its place; what no record shows is a change of the file all the same."""
    at = {item.stream: item for item in found.breaks}
    for floor in segment.floors:
        fault = at.get(floor.stream)
        if fault is not None:
            yield Break(fault.stream, fault.seq, f"{segment.file}: {fault.reason}")
        elif found.ends.get(floor.stream) != floor.head:
            yield _break(floor, segment, f"{segment.file} does not lead to the floor at {floor.head.size}")
        elif found.sha256 != floor.sha256:
            yield _break(floor, segment, f"{segment.file} is not the file that was written")


def _break(floor: Floor, segment: _Segment, reason: str) -> Break:
    return Break(floor.stream, segment.below[floor.stream].size + 1, reason)
