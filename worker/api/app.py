"""The HTTP interface as one application: its routers, its form of refusals, its description.

`build` makes it; nothing is opened or read at import. Endpoints are plain functions, which FastAPI runs in
threads: what waits for the database never keeps others waiting. The description is at /openapi.json; there
are no pages that load scripts from elsewhere.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from config.settings import Settings
from worker.api import description, events, health, metrics, problems
from worker.api.operator.desk import build_desk
from worker.api.operator.router import router as operators
from worker.api.parts import Parts

TITLE = "Hirewire"


def build(settings: Settings, parts: Parts) -> FastAPI:
    """The application around these parts. Raises nothing that a request could cause."""
    app = FastAPI(
        title=TITLE,
        version=version("hirewire"),
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    problems.install(app)
    desk = build_desk(settings, parts)
    for router in (
        events.router(settings, parts),
        operators(desk),
        health.router(settings, parts),
        metrics.router(settings, parts, desk.access),
    ):
        app.include_router(router)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]  # FastAPI's own way to say more
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The description, made at the first request, with the schema that declared problems refer to."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = found.setdefault("components", {})
        components.setdefault("schemas", {})[problems.SCHEMA] = problems.Problem.model_json_schema()
        components.setdefault("securitySchemes", {}).update(description.SCHEMES)
        app.openapi_schema = found
    return app.openapi_schema
