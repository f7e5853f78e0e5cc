"""What is to be said of a run, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from worker.cli.output import moment
from worker.cli.pace import pace_words
from worker.engine.enrol_ports import ENROL
from worker.engine.rows import RunState
from worker.storage.run_looks import RunLook
from worker.storage.run_stories import RunStory
from worker.storage.run_tales import Tale
from worker.views.runs import average


def tale_line(tale: Tale) -> str:
    why = f": {tale.why}" if tale.why else ""
    return f"{moment(tale.at)}  {tale.word} by {tale.actor}{why}"


def progress_words(item: RunStory, seen: RunLook, now: float) -> str:
    """How far it is, and at its average pace how long the rest takes."""
    if seen.total is None:
        return f"{seen.judged} accounts judged so far" if seen.judged else "nothing is judged yet"
    rate, left_s = average(item, seen, now)
    words = f"done: {seen.done} of {seen.total}"
    words += f", {seen.stuck} wait for paused targets" if seen.stuck else ""
    open_ = seen.state in (RunState.RUNNING, RunState.DONE) and rate is not None and left_s is not None
    return words + pace_words(rate or 0.0, left_s or 0.0) if open_ else words


def ended_words(seen: RunLook, told: Sequence[Tale]) -> Iterator[str]:
    """Why a run ended otherwise than it was meant to; nothing where it did not."""
    if seen.state == RunState.HELD and seen.kind == ENROL:
        yield f"run {seen.id} is held: somebody else has to approve what it would link"
    elif seen.state == RunState.HELD:
        yield f"run {seen.id} is held: it would change too much; see `hirewire runs show {seen.id}`"
    elif seen.state == RunState.CANCELLED:
        yield _cancelled(seen, told)
    elif seen.state == RunState.FAILED:
        yield f"run {seen.id} failed; see `hirewire runs show {seen.id}`"
    elif seen.is_stuck:
        yield "the others wait for paused targets (`hirewire status`); they are read once those are resumed"


def _cancelled(seen: RunLook, told: Sequence[Tale]) -> str:
    last = next((tale for tale in reversed(told) if tale.word in ("cancelled", "superseded")), None)
    word = "cancelled" if last is None else last.word
    who = "" if last is None else f" by {last.actor}{f': {last.why}' if last.why else ''}"
    return f"run {seen.id} was {word}{who}; what it has made due already stays due: {seen.marked} accounts"
