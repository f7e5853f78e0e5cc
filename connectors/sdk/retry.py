"""The one place that sends twice: a read that brought nothing, a write that provably never left.

At most 3 tries and 10 s in total with full jitter, on one thread; anything else is the engine's to
decide. What a target answered, whatever it was, is never asked for again here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential

from connectors.sdk.answers import Answer, Failure

TRIES = 3
TOTAL_S = 10.0
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 2.0


def never_left(answer: Answer) -> bool:
    """Safe to send again, even for a write."""
    return answer.failure is Failure.UNSENT


def brought_nothing(answer: Answer) -> bool:
    """Safe to send again for a read: not even a status came back."""
    return answer.exchange.status is None and answer.failure in {Failure.UNSENT, Failure.LOST}


def retried(
    send: Callable[[float], Answer],
    again: Callable[[Answer], bool],
    deadline_s: float,
    total_s: float = TOTAL_S,
) -> Answer:
    """`send(seconds it may take)` until `again` says no; the last answer."""
    started = time.monotonic()
    answer = send(deadline_s)
    if not again(answer):
        return answer  # the usual case pays for no machinery
    first = [answer]

    def attempt() -> Answer:
        left = total_s - (time.monotonic() - started)
        return first.pop() if first else send(min(deadline_s, left))

    policy = Retrying(
        stop=stop_after_attempt(TRIES) | stop_before_delay(total_s - (time.monotonic() - started)),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S),
        retry=retry_if_result(again),
        retry_error_callback=_last_answer,
    )
    return policy(attempt)


def _last_answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None  # noqa: S101  # tenacity calls this after an attempt
    answer: Answer = state.outcome.result()
    return answer
