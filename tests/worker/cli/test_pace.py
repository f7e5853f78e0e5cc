"""Rate and rest of what goes on for a while."""

from __future__ import annotations

from worker.cli.pace import Pace, pace_words


def test_before_anything_is_done_nothing_is_promised() -> None:
    pace = Pace()
    assert pace.rate() is None
    for at in (0.0, 1.0):
        pace.add(at, 0)
    assert (pace.rate(), pace.left_s(10)) == (None, None)


def test_the_rate_is_that_of_the_last_while() -> None:
    """What went slowly in the beginning is forgotten."""
    pace = Pace(window_s=10.0)
    for at, done in ((0.0, 0), (100.0, 10), (105.0, 60), (110.0, 110)):
        pace.add(at, done)
    assert (pace.rate(), pace.left_s(50)) == (10.0, 5.0)


def test_what_is_slow_is_told_by_the_minute_and_what_is_long_in_hours() -> None:
    assert pace_words(12.3, 40.2) == ", 12/s, 40 s left"
    assert pace_words(0.5, 600) == ", 30/min, 10 min left"
    assert pace_words(1.0, 9_000) == ", 1/s, 2.5 h left"
