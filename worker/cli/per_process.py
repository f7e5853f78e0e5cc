"""The runtime of whichever process asks: built once in each, at the first task, never carried over a fork."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Safe from every thread; a forked child builds its own and leaves its parent's alone."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._owner = 0
        self._built: T | None = None

    def __call__(self) -> T:
        with self._lock:
            if self._built is None or self._owner != os.getpid():
                self._built = self._build()
                self._owner = os.getpid()
            return self._built
