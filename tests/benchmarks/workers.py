"""Two workers against one, at 20 ms.

A worker works on as many shards as there are, so a second one brings a second shard. Each has few threads for
a shard: what is measured is what working together costs, not how many cores this machine has.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.benchmarks.patches import SLOW_S, burst
from tests.benchmarks.sides import Hirewire, Remote, Size
from tests.benchmarks.stage import Stage

SCENARIO = "workers at 20 ms"
ONE, TWO, RATIO = "one worker", "two workers", "two by one"
_THREADS = 4
_PEOPLE = 5_000
_WARM = 100
_MOST_S = 1 / SLOW_S  # one thread's PATCHes a second, at most


def play(stage: Stage) -> None:
    sizes = {ONE: Size(_THREADS, 1, 1), TWO: Size(_THREADS, 2, 2)}
    with ExitStack() as opened:
        opened.callback(stage.target.delay, 0)
        places = {who: opened.enter_context(_place(stage, size)) for who, size in sizes.items()}
        stage.target.delay(SLOW_S)
        for hirewire in places.values():
            burst(stage, hirewire, _WARM)
        for number in range(1, stage.rounds + 1):
            speeds = {}
            for who, hirewire in places.items():
                events = int(_THREADS * sizes[who].shards * _MOST_S * stage.seconds)
                figures = burst(stage, hirewire, events)
                speeds[who] = figures["through_per_s"]
                stage.note(SCENARIO, who, number, figures)
            stage.note(SCENARIO, RATIO, number, {"ratio": speeds[TWO] / speeds[ONE]})


def _place(stage: Stage, size: Size) -> Hirewire:
    remote = Remote("awx", stage.target.port, size.threads * size.shards)
    return Hirewire(stage, _PEOPLE, [remote], size)
