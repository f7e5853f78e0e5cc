"""Events folded in memory, on top of a person as stored. Nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from worker.domain.event import Event
from worker.domain.identity import fold
from worker.engine.view_ports import Known, View

_AHEAD = 1 << 62  # above every row: an event that is not stored yet arrives last


@dataclass(frozen=True, slots=True)
class Fold:
    """What folding one event would do: changed, unchanged, superseded; or duplicate, refused, ahead."""

    row: int
    event: Event
    effect: str
    stored: bool
    changed: tuple[str, ...] = ()
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    """The person after the events, and what each of these did."""

    known: Known
    folds: tuple[Fold, ...] = ()


def folded_in(view: View, known: Known, said: Sequence[Event], tolerance_s: float) -> Grown:
    """The person after the events that wait for a fold, and after those that are `said`."""
    folds: list[Fold] = []
    for stored in view.waiting(known.identity.subject):
        known, one = _fold(known, stored.event, stored.row, stored=True)
        folds.append(one)
    for place, event in enumerate(said):
        known, one = _say(view, known, event, _AHEAD + place, tolerance_s)
        folds.append(one)
    return Grown(known, tuple(folds))


def _say(view: View, known: Known, event: Event, row: int, tolerance_s: float) -> tuple[Known, Fold]:
    before = view.body_hash(event.source, event.id)
    if before is not None:
        effect = "duplicate" if before == event.body_hash else "refused"
        return known, Fold(row, event, effect, stored=False)
    if event.time > view.now + tolerance_s:
        return known, Fold(row, event, "ahead", stored=False)
    return _fold(known, event, row, stored=False)


def _fold(known: Known, event: Event, row: int, *, stored: bool) -> tuple[Known, Fold]:
    done = fold(known.identity, event, row)
    effect = "changed" if done.changed else "superseded" if done.superseded else "unchanged"
    revision = done.identity.revision if done.changed else None
    one = Fold(row, event, effect, stored, done.changed, revision)
    return replace(known, identity=done.identity), one
