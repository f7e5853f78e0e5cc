"""Bodies, read no further than they may be: the limit holds while reading, not after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request

from worker.api.problems import ProblemError

_KEPT = 4096  # of a line that is too long


class TooLargeError(ProblemError):
    """The rest of the body was not read."""


async def whole(request: Request, most: int, patience_s: float) -> bytes:
    """The body of at most `most` bytes. Raises ProblemError: 413, or 408 where it takes too long."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(patience_s):
            return await _gathered(request, most)
    except TimeoutError:
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time") from None


async def _gathered(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> ProblemError:
    return TooLargeError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"is longer than the limit of {most} bytes", "")


@dataclass(frozen=True, slots=True)
class Line:
    """Without its end and surrounding blanks. `too_long`: only its first bytes."""

    raw: bytes
    too_long: bool = False


class Splitter:
    """Lines from pieces of any size. Keeps at most `limit` bytes and one piece."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._too_long = False

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in this piece, those that are blank left out."""
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            self._add(piece[start:end])
            yield from self.end()
            start = end + 1
        self._add(piece[start:])

    def end(self) -> Iterator[Line]:
        """What is left: a last line without an end."""
        raw, too_long = bytes(self._rest.strip()), self._too_long
        self._rest, self._too_long = bytearray(), False
        if too_long or len(raw) > self._limit:
            yield Line(raw[:_KEPT], too_long=True)
        elif raw:
            yield Line(raw)

    def _add(self, part: bytes) -> None:
        if self._too_long:
            return
        self._rest += part
        if len(self._rest) > self._limit + _KEPT:  # blanks may surround the longest line
            del self._rest[_KEPT:]
            self._too_long = True


async def chunks(
    pieces: AsyncIterator[bytes], limit: int, events: int, most: int
) -> AsyncIterator[list[Line]]:
    """The lines of the pieces, so many at once; of long ones fewer, about `most` bytes. Empty: the end."""
    splitter = Splitter(limit)
    chunk: list[Line] = []
    size = 0
    async for piece in pieces:
        for line in splitter.feed(piece) if piece else splitter.end():
            chunk.append(line)
            size += len(line.raw)
            if len(chunk) >= events or size >= most:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk
