"""The target of every benchmark: AWX users in a process of its own, `python -m tests.benchmarks.sink`.

One thread on epoll, HTTP/1.1 with keep-alive: a PATCH is merged into the stored user, and the whole user is
the answer, after a delay that can be changed while it runs. Its first line is its port. Below `/bench/` it is
asked, without delay, how many PATCHes came and when, and told the delay.
"""

from __future__ import annotations

import heapq
import json
import select
import socket
import sys
import time
from typing import Any

from tests.benchmarks.listing_server import ADMIN, FIRST
from tests.benchmarks.people import shown

_USERS = "/api/v2/users/"
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_PLENTY = 262_144


class Users:
    """What the target holds. Users come into being when they are first asked for."""

    def __init__(self) -> None:
        self._users: dict[int, dict[str, Any]] = {}
        self.patched = 0
        self.arrivals: list[float] = []

    def answer(self, method: str, path: str, body: bytes) -> Any:
        """The JSON of the answer."""
        if path.startswith(_USERS) and (number := path[len(_USERS) : -1]).isdigit():
            user = self._user(int(number))
            if method == "PATCH":
                user.update(json.loads(body))
                self.patched += 1
                self.arrivals.append(time.monotonic())
            return user
        if path == "/api/v2/ping/":
            return {"version": "24.6.1", "ha": False}
        if path == "/api/v2/me/":
            return {"count": 1, "next": None, "previous": None, "results": [ADMIN]}
        return {"count": 0, "next": None, "previous": None, "results": []}

    def _user(self, number: int) -> dict[str, Any]:
        if number not in self._users:
            self._users[number] = shown(number - FIRST)
        return self._users[number]


class Sink:
    """The server. `delay_s` is kept for every answer, but for those below `/bench/`."""

    def __init__(self) -> None:
        self._users = Users()
        self._delay_s = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._epoll = select.epoll()
        self._connections: dict[int, socket.socket] = {}
        self._parts: dict[int, bytes] = {}
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._count = 0

    def serve(self) -> None:
        sys.stdout.write(f"{self._listener.getsockname()[1]}\n")
        sys.stdout.flush()
        door = self._listener.fileno()
        self._epoll.register(door, select.EPOLLIN)
        while True:
            for number, _ in self._epoll.poll(self._timeout()):
                if number == door:
                    self._open()
                else:
                    self._read(number)
            self._answer_due()

    def _timeout(self) -> float | None:
        return max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None

    def _open(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = connection
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, number: int) -> None:
        try:
            came = self._connections[number].recv(_PLENTY)
        except OSError:
            came = b""
        if not came:
            self._close(number)
            return
        data = self._parts.pop(number, b"") + came
        head, end, rest = data.partition(_END)
        if not end or len(rest) < (length := _body_length(head)):
            self._parts[number] = data
            return
        method, path, _ = head[: head.index(b"\r\n")].decode().split(" ", 2)
        self._take(number, method, path, rest[:length])

    def _take(self, number: int, method: str, path: str, body: bytes) -> None:
        if path.startswith("/bench/"):
            self._send(number, _packed(self._told(path)))
            return
        answer = _packed(self._users.answer(method, path, body))
        if self._delay_s == 0:
            self._send(number, answer)
            return
        self._count += 1
        heapq.heappush(self._waiting, (time.monotonic() + self._delay_s, self._count, number, answer))

    def _told(self, path: str) -> Any:
        what = path.split("/")[2:]
        if what[0] == "delay":
            self._delay_s = float(what[1])
        if what[0] == "arrivals":
            times, self._users.arrivals = self._users.arrivals, []
            return {"arrivals": times}
        return {"patched": self._users.patched, "delay_s": self._delay_s}

    def _answer_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, number, answer = heapq.heappop(self._waiting)
            self._send(number, answer)

    def _send(self, number: int, answer: bytes) -> None:
        """To a caller who may have hung up."""
        connection = self._connections.get(number)
        if connection is not None:
            try:
                connection.sendall(answer)
            except OSError:
                self._close(number)

    def _close(self, number: int) -> None:
        self._parts.pop(number, None)
        self._epoll.unregister(number)
        self._connections.pop(number).close()


def _body_length(head: bytes) -> int:
    lower = head.lower()
    place = lower.find(_LENGTH)
    return 0 if place < 0 else int(lower[place + len(_LENGTH) :].partition(b"\r\n")[0])


def _packed(answer: Any) -> bytes:
    body = json.dumps(answer, separators=(",", ":")).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


if __name__ == "__main__":
    Sink().serve()
