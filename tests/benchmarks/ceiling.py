"""How much the sink can do at most: sockets that send one fixed PATCH again and again, and parse nothing."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from tests.benchmarks.people import remote_id

_SOCKETS = 16
_BODY = b'{"last_name":"Ceiling"}'
_PLENTY = 65_536


def ceiling(port: int, seconds: float) -> float:
    """PATCHes a second from one process with many connections, all asked before any is read."""
    request = _request()
    with ExitStack() as opened:
        sockets = [
            opened.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(_SOCKETS)
        ]
        count, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            for one in sockets:
                one.sendall(request)
            for one in sockets:
                one.recv(_PLENTY)
            count += len(sockets)
        return count / (time.monotonic() - began)


def _request() -> bytes:
    head = (
        f"PATCH /api/v2/users/{remote_id(1)}/ HTTP/1.1\r\nHost: sink\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    return head.encode() + _BODY
