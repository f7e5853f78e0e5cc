"""The connections under `requests`: each exchange hands its socket to its deadline.

`guarded(guard)` binds a guard to the calling thread for one exchange; the connection classes attach
the socket as soon as it exists (before the TLS handshake) and note when the first byte may have left.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from connectors.sdk.deadline import Guard, watchdog


class _Current(threading.local):
    guard: Guard | None = None


_current = _Current()


@contextlib.contextmanager
def guarded(guard: Guard) -> Iterator[None]:
    """The exchange of the calling thread runs under `guard` until the block ends."""
    keeper = watchdog()
    _current.guard = guard
    keeper.watch(guard)
    try:
        yield
    finally:
        _current.guard = None
        keeper.release(guard)


class GuardedHTTPConnection(HTTPConnection):
    """Shows its socket to the exchange's guard before anything is said over it."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        if _current.guard is not None:
            _current.guard.attach(sock)
        return sock

    def send(self, data: Any) -> None:  # noqa: ANN401  # http.client takes bytes, files and iterables
        if self.sock is None:
            self.connect()
        if _current.guard is not None:
            self._note_sending(_current.guard)
        super().send(data)

    def _note_sending(self, guard: Guard) -> None:
        if guard.sent:
            return
        if guard.expired:
            raise ConnectTimeoutError(self, "the deadline passed before anything was sent")
        guard.attach(self.sock)
        guard.sent = True


class GuardedHTTPSConnection(GuardedHTTPConnection, HTTPSConnection):
    """The same over TLS: the guard holds the TCP socket, the handshake included."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = GuardedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = GuardedHTTPSConnection


class GuardedAdapter(HTTPAdapter):
    """No retries of its own, one pool of `pool_size` connections."""

    def __init__(self, pool_size: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,
        **pool_kwargs: Any,  # noqa: ANN401  # requests' signature
    ) -> None:
        super().init_poolmanager(connections, maxsize, block=block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class PlainSession(requests.Session):
    """Takes nothing from the environment, keeps no cookies, follows and prepares no redirect."""

    def __init__(self, pool_size: int) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.mount("http://", GuardedAdapter(pool_size))
        self.mount("https://", GuardedAdapter(pool_size))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: asked for a target, `requests` would read the whole body of any length."""
