"""A meeting point for concurrent requests, so that a test's race is a race every time.

Where the option `meet_before_save` is N, each write waits between its checks and its save until N
of them are there. Alone it goes on after `PATIENCE_S`. Without the option it does nothing.
"""

from __future__ import annotations

import threading

from tests.targets import options

PATIENCE_S = 10.0

_here = threading.Condition()
_arrived = 0


def wait() -> None:
    """Return once this and N - 1 other threads have called."""
    global _arrived  # noqa: PLW0603 - one counter for the threads of one server process
    writers = int(options.get("meet_before_save", 1))
    if writers < 2:
        return
    with _here:
        _arrived += 1
        complete = -(-_arrived // writers) * writers
        _here.notify_all()
        _here.wait_for(lambda: _arrived >= complete, timeout=PATIENCE_S)
