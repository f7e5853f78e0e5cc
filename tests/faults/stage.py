"""Two threads of the engine, led through one interleaving: the one stops where the test says.

A `Stage` is a reporter (`tests.faults.moments`). It holds the first thread that comes to its moment until
`release`; others pass. Everything that a thread raises is kept and shown by `curtain`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

LIMIT_S = 60.0


class Stage:
    def __init__(self, moment: str) -> None:
        self._moment = moment
        self._lock = threading.Lock()
        self._taken = False
        self.held = threading.Event()
        self._go = threading.Event()
        self._threads: list[threading.Thread] = []
        self._raised: list[BaseException] = []

    def __call__(self, moment: str) -> None:
        if moment != self._moment:
            return
        with self._lock:
            mine, self._taken = not self._taken, True
        if mine:
            self.held.set()
            assert self._go.wait(LIMIT_S), f"nobody released {moment}"

    def enter(self, work: Callable[[], Any]) -> threading.Thread:
        """Start the work in a thread of its own."""
        thread = threading.Thread(target=self._perform, args=(work,))
        self._threads.append(thread)
        thread.start()
        return thread

    def _perform(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by `curtain`
            self._raised.append(error)

    def release(self) -> None:
        self._go.set()

    def curtain(self) -> None:
        """Let everybody finish; fail if anybody failed."""
        self.release()
        for thread in self._threads:
            thread.join(LIMIT_S)
            assert not thread.is_alive(), "two threads wait for each other"
        for error in self._raised:
            raise error
