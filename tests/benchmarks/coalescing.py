"""How many PATCHes ten events about one person take: in one batch, and in turn with others."""

from __future__ import annotations

import time

from tests.benchmarks.rivals import Rivals
from tests.benchmarks.sides import Hirewire
from tests.benchmarks.stage import Stage

SCENARIO = "coalescing"
EACH = 10
_PEOPLE = 50
_REST_S = 2.0


def play(stage: Stage, rivals: Rivals) -> None:
    hirewire = rivals.hirewire()
    together = _patches(stage, hirewire, batch=EACH, each=EACH)
    stage.note(SCENARIO, "ten in one batch", 1, together)
    turns = _patches(stage, hirewire, batch=1, each=1)
    stage.note(SCENARIO, "round robin", 1, turns)


def _patches(stage: Stage, hirewire: Hirewire, batch: int, each: int) -> dict[str, float]:
    events, before = _PEOPLE * EACH, stage.target.patched()
    hirewire.feed(job="burst", events=events, batch=batch, each=each, people=_PEOPLE)
    patches = _settled(stage) - before
    return {"events": float(events), "patches": float(patches), "events_per_patch": events / patches}


def _settled(stage: Stage) -> int:
    """The sink's count once it has stood still for a while."""
    last = -1
    while (now := stage.target.patched()) != last:
        last = now
        time.sleep(_REST_S)
    return now
