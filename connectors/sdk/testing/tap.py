"""What stands between a connector and its reference server: passes on, writes down, misbehaves on demand.

The `Host` of a request is passed on as it came, so that absolute links in answers lead back here. A second
origin, `elsewhere`, is there to be led to: it answers 200 and an empty object, and writes down who came.
Each connection has a thread; `calm` ends all of them, and those of an earlier check never touch a later one.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import urlsplit

from connectors.sdk.testing.exchange import JSON_TYPE, Answer, Request, read_request

LOOPBACK = "127.0.0.1"
UPSTREAM_S = 10.0  # seconds that the reference server may take
LONGEST_S = 10.0  # seconds that anything hangs
NO_LINGER = struct.pack("ii", 1, 0)  # close sends RST instead of FIN
TLS_RECORD = b"\x16"  # how a handshake begins
NO_TLS = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
NOT_PASSED_ON = frozenset({"connection", "content-length", "transfer-encoding"})

Which = Callable[[Request], bool]


def reads(request: Request) -> bool:
    return not request.is_write


def writes(request: Request) -> bool:
    return request.is_write


def everything(request: Request) -> bool:
    return not request.elsewhere


class Turn:
    """One request in the hands of a fault. Belongs to the thread of its connection."""

    def __init__(self, tap: Tap, request: Request, connection: socket.socket, over: threading.Event) -> None:
        self.request = request
        self.goes_on = True  # whether the connection takes another request
        self._tap = tap
        self._connection = connection
        self._over = over

    def forward(self) -> Answer:
        """Let the reference server do it."""
        self.request.forwarded = True
        return self._tap.upstream(self.request)

    def read_instead(self) -> Answer:
        """What the reference server answers to a GET of the same address: nothing is changed."""
        return self._tap.upstream(replace(self.request, method="GET", body=b""))

    def answer(self, answer: Answer) -> None:
        self.request.status = answer.status
        self.send(answer.raw(headless=self.request.method == "HEAD"))

    def send(self, content: bytes) -> None:
        """Raises `OSError` when the client has left."""
        self._connection.sendall(content)

    def trickle(self, content: bytes, pause_s: float) -> None:
        """Byte by byte; ends with the client or the check."""
        for position in range(len(content)):
            if self._over.wait(pause_s):
                break
            self.send(content[position : position + 1])
        self.close()

    def wait(self) -> None:
        """Say nothing until the check is over."""
        self._over.wait(LONGEST_S)
        self.close()

    def close(self) -> None:
        self.goes_on = False
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        self.goes_on = False
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        os.close(self._connection.detach())


Fault = Callable[[Turn], None]


@dataclass(slots=True)
class Rule:
    which: Which
    fault: Fault
    left: int | None  # None: for ever


class Tap:
    """`server_url` is the reference server's base URL; `url` what the connector is given instead."""

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        self._server = parts.netloc
        self._path = parts.path
        self.wrote = True  # whether a write was passed on since somebody said no
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._requests: list[Request] = []
        self._open: set[socket.socket] = set()
        self._over = threading.Event()
        self._here = socket.create_server((LOOPBACK, 0))
        self._there = socket.create_server((LOOPBACK, 0))
        self._closed = socket.socket()  # bound but never listening: every connection is refused
        self._closed.bind((LOOPBACK, 0))

    def __enter__(self) -> Self:
        for listener in (self._here, self._there):
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in (self._here, self._there, self._closed):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.calm()

    @property
    def url(self) -> str:
        return _origin(self._here) + self._path

    @property
    def origin(self) -> str:
        return _origin(self._here)

    @property
    def elsewhere(self) -> str:
        """The other origin."""
        return _origin(self._there)

    @property
    def refusing(self) -> str:
        """An origin where nobody listens."""
        return _origin(self._closed) + self._path

    def calm(self) -> None:
        """Nothing is wrong and nothing was asked; whoever still waits is let go."""
        self.requests()
        with self._lock:
            self._over.set()
            self._over = threading.Event()
            self._rules.clear()
            self._requests = []
            open_now, self._open = self._open, set()
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def misbehave(self, fault: Fault, which: Which = everything, times: int | None = None) -> None:
        """Spoil the next `times` requests of this kind, None: all; the rule made first goes first."""
        with self._lock:
            self._rules.append(Rule(which, fault, times))

    def behave(self) -> None:
        """Take all faults back."""
        with self._lock:
            self._rules.clear()

    def requests(self) -> list[Request]:
        """All since `calm`, in order of arrival; waits until the server is done with each."""
        with self._lock:
            known = list(self._requests)
        for request in known:
            if request.forwarded:
                request.over.wait(UPSTREAM_S)
        return known

    def upstream(self, request: Request) -> Answer:
        """What the reference server answers; 502 where it is not there."""
        self.wrote = self.wrote or request.is_write
        connection = http.client.HTTPConnection(self._server, timeout=UPSTREAM_S)
        try:
            return _asked(connection, request)
        except (OSError, http.client.HTTPException) as error:
            said = f'{{"detail": "the reference server failed: {type(error).__name__}"}}'
            return Answer(502, {"Content-Type": JSON_TYPE}, said.encode())
        finally:
            connection.close()
            request.over.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                over, journal = self._over, self._requests
            serving = _Serving(self, connection, over, journal, elsewhere=listener is self._there)
            threading.Thread(target=serving.run, daemon=True).start()

    def taken(self, request: Request, journal: list[Request]) -> Fault:
        """Write a request down and say what to do with it."""
        with self._lock:
            journal.append(request)
            for rule in self._rules:
                if rule.left != 0 and rule.which(request):
                    rule.left = None if rule.left is None else rule.left - 1
                    return rule.fault
        return _elsewhere if request.elsewhere else _passed_on

    def forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.close()


class _Serving:
    """One connection, from its first request to its end."""

    def __init__(
        self,
        tap: Tap,
        connection: socket.socket,
        over: threading.Event,
        journal: list[Request],
        *,
        elsewhere: bool,
    ) -> None:
        self._tap = tap
        self._connection = connection
        self._over = over
        self._journal = journal
        self._elsewhere = elsewhere

    def run(self) -> None:
        connection = self._connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if connection.recv(1, socket.MSG_PEEK) == TLS_RECORD:
                connection.sendall(NO_TLS)
                return
            with connection.makefile("rb") as stream:
                while not self._over.is_set() and self._served(stream):
                    pass
        except (OSError, ValueError):  # the client left, or speaks no HTTP: its own affair
            pass
        finally:
            self._tap.forget(connection)

    def _served(self, stream: BinaryIO) -> bool:
        request = read_request(stream)
        if request is None or self._over.is_set():
            return False
        request.elsewhere = self._elsewhere
        turn = Turn(self._tap, request, self._connection, self._over)
        try:
            self._tap.taken(request, self._journal)(turn)
        finally:
            request.over.set()
        return turn.goes_on


def _passed_on(turn: Turn) -> None:
    turn.answer(turn.forward())


def _elsewhere(turn: Turn) -> None:
    turn.answer(Answer(200, {"Content-Type": JSON_TYPE}, b"{}"))


def _origin(listener: socket.socket) -> str:
    return f"http://{LOOPBACK}:{listener.getsockname()[1]}"


def _asked(connection: http.client.HTTPConnection, request: Request) -> Answer:
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        if name not in NOT_PASSED_ON:
            connection.putheader(name, value)
    if request.body or request.is_write:
        connection.putheader("Content-Length", str(len(request.body)))
    connection.putheader("Connection", "close")
    connection.endheaders(request.body or None)
    response = connection.getresponse()
    return Answer(response.status, dict(response.getheaders()), response.read())
