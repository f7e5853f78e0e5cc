"""An answer for anybody is made seldom, by one thread, and the others do not wait for it."""

from __future__ import annotations

import threading

import pytest

from tests.waiting import until
from worker.api.recent import Recent


def test_it_is_made_once_for_all_who_ask_within_its_time() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    recent = Recent(make, 60.0)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(recent.get())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (made, found) == ([0], [0] * 5)


def test_whoever_asks_while_another_is_made_has_the_one_before() -> None:
    going, on = threading.Event(), threading.Event()
    numbers = iter(range(3))

    def make() -> int:
        number = next(numbers)
        if number:
            going.set()
            on.wait(30)
        return number

    recent = Recent(make, 0.0)
    assert recent.get() == 0
    slow = threading.Thread(target=recent.get)
    slow.start()
    until(going.is_set, "another is being made")
    assert recent.get() == 0
    on.set()
    slow.join()


def test_a_failure_is_told_and_keeps_nobody_out() -> None:
    answers = iter([ValueError("away"), 1])

    def make() -> int:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    recent = Recent(make, 60.0)
    with pytest.raises(ValueError, match="away"):
        recent.get()
    assert recent.get() == 1
