"""One request over the wire under a deadline: what came back, or which failure it was. Decides nothing.

Safe from many threads. An expired deadline is a failure whatever came back: after its socket was shut,
`requests` may return as if all was well. Opens nothing until the first request; a forked child gets
a session of its own, so that two processes never talk over one connection.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import requests
import urllib3.exceptions

from connectors.sdk.answers import Failure
from connectors.sdk.contract import Timeouts
from connectors.sdk.deadline import Guard
from connectors.sdk.failures import failure_of
from connectors.sdk.transport import PlainSession, guarded

MAX_BODY: Final = 4 * 1024 * 1024  # bytes
SHORTEST_S: Final = 0.001  # urllib3 refuses a timeout of 0
HTTP_ERRORS: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Received:
    """`headers` answers to lower-case names. `status` without `body` and with a failure: it was cut."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: Failure | None = None
    detail: str = ""


class Wire:
    def __init__(self, timeouts: Timeouts, pool_size: int, *, verify: bool | str) -> None:
        self._timeouts = timeouts
        self._verify = verify
        self._pool_size = pool_size
        self._sessions: dict[int, PlainSession] = {}  # by process id

    def send(self, request: requests.PreparedRequest, left_s: float) -> Received:
        """One exchange of at most `left_s` seconds."""
        guard = Guard(left_s)
        received = self._guarded(request, guard, left_s)
        if not guard.expired:
            return received
        failure = Failure.LOST if guard.sent else Failure.UNSENT
        return Received(
            received.status, received.headers, failure=failure, detail=f"not complete within {left_s:.3g} s"
        )

    def _guarded(self, request: requests.PreparedRequest, guard: Guard, left_s: float) -> Received:
        status: int | None = None
        headers: Mapping[str, str] = {}
        try:
            with guarded(guard):
                response = self._open(request, left_s)
                status, headers = response.status_code, response.headers
                body = response.raw.read(MAX_BODY + 1, decode_content=True)
                if len(body) <= MAX_BODY:
                    return Received(status, headers, body)
                response.raw.close()
        except HTTP_ERRORS as error:
            failure, detail = failure_of(error, sent=guard.sent)
            return Received(status, headers, failure=failure, detail=detail)
        return Received(
            status, headers, failure=Failure.OVERSIZE, detail=f"the answer is longer than {MAX_BODY} bytes"
        )

    def _open(self, request: requests.PreparedRequest, left_s: float) -> requests.Response:
        left_s = max(left_s, SHORTEST_S)
        timeouts = min(self._timeouts.connect_s, left_s), min(self._timeouts.read_s, left_s)
        return self._session().send(
            request, stream=True, timeout=timeouts, verify=self._verify, proxies={}, allow_redirects=False
        )

    def _session(self) -> PlainSession:
        mine = self._sessions.get(os.getpid())
        return mine or self._sessions.setdefault(os.getpid(), PlainSession(self._pool_size))
