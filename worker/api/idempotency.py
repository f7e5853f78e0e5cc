"""Requests that may come again: with an `Idempotency-Key` each is carried out once, and answered alike.

The same key with the same request within a day has the same answer; with another request it is refused;
while the first is at work, or where nobody knows what became of it, 409. Keys belong to who gives them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Header
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from connectors.sdk.model import Json
from worker.api import problems
from worker.api.problems import ProblemError
from worker.domain.operator import Principal
from worker.storage.idempotency import Begun, Name
from worker.storage.store import SqlStore

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="Of your choice: the same request with the same key is carried out once.",
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: by whom, under which key, what. `place` is the path with its parameters."""

    by: Principal
    key: str | None
    place: str
    body: BaseModel

    @property
    def hash(self) -> str:
        said = json.dumps([self.place, self.body.model_dump(mode="json")], sort_keys=True)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


class Once:
    """A key is remembered for `keep_s`."""

    def __init__(self, store: SqlStore, keep_s: float) -> None:
        self._store = store
        self._keep_s = keep_s

    def answer(self, asked: Asked, status: int, act: Callable[[], Mapping[str, Json]]) -> Response:
        """What `act` returns, with this status; or as the first was answered, and `act` is not called.

        A ProblemError of `act` is an answer too; after any other exception the request stays begun.
        """
        if asked.key is None:
            return JSONResponse(dict(act()), status)
        name = Name(asked.by.actor, asked.key)
        with self._store.begin() as tx:
            before = tx.requests.begin(name, asked.hash, self._keep_s)
        if before is not None:
            return _again(before, asked)
        code, media, body = _done(status, act)
        with self._store.begin() as tx:
            tx.requests.end(name, code, body)
        return Response(body, code, media_type=media)


def _done(status: int, act: Callable[[], Mapping[str, Json]]) -> tuple[int, str, str]:
    try:
        found = JSONResponse(dict(act()), status)
    except ProblemError as error:
        found = problems.answer(error.status, error.detail, error.pointer)
    return found.status_code, found.media_type or "", bytes(found.body).decode()


def _again(before: Begun, asked: Asked) -> Response:
    if before.request_hash != asked.hash:
        words = "this Idempotency-Key was given with another request"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, words)
    if before.status is None or before.body is None:
        words = "a request with this Idempotency-Key was begun and has no answer: look at what became of it"
        raise ProblemError(HTTPStatus.CONFLICT, words)
    media = problems.MEDIA_TYPE if before.status >= HTTPStatus.BAD_REQUEST else "application/json"
    return Response(before.body, before.status, media_type=media)
