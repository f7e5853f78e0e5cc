"""Who asks: the operator's token of each request, judged before anything else of it is read.

Every refusal is audited, as on the command line. Strangers may be many: of those without a token that we
know, `_STRANGERS` a minute are audited and answered, and the others told to come later, which is all that
they are worth. Known tokens are never turned away for what strangers do.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from worker.api.problems import ProblemError
from worker.domain.operator import Principal, Role
from worker.engine.errors import NotAllowedError, UnknownTokenError
from worker.engine.operators import Operators

BODY_LIMIT = 1_048_576
_STRANGERS = 30
_WINDOW_S = 60.0
_NOBODY = "http"
_CHALLENGE = {"www-authenticate": 'Bearer realm="hirewire"'}
_SCHEME = HTTPBearer(
    scheme_name="operator token", description="As `hirewire operator add` showed it.", auto_error=False
)


class Access:
    """Safe from several threads."""

    def __init__(self, operators: Operators) -> None:
        self._operators = operators
        self._strangers = Strangers()

    def principal(
        self, authorization: str | None, at_least: Role, what: str, at: Collection[str] | None = None
    ) -> Principal:
        """Raises ProblemError: 401 for nobody's token, 403 for one that does not suffice, 429 for a crowd."""
        token = _bearer(authorization)
        if self._strangers.are_too_many() and (token is None or not self._operators.knows(token)):
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too many requests without a valid token",
                headers={"retry-after": str(int(_WINDOW_S))},
            )
        try:
            if token is None:
                raise self._operators.refuse(_NOBODY, at_least, what, "this needs an operator's token")
            return self._operators.authenticate(token, at_least, what, at)
        except NotAllowedError as error:
            raise self._problem(error, token) from None

    def _problem(self, error: NotAllowedError, token: str | None) -> ProblemError:
        if token is not None and not isinstance(error, UnknownTokenError):
            return ProblemError(HTTPStatus.FORBIDDEN, str(error))
        self._strangers.note()
        return ProblemError(HTTPStatus.UNAUTHORIZED, str(error), headers=_CHALLENGE)


class Strangers:
    """How many came within the window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._came: deque[float] = deque(maxlen=_STRANGERS)

    def note(self) -> None:
        with self._lock:
            self._came.append(time.monotonic())

    def are_too_many(self) -> bool:
        with self._lock:
            full = len(self._came) == _STRANGERS
            return full and time.monotonic() - self._came[0] < _WINDOW_S


class Caller:
    """Who asks for this request, once its role and scope are known to suffice."""

    def __init__(self, access: Access, authorization: str | None) -> None:
        self._access = access
        self._authorization = authorization

    def acting(self, at_least: Role, what: str, at: Collection[str] | None = None) -> Principal:
        """`what` as the audit names it; `at`: the targets that it is done to, None: all."""
        return self._access.principal(self._authorization, at_least, what, at)


def _caller(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)],  # for the description
) -> Caller:
    found = request.state.caller
    if not isinstance(found, Caller):
        raise TypeError("only routes that are guarded have a caller")
    return found


CallerOf = Annotated[Caller, Depends(_caller)]


def guarded(access: Access) -> type[APIRoute]:
    """Routes that ask for a token that may look, before the body or any parameter is read."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()
            what = f"http:{self.path_format}"

            async def handle(request: Request) -> Response:
                authorization = request.headers.get("authorization")
                await run_in_threadpool(access.principal, authorization, Role.VIEWER, what)
                request.state.caller = Caller(access, authorization)
                return await answer(_bounded(request))

            return handle

    return Guarded


def _bounded(request: Request) -> Request:
    """The request, whose body ends it where it is too long."""
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > BODY_LIMIT:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return Request(request.scope, receive)


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
