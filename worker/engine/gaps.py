"""Gaps: numbers of a source's `sequence` that never came, of sources that publish to the broker.

The broker is outside the promise that no event is lost; so what it lost is at least told. A number is
noted in the transaction that stores its event, whichever way it came: sending it again closes the gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from connectors.sdk.model import Json
from worker.domain.event import Event
from worker.engine.rows import Entry

GAP_ALARM = "sequence_gap"
STREAM = "intake"
LARGEST = (1 << 63) - 1  # what a row can hold; a larger number is no count of events


@dataclass(frozen=True, slots=True)
class Gap:
    """From the first to the last number that is missing."""

    source: str
    first: int
    last: int
    noticed_at: float


class Sequences(Protocol):
    """The numbers that came, as the highest of each source and the gaps below it."""

    def note(self, source: str, numbers: Iterable[int], now: float) -> tuple[list[Gap], list[Gap]]:
        """They came: gaps that opened by that, and gaps that were closed or shortened."""

    def older(self, before: float) -> list[Gap]:
        """Gaps that were noticed before then, by source and number."""

    def give_up(self, before: float) -> list[Gap]:
        """Forget those that were noticed before then; which these were."""


class Telling(Protocol):
    """What of a transaction is needed here."""

    @property
    def now(self) -> float: ...
    @property
    def sequences(self) -> Sequences: ...
    def audit(self, entry: Entry) -> None: ...


def note(tx: Telling, events: Iterable[Event]) -> None:
    """These events were stored for the first time; their sources count them."""
    numbers: dict[str, list[int]] = {}
    for event in events:
        number = int(event.order[2:] or "0")
        if number <= LARGEST:
            numbers.setdefault(event.source, []).append(number)
    for source, came in sorted(numbers.items()):
        opened, closed = tx.sequences.note(source, came, tx.now)
        for gap in opened:
            tx.audit(_entry("opened", gap))
        for gap in closed:
            tx.audit(_entry("closed", gap))


def told(gaps: list[Gap]) -> str:
    """In words, for the alarm."""
    missing = sum(gap.last - gap.first + 1 for gap in gaps)
    sources = ", ".join(sorted({gap.source for gap in gaps}))
    return (
        f"{missing} numbers of `sequence` never came from {sources}, the first is {gaps[0].first}: "
        "have these events sent again"
    )


def given_up(gap: Gap) -> Entry:
    return _entry("given_up", gap)


def _entry(word: str, gap: Gap) -> Entry:
    facts: dict[str, Json] = {"source": gap.source, "first": gap.first, "last": gap.last}
    return Entry(STREAM, f"sequence:gap:{word}", "hirewire", facts)
