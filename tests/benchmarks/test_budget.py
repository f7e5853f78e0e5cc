"""Time that is shared out among the scenarios."""

from __future__ import annotations

import pytest

from tests.benchmarks.budget import LEAST_S, Cost, affordable, fits, limit_s
from tests.benchmarks.scenarios import SIZES, costs

MEASURED, FIXED = Cost(10, 1, 4), Cost(30)


def test_a_measurement_lasts_as_long_as_was_wanted_where_there_is_time() -> None:
    assert affordable(1000, [MEASURED, FIXED], rounds=3, wanted_s=5) == 5


def test_what_is_left_is_shared_among_the_measurements_to_come() -> None:
    seconds = affordable(79, [MEASURED, FIXED], rounds=3, wanted_s=5)
    assert seconds == 3
    assert MEASURED.of(3, seconds) + FIXED.of(3, seconds) == 79


def test_a_measurement_is_never_shorter_than_the_least() -> None:
    assert affordable(0, [MEASURED], rounds=3, wanted_s=5) == LEAST_S
    assert affordable(0, [MEASURED], rounds=3, wanted_s=0.2) == 0.2


def test_a_scenario_that_cannot_end_in_time_is_left_out() -> None:
    assert fits(15, MEASURED)
    assert not fits(14.9, MEASURED)


def test_a_scenario_is_given_up_some_time_after_its_end_was_expected() -> None:
    assert limit_s(1000, FIXED, 3, 5) == 120
    assert limit_s(40, FIXED, 3, 5) == 40


def test_a_slow_machine_is_known_by_what_a_scenario_took() -> None:
    assert MEASURED.of(3, 5) == 73
    assert MEASURED.slowness(73, 3, 5) == 1
    assert MEASURED.slowness(99, 3, 5) == 3
    assert MEASURED.on(3).of(3, 5) == 99
    assert MEASURED.slowness(10, 3, 5) == 1


@pytest.mark.parametrize(("full", "rounds", "wanted_s", "limit"), [(False, 3, 5, 480), (True, 5, 15, 3600)])
def test_all_scenarios_fit_into_the_time_of_each_command(
    full: bool, rounds: int, wanted_s: float, limit: float
) -> None:
    everything = list(costs(SIZES[full]).values())
    seconds = affordable(limit, everything, rounds, wanted_s)
    assert seconds > LEAST_S
    assert sum(cost.of(rounds, seconds) for cost in everything) <= limit
