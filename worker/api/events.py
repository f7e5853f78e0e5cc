"""`/v1/events`: HR systems send events, and ask where one of them is.

Order of every request: content type, proof of the sender or its form, how much the source may send, the body
as far as it may go, the signature, and only then a parser. 202 is said after the commit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from config.settings import Settings
from worker.api import description, reading
from worker.api.admission import Admission, Backlog
from worker.api.credentials import Credentials, DeniedError, Keyed, Signed, denial
from worker.api.modes import Mode, Opener, mode_of
from worker.api.parts import Parts
from worker.api.problems import ProblemError, answer, declared
from worker.api.refusals import Refusals
from worker.api.results import Result, Results, Status
from worker.api.streaming import CHUNK_BYTES, CHUNK_EVENTS, Stream, Streams
from worker.api.taking import Reviewing, Storing, Taking, Threads
from worker.api.traces import EventTrace, traced
from worker.domain.delivery import Unwrap
from worker.domain.strict_json import Limits, Refusal
from worker.engine.accept import Parcel
from worker.engine.tracing import Tracing
from worker.storage.view import SqlViewer

_RETRY = {"retry-after": "Seconds until it is worth trying again."}
_CHALLENGE = {"www-authenticate": "The scheme of an API key."}
_ANSWERS = declared(
    400,
    401,
    408,
    413,
    415,
    422,
    429,
    503,
    507,
    headers={401: _CHALLENGE, 429: _RETRY, 503: _RETRY, 507: _RETRY},
)
_STREAMED = {Mode.STREAM.value: {"schema": {"type": "string", "description": "One result on each line."}}}
Named = Annotated[str | None, Query(description="The source; an API key names its own.")]
Only = Annotated[
    Literal["only"] | None, Query(description="only: say what would become of it, store nothing.")
]


@dataclass(frozen=True, slots=True)
class Door:
    """What a request meets, in its order."""

    credentials: Credentials
    refusals: Refusals
    admission: Admission
    opener: Opener
    threads: Threads
    streams: Streams
    storing: Taking
    reviewing: Taking
    folder: Path
    body_s: float

    async def proven(self, request: Request, named: str | None, mode: Mode) -> tuple[str, bytes | None]:
        """The source, and the body where it had to be read for the proof. Raises ProblemError."""
        try:
            found = self.credentials.of(request.headers, named)
            if isinstance(found, Keyed):
                await self._admit(found.source)
                return found.source, None
            return found.source, await self._signed(request, found, mode)
        except DeniedError as denied:
            client = request.client.host if request.client else None
            error = denied
            await self.threads(lambda: self.refusals.note(error, client))
            raise denial() from None

    async def _signed(self, request: Request, signed: Signed, mode: Mode) -> bytes:
        most = self.opener.most if mode is Mode.STREAM else self.opener.most_bytes(mode)
        raw = await reading.whole(request, most, self.body_s)
        await self.threads(lambda: signed.verify(raw))
        if mode is Mode.BINARY:
            detail = "a signature does not cover ce- headers: send structured events, or use an API key"
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
        await self._admit(signed.source)
        return raw

    async def _admit(self, source: str) -> None:
        if wait := await self.admission.wait_s(source):
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "more events than this source may send now",
                headers={"retry-after": str(max(1, ceil(wait)))},
            )

    async def one_body(
        self, request: Request, source: str, raw: bytes | None, mode: Mode, taking: Taking
    ) -> list[Result]:
        """The results of a body that is held as a whole."""
        if mode is Mode.VENDOR and source not in self.opener.unwraps:
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "this source sends CloudEvents")
        try:
            body = (
                raw
                if raw is not None
                else await reading.whole(request, self.opener.most_bytes(mode), self.body_s)
            )
        except reading.TooLargeError as error:
            await taking([Parcel(b"", refusal=Refusal("", error.detail))], source)
            raise
        headers = request.headers
        parcels = await self.threads(lambda: self.opener.parcels(mode, body, headers, source))
        self.admission.spend(source, max(1, len(parcels)))
        return await taking(parcels, source)

    async def stream(self, request: Request, source: str, raw: bytes | None, taking: Taking) -> Response:
        stream = Stream(source, taking, self.folder)
        pieces = request.stream() if raw is None else _held(raw)
        lines = reading.chunks(pieces, self.opener.limits.max_bytes, CHUNK_EVENTS, CHUNK_BYTES)
        try:
            await self.streams.take(stream, lines)
        except BaseException:
            stream.results.close()
            raise
        status = HTTPStatus.ACCEPTED if taking is self.storing else HTTPStatus.OK
        return StreamingResponse(stream.pieces(), status, media_type=Mode.STREAM.value)


async def _held(raw: bytes) -> AsyncIterator[bytes]:
    yield raw
    yield b""


def router(settings: Settings, parts: Parts) -> APIRouter:
    door, viewer = _door(settings, parts), SqlViewer(parts.reader)
    tracing = Tracing(viewer, frozenset(settings.targets))
    routes = APIRouter(prefix="/v1", tags=["events"])

    @routes.post(
        "/events",
        status_code=HTTPStatus.ACCEPTED,
        response_model=Results,
        responses={
            200: {
                "model": Results,
                "description": "validate=only: nothing was stored.",
                "content": _STREAMED,
            },
            202: {"description": "Stored, but for the events that were refused.", "content": _STREAMED},
            **_ANSWERS,
        },
        openapi_extra=description.POST,
    )
    async def send(request: Request, source: Named = None, validate: Only = None) -> Response:
        """Take events. Each has a result; one that is refused keeps no other back. Sending again is harmless.

        202: what was accepted is on disk. 422: every event was refused; `results` has the reasons.
        """
        mode = mode_of(request.headers)
        proven, raw = await door.proven(request, source, mode)
        taking = door.reviewing if validate else door.storing
        if mode is Mode.STREAM:
            return await door.stream(request, proven, raw, taking)
        results = await door.one_body(request, proven, raw, mode, taking)
        return _answered(results, HTTPStatus.OK if validate else HTTPStatus.ACCEPTED)

    @routes.get(
        "/events/{event_id:path}",
        response_model=EventTrace,
        response_model_exclude_none=True,
        responses=declared(401, 404, 422, 503, headers={401: _CHALLENGE, 503: _RETRY}),
        openapi_extra=description.GET,
    )
    def where(request: Request, event_id: str, source: Named = None) -> EventTrace:
        """Where an event is: whether it was folded, and how it stands at each target. By API key only."""
        try:
            keyed = door.credentials.keyed(request.headers, source)
        except DeniedError as denied:
            door.refusals.note(denied, request.client.host if request.client else None)
            raise denial() from None
        trace = None if "\x00" in event_id else tracing.of(keyed.source, event_id)
        if trace is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "this source sent no such event")
        return traced(trace)

    return routes


def _door(settings: Settings, parts: Parts) -> Door:
    limits, api, threads = settings.intake, settings.api, Threads()
    unwraps = {
        name: Unwrap.compile(source.uri, source.delivery)
        for name, source in settings.sources.items()
        if source.delivery is not None
    }
    opener = Opener(
        Limits(limits.max_event_bytes, limits.max_depth, limits.max_keys, limits.max_string),
        max(api.max_body_bytes, limits.max_event_bytes),
        unwraps,
    )
    admission = Admission(api, Backlog(parts.reader, api.max_backlog, threads))
    return Door(
        credentials=Credentials(settings.sources),
        refusals=Refusals(parts.store, api.audited_refusals),
        admission=admission,
        opener=opener,
        threads=threads,
        streams=Streams(opener, admission, threads),
        storing=Storing(parts.intake, threads),
        reviewing=Reviewing(parts.intake, SqlViewer(parts.reader), threads),
        folder=settings.state_dir,
        body_s=api.body_s,
    )


def _answered(results: list[Result], status: HTTPStatus) -> Response:
    """One status for the whole: refused only where everything was."""
    body = Results(results=results).model_dump(mode="json", exclude_none=True)
    if status is HTTPStatus.OK or not results or any(one.status is Status.ACCEPTED for one in results):
        return JSONResponse(body, status)
    first = results[0] if len(results) == 1 else None
    detail, pointer = (first.detail, first.pointer) if first else ("every event was refused", None)
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, detail, pointer, body)
