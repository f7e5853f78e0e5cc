"""PATCHes a second: `requests` alone, the naive worker with 2 and 16 processes, Hirewire; round by round.

A burst of events is accepted first, while the workers already work. `per_s` counts from the last acceptance
to the last PATCH, `through_per_s` from the first acceptance on; `cpu_ms_each` is all processor time between,
of feeder, workers, database and broker, for one event. The sink's is in nobody's account.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.benchmarks.processes import cpu_s
from tests.benchmarks.rivals import PEOPLE, Rivals
from tests.benchmarks.sides import Side, Size, raw
from tests.benchmarks.stage import Stage

AT_ONCE = "patches at 0 ms"
SLOW = "patches at 20 ms"
SLOW_S = 0.02
_SPEED = "through_per_s"
_PROBE_S = 1.0
_LOOK_S = 0.02
_REST_S = 0.5
_LIMIT_S = 120.0


def burst(stage: Stage, side: Side, events: int) -> dict[str, float]:
    """So many events, each about somebody else, and what they cost."""
    began_at, before, began = stage.target.patched(), spent(stage, side), time.monotonic()
    side.feed(job="burst", events=events, batch=side.batch)
    fed, fed_at = time.monotonic(), stage.target.patched()
    wait_for(stage, began_at + events)
    ended = time.monotonic()
    time.sleep(_REST_S)
    after = spent(stage, side)
    cost = {f"cpu_ms_{name}": 1000 * (after[name] - before[name]) / events for name in after}
    left = began_at + events - fed_at
    figures = {
        "per_s": left / (ended - fed),
        "through_per_s": events / (ended - began),
        "cpu_ms_each": sum(cost.values()),
        "events": float(events),
        "requests_too_many": float(stage.target.patched() - began_at - events),
    }
    return {**figures, **cost}


def spent(stage: Stage, side: Side) -> dict[str, float]:
    """Processor seconds so far."""
    return {**cpu_s(side.programs), **stage.servers_cpu_s()}


def wait_for(stage: Stage, patched: int) -> None:
    limit = time.monotonic() + _LIMIT_S
    while stage.target.patched() < patched:
        if time.monotonic() > limit:
            raise RuntimeError(f"PATCHes are missing: {stage.target.patched()} of {patched}")
        time.sleep(_LOOK_S)


class Rounds:
    """The same competitors again and again; a burst is sized by what the last one brought."""

    def __init__(self, stage: Stage, scenario: str, sides: Sequence[Side], threads: Sequence[int]) -> None:
        self._stage = stage
        self._scenario = scenario
        self._sides = sides
        self._threads = threads
        self._speeds: dict[str, float] = {}

    def play(self) -> None:
        for side in self._sides:
            warm = burst(self._stage, side, 100)[_SPEED]
            self._speeds[side.name] = burst(self._stage, side, self._size(warm, _PROBE_S))[_SPEED]
        for number in range(1, self._stage.rounds + 1):
            for threads in self._threads:
                self._note(f"raw-2x{threads}", number, raw(self._stage, threads, self._stage.seconds))
            for side in self._sides:
                figures = burst(self._stage, side, self._size(self._speeds[side.name], self._stage.seconds))
                self._speeds[side.name] = figures[_SPEED]
                self._note(side.name, number, figures)

    def _size(self, per_s: float, seconds: float) -> int:
        return min(PEOPLE, max(100, int(per_s * seconds)))

    def _note(self, who: str, number: int, figures: dict[str, float]) -> None:
        self._stage.note(self._scenario, who, number, figures)


def at_once(stage: Stage, rivals: Rivals) -> None:
    """Against a target that answers at once."""
    stage.target.delay(0)
    Rounds(stage, AT_ONCE, [rivals.hirewire(), *rivals.naive()], [1]).play()


def slow(stage: Stage, rivals: Rivals) -> None:
    """Against one that takes 20 ms: as many threads as the configuration's comment says."""
    sides = [rivals.hirewire(Size(threads=50)), *rivals.naive()]
    stage.target.delay(SLOW_S)
    try:
        Rounds(stage, SLOW, sides, [16]).play()
    finally:
        stage.target.delay(0)
