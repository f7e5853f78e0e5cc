"""The control API: seed a target, script its faults, read its journal and its rows.

Unauthenticated JSON for tests on loopback; it is answered before Django sees the request and is
never in the journal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.targets import options, wire
from tests.targets.faults import parse_rules, parse_weather

if TYPE_CHECKING:
    from tests.targets.server import TargetServer

PREFIX = "/__control__/"


class Control:
    def __init__(self, server: TargetServer) -> None:
        self._server = server
        self._routes = {
            ("POST", "reset"): self._reset,
            ("POST", "faults"): self._faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "weather"): self._weather,
            ("GET", "log"): lambda _: server.journal.snapshot(),
            ("GET", "counts"): lambda _: server.journal.counts(),
            ("GET", "users"): lambda _: server.world.rows(),
        }

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """A whole HTTP answer: 200, 400 with `error` for bad input, 404 for an unknown request."""
        route = self._routes.get((method, path.removeprefix(PREFIX).rstrip("/")))
        if route is None:
            return _json(404, {"error": f"{method} {path} is no control request"})
        try:
            return _json(200, route(json.loads(body) if body else None))
        except (ValueError, TypeError, KeyError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _reset(self, payload: Any) -> dict[str, int]:
        payload = payload or {}
        if not isinstance(payload, dict):
            raise TypeError("reset: an object is expected")
        self._server.epoch += 1
        self._server.plan.clear()
        options.replace(payload.get("options", {}))
        self._server.world.seed(payload)
        self._server.journal.clear()
        return {"users": len(self._server.world.rows())}

    def _faults(self, payload: Any) -> dict[str, int]:
        rules = parse_rules(payload)
        self._server.plan.extend(rules)
        return {"added": len(rules)}

    def _weather(self, payload: Any) -> dict[str, bool]:
        self._server.plan.change_weather(parse_weather(payload))
        return {"changed": True}

    def _clear_faults(self, _payload: Any) -> dict[str, bool]:
        self._server.plan.clear()
        return {"cleared": True}


def _json(status: int, value: Any) -> bytes:
    body = json.dumps(value, default=str).encode()
    return wire.answer(status, {"Content-Type": "application/json"}, body)
