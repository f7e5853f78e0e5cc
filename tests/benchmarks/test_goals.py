"""Goals, judged by what was measured."""

from __future__ import annotations

from tests.benchmarks import growth, neighbours, reconciling
from tests.benchmarks.goals import judged
from tests.benchmarks.measures import Goal, Run, Spread
from tests.benchmarks.patches import AT_ONCE


def _patches(who: str, number: int, per_s: float, cpu: float) -> Run:
    return Run(AT_ONCE, who, number, {"per_s": per_s, "cpu_ms_each": cpu})


def test_hirewire_is_compared_with_the_better_naive_worker_of_the_same_round() -> None:
    runs = [
        *(_patches("hirewire", number, 1000, 1) for number in (1, 2)),
        *(_patches("naive-2", number, 100 * number, 8) for number in (1, 2)),
        *(_patches("naive-16", number, 150, 8) for number in (1, 2)),
        *(_patches("raw-2x1", number, 1000, 1) for number in (1, 2)),
    ]
    naive, raw, cost = judged(runs)
    assert naive.measured.startswith("5.83 (5.00 to 6.67) x")
    assert naive.met
    assert raw.met
    assert cost.met


def test_what_is_far_below_its_goal_is_called_a_defect() -> None:
    goal = Goal.at_least("fast", 5, Spread(2.0, 1.0, 5.0), defect=3)
    assert not goal.met
    assert goal.goal == ">= 5 x, below 3 x a defect"
    assert goal.measured.endswith("a DEFECT")
    assert "DEFECT" not in Goal.at_least("fast", 5, Spread(3.0, 1.0, 5.0), defect=3).measured


def test_a_hot_query_that_looks_at_many_rows_is_named() -> None:
    runs = [
        Run(growth.QUERIES, "accounts.claim", 1, {"rows_looked_at": 100}),
        Run(growth.QUERIES, "accounts.count", 1, {"rows_looked_at": 20_000}),
    ]
    (goal,) = judged(runs)
    assert not goal.met
    assert goal.measured == "1 of 2, accounts.count"


def test_each_size_of_a_reconciliation_is_compared_with_the_one_before() -> None:
    runs = [
        Run(reconciling.SCENARIO, "1 accounts", 1, {"peak_mb": 100, "accounts_per_s": 100}),
        Run(reconciling.SCENARIO, "2 accounts", 1, {"peak_mb": 310, "accounts_per_s": 50}),
    ]
    memory, linear = judged(runs)
    assert not memory.met
    assert linear.measured.startswith("2.00")


def test_a_slow_target_may_take_a_tenth_of_the_others() -> None:
    runs = [
        Run(neighbours.FOUR, neighbours.ALONE, 1, {"through_per_s": 100, "p99_ms": 10}),
        Run(neighbours.FOUR, neighbours.BESIDE, 1, {"through_per_s": 91, "p99_ms": 12}),
    ]
    assert [goal.met for goal in judged(runs)] == [True, False]


def test_a_scenario_that_did_not_run_has_no_goal() -> None:
    assert judged([]) == []
