"""One request and one answer as they cross the tap, and their bytes. Pure but for reading a stream."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

from connectors.sdk.model import Json

JSON_TYPE = "application/json"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
MOST_HEADERS = 100


@dataclass(slots=True)
class Request:
    """What a client asked. `status` is what it was answered, None where no whole status line left."""

    method: str
    target: str  # path and query as sent
    headers: Mapping[str, str]  # by lower-case name
    body: bytes
    elsewhere: bool = False  # it came to the other origin
    forwarded: bool = False  # the reference server has seen it
    status: int | None = None
    over: threading.Event = field(default_factory=threading.Event)  # set once nothing more happens to it

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def is_write(self) -> bool:
        return self.method not in SAFE

    def json(self) -> Json:
        return cast("Json", json.loads(self.body)) if self.body else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers, without what frames it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def json(self) -> Json:
        """The parsed body; None where it is no JSON."""
        try:
            return cast("Json", json.loads(self.body))
        except ValueError:
            return None

    def raw(self, *, headless: bool = False) -> bytes:
        """The whole answer; to a HEAD and as a 204 without its body."""
        bare = headless or self.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        body = b"" if bare else self.body
        return self.head(f"Content-Length: {len(body)}") + body

    def head(self, framing: str) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in FRAMING]
        return "\r\n".join([*lines, framing, "", ""]).encode("latin-1")


def read_request(stream: BinaryIO) -> Request | None:
    """One whole request; None at the end of the connection."""
    words = stream.readline().decode("latin-1").split()
    if len(words) < 2:  # noqa: PLR2004  # a method and a target
        return None
    headers = _headers(stream)
    return Request(words[0], words[1], headers, _body(stream, headers))


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MOST_HEADERS):
        line = stream.readline().decode("latin-1").strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return stream.read(int(headers.get("content-length") or 0))
    pieces: list[bytes] = []
    while size := int(stream.readline().split(b";")[0] or b"0", 16):
        pieces.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(pieces)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
