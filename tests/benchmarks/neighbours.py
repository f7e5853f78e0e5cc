"""Fast targets beside one that takes two seconds, and a target with a rate: what each is given.

The fast ones are measured alone and with the slow neighbour, in an installation each; every event is for all
targets. The rate is judged by the arrivals at the sink, in every window of ten seconds.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.latency import BOTH_AT
from tests.benchmarks.measures import percentile, windows
from tests.benchmarks.patches import wait_for
from tests.benchmarks.sides import Hirewire, Remote
from tests.benchmarks.stage import Stage, latencies, newest

SCENARIO, FOUR = "a slow neighbour", "three fast and a slow target"
ALONE, BESIDE = "fast alone", "fast beside slow"
RATED, RATE = "a rate limit", "40/s"
RATE_PER_S, IN_FLIGHT, WINDOW_S = 40, 4, 10.0
_SLOW_S = 2.0
_SLOW_IN_FLIGHT = 4
_PEOPLE = 5_000
_PATCHES = 1_000
_WARM = 100
_REST_S = 0.5
_FAST = "stream LIKE 'target:fast%'"


@dataclass(frozen=True, slots=True)
class _Place:
    hirewire: Hirewire
    fast: int  # so many PATCHes are made of an event


def play(stage: Stage) -> None:
    _beside(stage, SCENARIO, 1)


def four(stage: Stage) -> None:
    """On the two processes that a worker has for its two shards."""
    _beside(stage, FOUR, 3)


def _beside(stage: Stage, scenario: str, fast: int) -> None:
    slow = stage.another_target(f"slow beside {fast}")
    slow.delay(_SLOW_S)
    alone = [Remote(f"fast_{number}", stage.target.port) for number in range(1, fast + 1)]
    beside = [*alone, Remote("slow", slow.port, _SLOW_IN_FLIGHT)]
    with ExitStack() as opened:
        opened.callback(slow.program.stop)
        places = {
            who: _Place(opened.enter_context(Hirewire(stage, _PEOPLE, targets)), fast)
            for who, targets in ((ALONE, alone), (BESIDE, beside))
        }
        for place in places.values():
            _burst(stage, place, _WARM)
        for number in range(1, stage.rounds + 1):
            for who, place in places.items():
                figures = {**_burst(stage, place, _PATCHES // fast), **_paced(stage, place)}
                stage.note(scenario, who, number, figures)


def rated(stage: Stage) -> None:
    """One burst. Its last part is left out: where one shard is done before the other, it gets the half."""
    target = Remote("awx", stage.target.port, IN_FLIGHT, RATE_PER_S)
    with Hirewire(stage, 1_000, [target]) as hirewire:
        place = _Place(hirewire, 1)
        _burst(stage, place, IN_FLIGHT)
        stage.target.arrivals()
        _burst(stage, place, int(2 * WINDOW_S * RATE_PER_S))
        arrivals = sorted(stage.target.arrivals())
        least, most = windows(arrivals[: len(arrivals) * 3 // 4], WINDOW_S)
        figures = {"least_in_10_s": float(least), "most_in_10_s": float(most)}
        stage.note(RATED, RATE, 1, figures)


def _burst(stage: Stage, place: _Place, events: int) -> dict[str, float]:
    patches, before, began = events * place.fast, stage.target.patched(), time.monotonic()
    place.hirewire.feed(job="burst", events=events, batch=100)
    wait_for(stage, before + patches)
    return {"through_per_s": patches / (time.monotonic() - began)}


def _paced(stage: Stage, place: _Place) -> dict[str, float]:
    """As many PATCHes a second at the fast targets as the naive worker can hold."""
    time.sleep(_REST_S)  # the burst's last outcomes are written
    database, table = place.hirewire.told_in
    mark, before = newest(database, table), stage.target.patched()
    told = place.hirewire.feed(job="paced", rate=BOTH_AT / place.fast, seconds=stage.seconds)
    wait_for(stage, before + told["events"] * place.fast)
    time.sleep(_REST_S)
    took = latencies(database, table, mark, _FAST)
    return {f"p{percent}_ms": 1000 * percentile(took, percent) for percent in (50, 99)}
