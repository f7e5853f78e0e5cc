"""Events that a plan is made for, and what is said about them."""

from __future__ import annotations

from dataclasses import dataclass, field

from worker.domain.event import Event
from worker.domain.strict_json import Refusal
from worker.engine.view_ports import Kept
from worker.views.moments import moment


@dataclass(slots=True)
class Said:
    """Subject to its events, in order; `notes` about them; `refused` lines; whether there were `more`."""

    events: dict[str, list[Event]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    more: bool = False


def refused_line(place: str, refusal: Refusal) -> str:
    """`place` is which event it was."""
    return f"{place}  {refusal.pointer or 'the whole event'}: {refusal.reason}"


def stored_line(kept: Kept, now: float) -> str:
    read = kept.stored.event
    name = f"event {read.id} from {read.source} about {read.subject}"
    if kept.fold_at is None:
        made = f"made revision {kept.revision}" if kept.revision is not None else str(kept.effect)
        return f"{name} was folded: {made}. What follows is planned from all that is known by now"
    if kept.fold_at > now:
        return f"{name} is kept until {moment(kept.fold_at)}: it is not in what follows"
    return f"{name} waits to be folded: it is in what follows"
