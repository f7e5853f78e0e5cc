"""How a route is described: what it answers, and which problems it may answer instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from worker.api import problems

_RETRY: Final = {"retry-after": "Seconds after which to ask again."}
HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"www-authenticate": "Bearer."},
    429: _RETRY,
    503: _RETRY,
}
_LOOKING: Final = (401, 403, 422, 429, 503)
_ACTING: Final = (*_LOOKING, 400, 409, 413)

Responses = dict[int | str, dict[str, Any]]


def looking(model: type[BaseModel], *more: int) -> Responses:
    """Of a route that only looks; `more`: problems beside the usual ones."""
    return _with(200, model, (*_LOOKING, *more))


def acting(model: type[BaseModel], *more: int, status: int = 200) -> Responses:
    """Of a route that takes a body."""
    return _with(status, model, (*_ACTING, *more))


def _with(status: int, model: type[BaseModel], refusals: tuple[int, ...]) -> Responses:
    return {status: {"model": model}, **problems.declared(*refusals, headers=HEADERS)}
