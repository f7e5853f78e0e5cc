"""How long each measurement may last, so that the whole ends in time. Pure.

What is left of the time is shared out anew before each scenario: on a slow machine, as the scenarios before
tell it, measurements get shorter, down to a least. A scenario for which not even that is left is left out,
and said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_S = 1.0
_PATIENCE = 3.0  # so many times as long as expected a scenario may take
_SPARE_S = 30.0
_SLOWEST = 10.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds to set a scenario up, those of each round beside its measurements, and how many these are."""

    fixed_s: float
    round_s: float = 0.0
    measurements: float = 0.0

    def of(self, rounds: int, seconds: float) -> float:
        """With so many rounds, each measurement as long as this."""
        return self.fixed_s + rounds * (self.round_s + self.measurements * seconds)

    def on(self, slowness: float) -> Cost:
        """On a machine that needs so many times as long for all but the measurements."""
        return Cost(self.fixed_s * slowness, self.round_s * slowness, self.measurements)

    def slowness(self, took_s: float, rounds: int, seconds: float) -> float:
        """Of the machine on which it took so long; at least 1."""
        measured = rounds * self.measurements * seconds
        return max(1.0, min(_SLOWEST, (took_s - measured) / self.of(rounds, 0)))


def affordable(left_s: float, costs: Sequence[Cost], rounds: int, wanted_s: float) -> float:
    """How long one measurement may last where all these scenarios are still to come."""
    fixed = sum(cost.of(rounds, 0) for cost in costs)
    measurements = rounds * sum(cost.measurements for cost in costs)
    share = (left_s - fixed) / measurements if measurements else wanted_s
    return max(min(LEAST_S, wanted_s), min(wanted_s, share))


def fits(left_s: float, cost: Cost) -> bool:
    """Whether at least its shortest form is possible."""
    return cost.of(1, LEAST_S) <= left_s


def limit_s(left_s: float, cost: Cost, rounds: int, seconds: float) -> float:
    """When a scenario that does not end is given up: before the time of everything is over."""
    return min(_PATIENCE * cost.of(rounds, seconds) + _SPARE_S, left_s)
