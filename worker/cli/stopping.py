"""One flag that a worker and all processes forked from it see.

A byte of shared memory, so that no lock is involved: a process killed while it looks at the flag, or waits
for it, cannot keep another from setting it, and setting it is safe in a signal handler.
"""

from __future__ import annotations

import mmap
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_S = 0.02


class SharedFlag:
    """See `worker.engine.ports.Stopping`. Made before the fork; never cleared."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 1)

    def set(self) -> None:
        self._page[0] = 1

    def is_set(self) -> bool:
        return self._page[0] == 1

    def wait(self, timeout: float) -> bool:
        """Until it is set, at most `timeout` seconds; whether it is set."""
        limit = time.monotonic() + timeout
        while not self.is_set() and (left := limit - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_S))
        return self.is_set()


@contextmanager
def stopped_by_ctrl_c() -> Iterator[SharedFlag]:
    """Within it Ctrl-C sets the flag and interrupts nothing: a page under way is finished."""
    stopping = SharedFlag()
    before = signal.signal(signal.SIGINT, lambda *_: stopping.set())
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)
