"""An overall deadline for an HTTP exchange, kept from outside the thread that waits.

`requests` has timeouts for each read only: headers trickled byte by byte pass any of them (measured).
One daemon thread per process, started with the first guard, shuts the socket of an exchange that is
over its time. The guard holds a duplicate of the socket, so that a TLS wrapper or a response that took
the original over, or a descriptor number used again, changes nothing. After a fork the child starts a
thread of its own. Safe from many threads; never raises into the exchange, never touches its data.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
import time


class Guard:
    """One exchange under a deadline. `expired` stays true: whatever came back is then worth nothing."""

    def __init__(self, seconds: float) -> None:
        self.expires_at = time.monotonic() + seconds
        self.sent = False  # whether a byte of the request may have left
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._expired = False

    @property
    def expired(self) -> bool:
        return self._expired or time.monotonic() >= self.expires_at

    def attach(self, sock: socket.socket) -> None:
        """Watch this connection; the first of an exchange counts."""
        with self._lock:
            if self._socket is None:
                self._socket = _duplicate(sock)
            if self._expired:
                _shut(self._socket)

    def expire(self) -> None:
        with self._lock:
            self._expired = True
            if self._socket is not None:
                _shut(self._socket)

    def close(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None


class Watchdog:
    """The thread that expires guards. Sleeps until the earliest deadline it knows of."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._guards: set[Guard] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def watch(self, guard: Guard) -> None:
        with self._changed:
            self._guards.add(guard)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="http-deadlines", daemon=True)
                self._thread.start()
            elif guard.expires_at < self._wakes_at:
                self._changed.notify()

    def release(self, guard: Guard) -> None:
        with self._changed:
            self._guards.discard(guard)
        guard.close()

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                self._expire_until(now)
                self._wakes_at = min((guard.expires_at for guard in self._guards), default=math.inf)
                self._changed.wait(None if math.isinf(self._wakes_at) else self._wakes_at - now)

    def _expire_until(self, now: float) -> None:
        over = [guard for guard in self._guards if guard.expires_at <= now]
        self._guards.difference_update(over)
        for guard in over:
            guard.expire()


_watchdogs: dict[int, Watchdog] = {}  # by process id: a forked child has none of its parent's threads


def watchdog() -> Watchdog:
    """The one watchdog of this process."""
    mine = _watchdogs.get(os.getpid())
    return mine if mine is not None else _watchdogs.setdefault(os.getpid(), Watchdog())


def _duplicate(sock: socket.socket) -> socket.socket:
    """A plain socket on a descriptor of its own, also where `sock` is TLS."""
    return socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        sock.shutdown(socket.SHUT_RDWR)
