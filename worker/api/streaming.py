"""Streams of any length (NDJSON) in bounded memory: a chunk is read, stored, and its results are put aside.

The results lie in a file until the last line is stored: a client that sends everything before it reads
anything must not wait for us while we wait for it. A source that is too fast is read more slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from sqlalchemy.exc import DBAPIError

from worker.api.admission import Admission
from worker.api.committing import MOST
from worker.api.modes import Opener
from worker.api.problems import ProblemError
from worker.api.reading import Line
from worker.api.results import Result
from worker.api.taking import Taking, Threads
from worker.domain.strict_json import Refusal
from worker.engine.accept import Parcel
from worker.engine.errors import BusyError

CHUNK_EVENTS = MOST
CHUNK_BYTES = 1_048_576
_IN_MEMORY = 1_048_576  # of results; beyond it they go to a file
_PATIENCE_S = 60.0
_PIECE = 65_536


@dataclass(slots=True)
class Stream:
    """One request's. `taken` lines have been stored, or refused."""

    source: str
    taking: Taking
    folder: Path
    taken: int = 0
    results: IO[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.results = SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(self.folder))  # noqa: SIM115 - closed when sent

    def pieces(self) -> Iterator[bytes]:
        """All results, one in a line; closes them."""
        with self.results as results:
            results.seek(0)
            while piece := results.read(_PIECE):
                yield piece


class Streams:
    def __init__(self, opener: Opener, admission: Admission, threads: Threads) -> None:
        self._opener = opener
        self._admission = admission
        self._threads = threads

    async def take(self, stream: Stream, chunks: AsyncIterator[list[Line]]) -> None:
        """To its end. Raises ProblemError, which says how far it came."""
        try:
            async for chunk in chunks:
                await self._admitted(stream)
                await self._chunk(stream, chunk)
        except (BusyError, DBAPIError):
            raise _stopped(
                stream, HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer now"
            ) from None
        except OSError as error:
            raise _stopped(stream, HTTPStatus.INSUFFICIENT_STORAGE, f"results: {error.strerror}") from None

    async def _admitted(self, stream: Stream) -> None:
        limit = asyncio.get_running_loop().time() + _PATIENCE_S
        while wait := await self._admission.wait_s(stream.source):
            if asyncio.get_running_loop().time() > limit:
                raise _stopped(stream, HTTPStatus.TOO_MANY_REQUESTS, "too many events wait")
            await asyncio.sleep(min(wait, 1.0))

    async def _chunk(self, stream: Stream, chunk: list[Line]) -> None:
        parcels = await self._threads(lambda: [self._parcel(line) for line in chunk])
        self._admission.spend(stream.source, len(parcels))
        found = await stream.taking(parcels, stream.source)
        await self._threads(lambda: stream.results.write(b"".join(_line(result) for result in found)))
        stream.taken += len(chunk)

    def _parcel(self, line: Line) -> Parcel:
        if line.too_long:
            reason = f"is longer than the limit of {self._opener.limits.max_bytes} bytes"
            return Parcel(line.raw, refusal=Refusal("", reason))
        return self._opener.line(line.raw)


def _line(result: Result) -> bytes:
    return result.model_dump_json(exclude_none=True).encode() + b"\n"


def _stopped(stream: Stream, status: HTTPStatus, why: str) -> ProblemError:
    stream.results.close()
    detail = f"{why}; {stream.taken} events were taken in: send the rest again, or all of it"
    return ProblemError(status, detail, headers={"retry-after": "1"})
