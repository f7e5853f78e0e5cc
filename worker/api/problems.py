"""Every answer that is not the one asked for: problem details (RFC 9457), with a JSON pointer of the place.

Endpoints raise `ProblemError`. What the framework refuses by itself, an unknown path or a parameter that does
not fit, gets the same form; nothing of what was sent is repeated. A defect of ours is 500, and tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from worker.domain.strict_json import Refusal, escape
from worker.engine.errors import BusyError

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
SCHEMA: Final = "Problem"
_BUSY_RETRY_S = 1


class Problem(BaseModel):
    """Problem details as RFC 9457 has them, and the place in what was sent."""

    type: str = Field("about:blank", description="The kind; about:blank: what the status says.")
    title: str = Field(description="The kind in words.")
    status: int
    detail: str | None = Field(None, description="This one in words.")
    pointer: str | None = Field(None, description="JSON pointer (RFC 6901) of the place; empty: the whole.")


class ProblemError(Exception):
    """An answer that is a problem."""

    def __init__(
        self, status: int, detail: str, pointer: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.pointer = pointer
        self.headers = dict(headers or {})


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def refused(refusal: Refusal, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> ProblemError:
    """A refusal of the domain as the answer to the whole request."""
    return ProblemError(status, refusal.reason, refusal.pointer)


def answer(
    status: int,
    detail: str | None = None,
    pointer: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> ProblemResponse:
    """`more` are extension members, beside those that every problem has."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, pointer=pointer)
    return ProblemResponse({**(more or {}), **problem.model_dump(exclude_none=True)}, status)


def declared(
    *statuses: int, headers: Mapping[int, Mapping[str, str]] | None = None
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for these problems. `headers`: status to header to what it says."""
    return {status: _declaration(status, (headers or {}).get(status, {})) for status in sorted(statuses)}


def _declaration(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    said = {name: {"description": words, "schema": {"type": "string"}} for name, words in headers.items()}
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{SCHEMA}"}}},
        "headers": said,
    }


def install(app: FastAPI) -> None:
    """Have every refusal and failure of this application answered in this form."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(BusyError, _away)
    app.add_exception_handler(DBAPIError, _away)
    app.add_exception_handler(PoolTimeoutError, _away)
    app.add_exception_handler(NoConnectionError, _away)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _defect)


def _problem(_: Request, error: Exception) -> ProblemResponse:
    if not isinstance(error, ProblemError):
        raise error
    response = answer(error.status, error.detail, error.pointer)
    response.headers.update(error.headers)
    return response


def _invalid(_: Request, error: Exception) -> ProblemResponse:
    """The first parameter or field that does not fit; never its value."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where, *path = first["loc"]
    if where != "body":
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where} parameter {path[0]}: {first['msg']}")
    places = [] if first["type"] == "json_invalid" else path
    pointer = "".join(f"/{escape(str(part))}" for part in places)
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, first["msg"], pointer)


def _framework(_: Request, error: Exception) -> ProblemResponse:
    if not isinstance(error, HTTPException):
        raise error
    response = answer(error.status_code)
    response.headers.update(error.headers or {})
    return response


def _away(_: Request, error: Exception) -> ProblemResponse:
    """Nothing was done, or it is not known what was: asking again is what helps, and is harmless."""
    log.warning("database_away", error=type(error).__name__)
    response = answer(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer now: try again")
    response.headers["retry-after"] = str(_BUSY_RETRY_S)
    return response


def _gone(_: Request, __: Exception) -> ProblemResponse:
    """Nobody reads it any more."""
    return answer(HTTPStatus.BAD_REQUEST, "the body ended before its end")


def _defect(_: Request, __: Exception) -> ProblemResponse:
    """The server writes the traceback to the log."""
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR)
