"""An audit to archive: a sealed one, its archiver, and what verification says with the archives beside it."""

from __future__ import annotations

from pathlib import Path

from connectors.sdk.text import instant
from tests.worker.storage.sealing import LATE_S, STREAM, Sealed, audit, but_public
from tests.worker.storage.world import rows
from worker.storage.anchoring import Report
from worker.storage.archive import Archived, Archiver
from worker.storage.archived import chained_archives, with_archives
from worker.storage.checkpoints import parsed
from worker.storage.floors import all_floors
from worker.storage.verify import in_short_reads

SECOND, LAST = 2, 3  # checkpoints of `thrice_sealed`, from 0: 8 and 12 records of the stream


def archiver(sealed: Sealed) -> Archiver:
    ask = in_short_reads(sealed.engine)
    return Archiver(sealed.engine, ask, sealed.store, sealed.sealer, sealed.path, but_public(sealed.keys))


def moment_of(sealed: Sealed, line: int) -> float:
    at = instant(parsed(sealed.lines()[line]).at)
    assert at is not None
    return at.timestamp()


def archive(sealed: Sealed, folder: Path, line: int = SECOND) -> Archived:
    """All that this checkpoint sealed."""
    return archiver(sealed).run(folder, moment_of(sealed, line), "operator:mia", "a year is over")


def seqs(sealed: Sealed, stream: str = STREAM) -> list[int]:
    return [row.seq for row in rows(sealed.engine, audit) if row.stream == stream]


def look_at_all(sealed: Sealed, folder: Path) -> Report:
    """What `hirewire audit verify --archives` says."""
    found = sealed.look(LATE_S)
    return with_archives(found, chained_archives(all_floors(in_short_reads(sealed.engine)), folder))
