"""Every scenario in the order in which they are played, and what each costs in time.

The costs are those of two cores with nothing else to do, rounded up: on a busier machine measurements get
shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tests.benchmarks import (
    accepting,
    coalescing,
    footprint,
    growth,
    latency,
    neighbours,
    patches,
    reconciling,
    startup,
    workers,
)
from tests.benchmarks.budget import Cost
from tests.benchmarks.rivals import Rivals
from tests.benchmarks.stage import Stage

Play: TypeAlias = Callable[[Stage, Rivals], None]
SIZES = {False: (1_000, 10_000, 100_000), True: (1_000, 10_000, 100_000, 1_000_000)}
"""Accounts, by whether it is the full run."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`told`: the names under which its runs are kept. `rivals`: it goes on with who was started before."""

    name: str
    play: Play
    told: tuple[str, ...]
    rivals: bool = False


def _alone(play: Callable[[Stage], None]) -> Play:
    return lambda stage, _rivals: play(stage)


SCENARIOS = (
    Scenario("patches", patches.at_once, (patches.AT_ONCE,), rivals=True),
    Scenario("latency", latency.play, (latency.SCENARIO,), rivals=True),
    Scenario("coalescing", coalescing.play, (coalescing.SCENARIO,), rivals=True),
    Scenario("footprint", footprint.play, (footprint.SCENARIO,), rivals=True),
    Scenario("slow", patches.slow, (patches.SLOW,), rivals=True),
    Scenario("accepting", _alone(accepting.play), (accepting.SCENARIO,)),
    Scenario("workers", _alone(workers.play), (workers.SCENARIO,)),
    Scenario("neighbours", _alone(neighbours.play), (neighbours.SCENARIO,)),
    Scenario("four", _alone(neighbours.four), (neighbours.FOUR,)),
    Scenario("rate", _alone(neighbours.rated), (neighbours.RATED,)),
    Scenario("growth", _alone(growth.play), (growth.SCENARIO, growth.QUERIES)),
    Scenario("reconcile", _alone(reconciling.play), (reconciling.SCENARIO,)),
    Scenario("startup", _alone(startup.play), (startup.SCENARIO,)),
)


def costs(sizes: Sequence[int]) -> dict[str, Cost]:
    """By name."""
    return {
        "patches": Cost(20, 2, 4),
        "latency": Cost(4, 3, 4),
        "coalescing": Cost(20),
        "footprint": Cost(18),
        "slow": Cost(14, 2, 4),
        "accepting": Cost(10, 0, 3),
        "workers": Cost(12, 1, 2),
        "neighbours": Cost(14, 4, 2),
        "four": Cost(14, 4, 2),
        "rate": Cost(34),
        "growth": Cost(8 + 4 * len(sizes) + sum(sizes) / 6_000, 1.5 * len(sizes)),
        "reconcile": Cost(8 * len(sizes[:-1]) + sum(sizes[:-1]) / 1_500),
        "startup": Cost(22, 4),
    }
