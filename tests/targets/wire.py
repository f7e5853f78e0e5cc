"""The bytes of one exchange: reading a request whole, and the ways in which an answer can go wrong.

Each function acts on one connection and is called from that connection's thread only.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import BinaryIO

HEADER_END = b"\r\n\r\n"
NO_LINGER = struct.pack("ii", 1, 0)  # close sends RST instead of FIN


def read_body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    """The whole body, by length or in chunks; nothing stays in the socket's buffer."""
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        return b"".join(_chunks(stream))
    return stream.read(int(headers.get("Content-Length") or 0))


def _chunks(stream: BinaryIO) -> list[bytes]:
    pieces: list[bytes] = []
    while size := int(stream.readline().split(b";")[0], 16):
        pieces.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():  # trailers
        pass
    return pieces


def answer(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """A canned answer, after which the connection closes. A 204 or 304 carries no body."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    fields = {"Content-Length": str(len(body)), "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode("latin-1") + body


def status_of(raw: bytes) -> int:
    return int(raw.split(b" ", 2)[1])


def cut_point(raw: bytes, at: str | int) -> int:
    """How many bytes of an answer arrive: inside the headers, half of the body, or a number."""
    end = raw.index(HEADER_END)
    if at == "headers":
        return raw.index(b"\r\n") + (end - raw.index(b"\r\n")) // 2
    if at == "body":
        start = end + len(HEADER_END)
        return start + (len(raw) - start) // 2
    return int(at)


def trickle(connection: socket.socket, raw: bytes, seconds: float) -> None:
    """Send byte by byte, evenly over `seconds`; a client that leaves ends it with an OSError."""
    started = time.monotonic()
    for index in range(len(raw)):
        due = started + seconds * index / len(raw)
        time.sleep(max(0.0, due - time.monotonic()))
        connection.sendall(raw[index : index + 1])


def reset(connection: socket.socket) -> None:
    """End the connection with RST. The request must have been read whole before."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    os.close(connection.detach())
