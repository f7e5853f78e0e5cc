"""Doing a transaction again that the database itself asked to do again: a deadlock, a lock that did not come.

Only for work that reads all it needs within the transaction: nothing of the failed try is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random

from worker.engine.errors import BusyError

T = TypeVar("T")

_TRIES = 4
_PAUSE_S = 0.1  # at most, at random: two that met once do not meet in step again


@retry(
    retry=retry_if_exception_type(BusyError),
    wait=wait_random(0, _PAUSE_S),
    stop=stop_after_attempt(_TRIES),
    reraise=True,
)
def whole(work: Callable[[], T]) -> T:
    """The work's result. Raises `BusyError` when the database was busy each time."""
    return work()
