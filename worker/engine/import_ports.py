"""What imports and replays ask of the rows: staged events, imported files, many people at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain.event import Event
from worker.domain.identity import Identity
from worker.engine.rows import Run, StoredEvent


@dataclass(frozen=True, slots=True)
class Staged:
    """One line of a file. `n` is its number; below 0 it is about somebody whom the file does not name.

    `body` is the event; None: the person was named, or missed, and nothing is said.
    """

    n: int
    subject: str
    event_id: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file of a source whose events were all accepted. `digest` is of its bytes and how they were read.

    `people` is 0 where it was not meant to tell of everybody.
    """

    run_id: int
    source: str
    digest: str
    as_of: float
    people: int
    complete: bool


class StagedEvents(Protocol):
    """What imports bring, until their runs were judged."""

    def add(self, run_id: int, rows: Sequence[Staged]) -> set[int]:
        """Keep them; the numbers of those whose event's id was not in the run before."""

    def count(self, run_id: int) -> tuple[int, int]:
        """Events of the file, and people whom it names."""

    def subjects(self, run_id: int, after: str, limit: int) -> list[str]:
        """The next people of whom something is said, in the order of their keys."""

    def of(self, run_id: int, subjects: Sequence[str]) -> list[Staged]:
        """All events about these people, in the order of the file."""

    def page(self, run_id: int, limit: int) -> list[Staged]:
        """The first rows that are left."""

    def drop(self, run_id: int, upto: int) -> int:
        """Forget the rows up to this number; how many there were."""

    def forget(self, run_id: int) -> None:
        """All of a run's."""

    def unnamed(self, run_id: int, after: int, limit: int) -> dict[int, Identity]:
        """By row, the next people whom the run's file does not name, under any of their numbers."""

    def open_runs(self) -> list[Run]:
        """Imports that are not over."""


class Snapshots(Protocol):
    """Files that were imported, and whom the last complete one of a source did not name."""

    def last(self, source: str) -> Snapshot | None:
        """The newest that was meant to tell of everybody."""

    def last_complete(self, source: str) -> Snapshot | None: ...

    def of_digest(self, source: str, digest: str) -> Snapshot | None:
        """The newest of the same file."""

    def record(self, snapshot: Snapshot, now: float) -> None: ...

    def absent(self, source: str, subjects: Sequence[str]) -> set[str]: ...

    def note(self, source: str, run_id: int, absent: AbstractSet[str], present: AbstractSet[str]) -> None: ...


class Crowd(Protocol):
    """Many people at once, read without locks."""

    def named(self, subjects: Sequence[str]) -> dict[str, tuple[int, Identity]]:
        """Subject to row and person, also by a number that they had before; unknown ones are left out."""

    def waiting(self, subjects: Sequence[str]) -> list[StoredEvent]:
        """Events about them that are stored and not folded yet, in the order of arrival."""

    def body_hashes(self, events: Sequence[Event]) -> Mapping[tuple[str, str], str]:
        """(source, id) to the body of those that are stored."""

    def spoken_of(self, selection: Mapping[str, Json], after: int, limit: int) -> dict[int, Identity]:
        """By row, the next people that a replay is about."""

    def more_wait_than(self, limit: int, now: float) -> bool:
        """Whether more events than that are due to be folded."""

    def admit(self, target_id: int, identity_ids: Sequence[int]) -> None:
        """Make the account rows that are missing at a target; nothing is due by that."""
