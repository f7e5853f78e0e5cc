"""Scenarios that fail beside scenarios that do not."""

from __future__ import annotations

import time

from tests.benchmarks.budget import Cost
from tests.benchmarks.measures import Run
from tests.benchmarks.report import Result
from tests.benchmarks.rivals import Rivals
from tests.benchmarks.running import Running
from tests.benchmarks.scenarios import SCENARIOS, Scenario, costs
from tests.benchmarks.stage import Stage

SHORT = Cost(1, 0, 1)


def _scenario(name: str, problem: Exception | None = None) -> Scenario:
    def play(stage: Stage, _rivals: Rivals) -> None:
        stage.keep(name, "somebody", {"per_s": stage.seconds})
        if problem is not None:
            raise problem

    return Scenario(name, play, (name,))


def _stage() -> Stage:
    """Never entered: nothing is started."""
    return Stage(5, 1, ())


def test_a_scenario_that_fails_is_named_and_sinks_no_other() -> None:
    stage = _stage()
    running = Running(stage, {"bad": SHORT, "good": SHORT}, whole_s=100, wanted_s=5)
    running.play([_scenario("bad", RuntimeError("its worker ended")), _scenario("good")])
    assert [(one.scenario.name, one.why) for one in running.failed] == [
        ("bad", "RuntimeError: its worker ended")
    ]
    assert [run.scenario for run in stage.runs] == ["bad", "good"]
    goals = Result(stage.runs, running.failed, {}, 1).goals
    assert [(goal.name, goal.met) for goal in goals] == [("bad runs to its end", False)]


def test_a_scenario_without_time_left_is_left_out_and_named() -> None:
    stage = _stage()
    running = Running(stage, {"long": Cost(1000), "good": SHORT}, whole_s=100, wanted_s=5)
    running.play([_scenario("long"), _scenario("good")])
    assert [one.scenario.name for one in running.failed] == ["long"]
    assert "left out" in running.failed[0].why
    assert stage.runs[0].scenario == "good"


def test_a_scenario_that_does_not_end_is_given_up() -> None:
    stage = _stage()
    endless = Scenario("endless", lambda _stage, _rivals: time.sleep(600), ("endless",))
    running = Running(stage, {"endless": Cost(-9.9), "good": Cost(-9.9)}, whole_s=100, wanted_s=5)
    running.play([endless, _scenario("good")])
    assert "no end after" in running.failed[0].why
    assert [run.scenario for run in stage.runs] == ["good"]


def test_every_scenario_says_what_it_costs() -> None:
    assert {one.name for one in SCENARIOS} == set(costs((1_000, 10_000)))


def test_runs_are_kept_with_their_text() -> None:
    assert Run("s", "w", 1, {"a": 1.23456789}, ("x",)).as_json() == {
        "scenario": "s",
        "who": "w",
        "round": 1,
        "figures": {"a": 1.23457},
        "text": ["x"],
    }
