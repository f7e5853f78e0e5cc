"""`/healthz`: this process lives. `/readyz`: what it needs is there, each thing told apart.

Both need no token and say nothing of people, targets or addresses. What is asked of the database and the
broker is asked at most once a second, however many ask us.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from worker.api.parts import Parts
from worker.api.recent import Recent
from worker.broker import redis_client
from worker.problems import BrokerMissingError
from worker.storage.head import is_current
from worker.storage.heartbeats import Program, Pulse, pulses

_KEEP_S = 1.0


class Alive(BaseModel):
    status: str


class Check(BaseModel):
    """`problem` says in words why it is not well. `alive`: programs with a recent heartbeat."""

    model_config = ConfigDict(extra="forbid")

    ok: bool
    problem: str | None = None
    alive: int | None = None
    heartbeat_age_s: float | None = None


class Readiness(BaseModel):
    """`status` is `ready` where every check is well, else `not_ready`."""

    model_config = ConfigDict(extra="forbid")

    status: str
    checks: dict[str, Check]


def router(settings: Settings, parts: Parts) -> APIRouter:
    found, routes = Recent(lambda: readiness(settings, parts), _KEEP_S), APIRouter(tags=["health"])

    def healthz() -> Response:
        """Tell that this process lives. Asks nobody."""
        return JSONResponse({"status": "ok"})

    def readyz() -> Response:
        """Whether database, broker, worker and beat are there; 503 where one is not, and which."""
        seen = found.get()
        status = HTTPStatus.OK if seen.status == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(seen.model_dump(exclude_none=True), status)

    said: dict[int | str, dict[str, object]] = {
        status: {"model": Readiness} for status in (HTTPStatus.OK.value, HTTPStatus.SERVICE_UNAVAILABLE.value)
    }
    routes.add_api_route("/healthz", healthz, response_model=None, responses={200: {"model": Alive}})
    routes.add_api_route("/readyz", readyz, response_model=None, responses=said)
    return routes


def readiness(settings: Settings, parts: Parts) -> Readiness:
    database, alive = _database(settings, parts)
    checks = {"database": database, "broker": _broker(settings)}
    checks |= {kind.value: _program(kind, alive) for kind in Program}
    well = all(check.ok for check in checks.values())
    return Readiness(status="ready" if well else "not_ready", checks=checks)


def _database(settings: Settings, parts: Parts) -> tuple[Check, Mapping[Program, Pulse] | None]:
    """And the heartbeats in it; None: they cannot be read."""
    try:
        if not is_current(parts.reader):
            return Check(ok=False, problem="the tables are not of this version"), None
        with parts.reader.connect() as connection:
            return Check(ok=True), pulses(connection, settings.engine.heartbeat_s)
    except SQLAlchemyError:
        return Check(ok=False, problem="it does not answer"), None


def _broker(settings: Settings) -> Check:
    try:
        with redis_client(settings) as client:
            client.ping()
    except (BrokerMissingError, RedisError):
        return Check(ok=False, problem="it does not answer")
    return Check(ok=True)


def _program(kind: Program, alive: Mapping[Program, Pulse] | None) -> Check:
    if alive is None:
        return Check(ok=False, problem="unknown: the database does not tell")
    pulse = alive[kind]
    problem = None if pulse.alive else "no recent heartbeat"
    return Check(ok=pulse.alive > 0, problem=problem, alive=pulse.alive, heartbeat_age_s=pulse.age_s)
