"""Plays scenarios one after the other within a time: one that fails is told and sinks none of the others."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from tests.benchmarks.budget import Cost, affordable, fits, limit_s
from tests.benchmarks.rivals import Rivals
from tests.benchmarks.scenarios import Scenario
from tests.benchmarks.stage import Stage

_WORDS = 300


class OvertimeError(Exception):
    """A scenario that does not end."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A scenario without a result, and why."""

    scenario: Scenario
    why: str


class Running:
    """`whole_s`: all of it. `wanted_s`: one measurement, where there is time."""

    def __init__(self, stage: Stage, costs: Mapping[str, Cost], whole_s: float, wanted_s: float) -> None:
        self._stage = stage
        self._costs = costs
        self._whole_s = whole_s
        self._wanted_s = wanted_s
        self._rivals = Rivals(stage)
        self._slowness = 1.0
        self.failed: list[Failed] = []

    def play(self, scenarios: Sequence[Scenario]) -> None:
        stage = self._stage
        for place, scenario in enumerate(scenarios):
            left, cost = self._whole_s - stage.elapsed_s, self._cost(scenario)
            if not scenario.rivals:
                self._rivals.close()
            if not fits(left, cost):
                self._fail(scenario, f"left out: {left:.0f} s left")
                continue
            to_come = [self._cost(one) for one in scenarios[place:]]
            stage.seconds = affordable(left, to_come, stage.rounds, self._wanted_s)
            expected = cost.of(stage.rounds, stage.seconds)
            stage.say(
                f"[{place + 1}/{len(scenarios)}] {scenario.name}: about {expected:.0f} s,"
                f" {stage.rounds} rounds of {stage.seconds:.1f} s"
            )
            self._try(scenario, limit_s(left, cost, stage.rounds, stage.seconds))
        self._rivals.close()

    def _cost(self, scenario: Scenario) -> Cost:
        return self._costs[scenario.name].on(self._slowness)

    def _try(self, scenario: Scenario, limit: float) -> None:
        began = self._stage.elapsed_s
        try:
            with _at_most(limit):
                scenario.play(self._stage, self._rivals)
        except Exception as error:  # noqa: BLE001 - the others are measured all the same
            self._fail(scenario, f"{type(error).__name__}: {error}")
            self._rivals.close()
            if not isinstance(error, OvertimeError):
                return
        took = self._stage.elapsed_s - began
        self._stage.say(f"{scenario.name} took {took:.0f} s")
        cost = self._costs[scenario.name]
        self._slowness = cost.slowness(took, self._stage.rounds, self._stage.seconds)

    def _fail(self, scenario: Scenario, why: str) -> None:
        self.failed.append(Failed(scenario, why[:_WORDS]))
        self._stage.say(f"FAILED {scenario.name}: {why}")


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """OvertimeError within, wherever the main thread is."""

    def over(_number: int, _frame: FrameType | None) -> None:
        raise OvertimeError(f"no end after {seconds:.0f} s")

    former = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
