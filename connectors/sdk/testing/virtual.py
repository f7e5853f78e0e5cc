"""A clock for the budget checks: what would be slept passes at once and is added up.

Inside `virtual_time` every `time.sleep` of this process returns at once, and `time.monotonic` and
`time.time` tell what they would tell had it slept. Waiting for a socket takes as long as it takes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

_monotonic, _time, _sleep = time.monotonic, time.time, time.sleep
_resolve = socket.getaddrinfo
MOST_S = 24 * 3600.0
MOST_SLEEPS = 200
NOWHERE = "http://nobody.invalid"


class VirtualClock:
    """Seconds since the block began: those that passed and those that were slept."""

    def __init__(self) -> None:
        self.slept = 0.0
        self._sleeps = 0
        self._began = _monotonic()
        self._lock = threading.Lock()

    @property
    def elapsed(self) -> float:
        return _monotonic() - self._began + self.slept

    def sleep(self, seconds: float) -> None:
        """Ends the check where a connector would wait for ever."""
        with self._lock:
            self.slept += max(0.0, seconds)
            self._sleeps += 1
        if self.slept > MOST_S or self._sleeps > MOST_SLEEPS:
            pytest.fail(f"the connector slept {self._sleeps} times, {self.slept:.0f} s in all", pytrace=False)
        _sleep(0)

    def monotonic(self) -> float:
        return _monotonic() + self.slept

    def time(self) -> float:
        return _time() + self.slept


@contextlib.contextmanager
def virtual_time() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    with (
        patch.object(time, "sleep", clock.sleep),
        patch.object(time, "monotonic", clock.monotonic),
        patch.object(time, "time", clock.time),
    ):
        yield clock


@contextlib.contextmanager
def watched(name: str, seen: Callable[[], None]) -> Iterator[None]:
    """Tell `seen` of each call of the function of `socket` with this name."""
    with watched_method(socket, name, seen):
        yield


@contextlib.contextmanager
def watched_method(owner: object, name: str, seen: Callable[[], None]) -> Iterator[None]:
    """Tell `seen` of each call of this function of a module, or method of a class."""
    function = getattr(owner, name)

    def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # whatever the standard library's takes
        seen()
        return function(*args, **kwargs)

    with patch.object(owner, name, called):
        yield


@contextlib.contextmanager
def nameless() -> Iterator[None]:
    """No name below `.invalid` resolves, without asking anybody (RFC 6761)."""

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # getaddrinfo's own
        if isinstance(host, str | bytes) and str(host).rstrip("'").endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return _resolve(host, *args, **kwargs)

    with patch.object(socket, "getaddrinfo", resolve):
        yield
