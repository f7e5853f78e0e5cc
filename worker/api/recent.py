"""An answer that is made at most so often, however many ask: for what anybody may ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """`make` is called by one thread at a time; meanwhile the others get the answer before."""

    def __init__(self, make: Callable[[], T], keep_s: float) -> None:
        self._make = make
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._made: tuple[float, T] | None = None

    def get(self) -> T:
        """At most `keep_s` old, or as old as making another one takes. Raises what `make` raises."""
        before = self._made
        if before is not None and (self._is_fresh(before) or not self._lock.acquire(blocking=False)):
            return before[1]
        if before is None:
            self._lock.acquire()
        try:
            return self._made_anew()
        finally:
            self._lock.release()

    def _made_anew(self) -> T:
        found = self._made
        if found is None or not self._is_fresh(found):
            found = self._made = time.monotonic(), self._make()
        return found[1]

    def _is_fresh(self, found: tuple[float, T]) -> bool:
        return time.monotonic() - found[0] < self._keep_s
