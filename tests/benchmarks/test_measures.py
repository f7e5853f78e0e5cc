"""What the benchmarks compute from what they measured."""

from __future__ import annotations

from tests.benchmarks.measures import (
    Goal,
    Run,
    Spread,
    percentile,
    ratios,
    series,
    short,
    summary,
    table,
    windows,
)


def _run(who: str, number: int, speed: float) -> Run:
    return Run("patches", who, number, {"per_s": speed})


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], percent) for percent in (0, 25, 50, 51, 99, 100)] == [
        1.0,
        1.0,
        2.0,
        3.0,
        4.0,
        4.0,
    ]


def test_ratios_are_of_the_runs_beside_each_other() -> None:
    assert ratios([30.0, 10.0], [10.0, 5.0]) == [3.0, 2.0]


def test_a_spread_has_the_median_and_both_ends() -> None:
    assert Spread.of([5.0, 1.0, 2.0]) == Spread(2.0, 1.0, 5.0)


def test_a_goal_is_met_by_the_median() -> None:
    found = Spread(2.0, 1.0, 5.0)
    assert Goal.at_least("fast", 2, found).met
    assert not Goal.at_least("faster", 2.1, found).met
    assert Goal.at_most("slow", 2, found).met
    assert not Goal.at_most("slower", 1.9, found, "s").met


def test_a_series_is_in_the_order_of_the_rounds() -> None:
    runs = [_run("ours", 1, 4.0), _run("theirs", 1, 9.0), _run("ours", 2, 3.0)]
    assert series(runs, "patches", "ours", "per_s") == [4.0, 3.0]


def test_the_summary_has_one_line_for_each_figure() -> None:
    runs = [_run("ours", 1, 400.0), _run("ours", 2, 300.0), _run("theirs", 1, 9.0)]
    assert summary(runs) == [
        ["patches", "ours", "per_s", "350 (300 to 400)"],
        ["patches", "theirs", "per_s", "9.00 (9.00 to 9.00)"],
    ]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(["a", "long"], [["wide", "b"]]) == "a     long\nwide  b"


def test_figures_have_three_digits_that_count() -> None:
    assert [short(value) for value in (0, 0.01234, 1.234, 12.34, 123.4, 12345.6)] == [
        "0",
        "0.0123",
        "1.23",
        "12.3",
        "123",
        "12,346",
    ]


def test_the_fullest_window_begins_with_an_arrival_and_the_emptiest_just_behind_one() -> None:
    assert windows([0.0, 1.0, 2.0, 2.1, 2.2, 3.0, 4.0, 5.0], 1.0) == (1, 4)
