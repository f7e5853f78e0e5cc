"""A server made of a plain socket: answers byte by byte, half, never, or not at all.

One thread accepts, one more serves each connection; everything ends with the `with` block.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

TRICKLE_LIMIT = 300  # bytes: a client without a deadline fails its test and does not hang
Script = Callable[[socket.socket, threading.Event], None]


class Wires:
    """`script` runs for each request, with an event that says that the test is over."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.requests: list[bytes] = []
        self.accepted = 0
        self._script = script
        self._tls = tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._threads[0].start()

    def stop(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for conn in self._open:
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        for conn in self._open:
            conn.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.append(conn.dup())
            thread = threading.Thread(target=self._serve, args=(conn,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError):
            conn.settimeout(5)
            served = self._tls.wrap_socket(conn, server_side=True) if self._tls else conn
            with served:
                while request := read_request(served):
                    self.requests.append(request)
                    self._script(served, self._over)


@contextlib.contextmanager
def wires(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Wires]:
    server = Wires(script, tls)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def read_request(conn: socket.socket) -> bytes:
    """One whole request, head and body; empty at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = conn.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            while len(body) < int(value):
                body += conn.recv(65536)
    return head + b"\r\n\r\n" + body


def reset(conn: socket.socket) -> None:
    """RST instead of FIN."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def answer(body: bytes, status: str = "200 OK", head: str = "Content-Type: application/json\r\n") -> bytes:
    return f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def saying(data: bytes) -> Script:
    """Send this and close the connection."""

    def script(conn: socket.socket, _over: threading.Event) -> None:
        conn.sendall(data)
        conn.shutdown(socket.SHUT_RDWR)

    return script


def keeping(data: bytes) -> Script:
    """Send this and keep the connection."""

    def script(conn: socket.socket, _over: threading.Event) -> None:
        conn.sendall(data)

    return script


def trickling(data: bytes, first: int, pause_s: float = 0.02) -> Script:
    """`first` bytes at once, the others one by one, over and over, until the client or the test gives up."""

    def script(conn: socket.socket, over: threading.Event) -> None:
        conn.sendall(data[:first])
        rest = data[first:]
        for position in range(TRICKLE_LIMIT):
            if over.wait(pause_s):
                return
            conn.sendall(rest[position % len(rest) :][:1])

    return script


def silent(conn: socket.socket, over: threading.Event) -> None:
    """Read the request and say nothing."""
    del conn
    over.wait(60)


def resetting(conn: socket.socket, _over: threading.Event) -> None:
    """Read the request and reset the connection."""
    reset(conn)
