"""What is sent again, how often and for how long."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from connectors.sdk.answers import Answer, Failure
from connectors.sdk.model import Exchange
from connectors.sdk.retry import FIRST_WAIT_S, TOTAL_S, brought_nothing, never_left, retried

UNSENT = Answer(Exchange("PATCH", "/"), failure=Failure.UNSENT)
LOST = Answer(Exchange("PATCH", "/"), failure=Failure.LOST)
CUT = Answer(Exchange("PATCH", "/", 200), failure=Failure.LOST)
DONE = Answer(Exchange("PATCH", "/", 200))
REFUSED = Answer(Exchange("PATCH", "/", 503))


class Target:
    """Answers in order; notes the seconds each try was given."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.given: list[float] = []

    def __call__(self, seconds: float) -> Answer:
        self.given.append(seconds)
        return self._answers.pop(0)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits asked for; none is waited."""
    asked: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=asked.append))
    return asked


@pytest.mark.parametrize(
    ("answer", "read_again", "write_again"),
    [
        (UNSENT, True, True),
        (LOST, True, False),
        (CUT, False, False),
        (DONE, False, False),
        (REFUSED, False, False),
    ],
)
def test_only_what_provably_never_left_is_written_again(
    answer: Answer, *, read_again: bool, write_again: bool
) -> None:
    assert (brought_nothing(answer), never_left(answer)) == (read_again, write_again)


def test_the_third_try_is_the_last(waits: list[float]) -> None:
    target = Target(UNSENT, UNSENT, UNSENT, DONE)
    assert retried(target, never_left, 20.0) is UNSENT
    assert len(target.given) == 3
    assert len(waits) == 2
    assert all(0 <= wait <= FIRST_WAIT_S * 2**n for n, wait in enumerate(waits))


def test_the_first_good_answer_ends_it() -> None:
    target = Target(UNSENT, DONE, UNSENT)
    assert retried(target, never_left, 20.0) is DONE
    assert len(target.given) == 2


def test_an_answer_that_may_not_be_repeated_ends_it(waits: list[float]) -> None:
    assert retried(Target(UNSENT, LOST), never_left, 20.0) is LOST
    assert retried(Target(LOST), never_left, 20.0) is LOST
    assert len(waits) == 1


def test_later_tries_get_only_what_is_left_of_ten_seconds() -> None:
    target = Target(UNSENT, UNSENT, DONE)
    retried(target, never_left, 20.0)
    assert target.given[0] == 20.0
    assert all(seconds <= TOTAL_S for seconds in target.given[1:])
    target = Target(UNSENT, DONE)
    retried(target, never_left, 2.0)
    assert target.given == [2.0, 2.0]


def test_after_its_total_time_there_is_no_further_try(waits: list[float]) -> None:
    tries: list[float] = []

    def slow(seconds: float) -> Answer:
        tries.append(seconds)
        threading.Event().wait(0.06)
        return UNSENT

    assert retried(slow, never_left, 20.0, total_s=0.05) is UNSENT
    assert len(tries) == 1
    assert waits == []
