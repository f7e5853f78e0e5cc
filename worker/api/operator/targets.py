"""How it stands, which targets there are, and an operator's pause of one."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from connectors.sdk.model import Json
from worker.api.idempotency import Asked, KeyHeader
from worker.api.operator import answers
from worker.api.operator.access import Caller, CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import TargetPath, Why
from worker.api.operator.routing import acting, looking
from worker.domain.operator import Principal, Role
from worker.storage.freshness import target_states
from worker.views.status import look, status_json
from worker.views.targets import NEW, target_json

_NOT_FOUND = 404


class TargetRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        add, one = router.add_api_route, "/v1/targets/{target}"
        changed = acting(answers.Changed, _NOT_FOUND)
        add("/v1/status", self.status, response_model=None, responses=looking(answers.Status))
        add("/v1/targets", self.every, response_model=None, responses=looking(answers.Targets))
        add(one, self.one, response_model=None, responses=looking(answers.Target, _NOT_FOUND))
        add(f"{one}/pause", self.pause, methods=["POST"], response_model=None, responses=changed)
        add(f"{one}/resume", self.resume, methods=["POST"], response_model=None, responses=changed)

    def status(self, _: CallerOf) -> Response:
        """How it stands with every target, and what is open in all: `hirewire status --json`."""
        return JSONResponse(status_json(look(self._desk.parts.reader, self._desk.settings)))

    def every(self, _: CallerOf) -> Response:
        """The configured targets: `hirewire targets --json`."""
        return JSONResponse({"targets": [self._told(name) for name in sorted(self._desk.settings.targets)]})

    def one(self, target: TargetPath, _: CallerOf) -> Response:
        """One configured target."""
        self._desk.require_targets([target])
        return JSONResponse(self._told(target))

    def _told(self, name: str) -> dict[str, Json]:
        with self._desk.parts.reader.connect() as connection:
            states = target_states(connection)
        return target_json(name, self._desk.settings.targets[name], states.get(name, NEW))

    def pause(self, target: TargetPath, body: Why, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Send nothing to a target until it is resumed. Needs the role operator."""
        by, why = self._operator("pause", target, caller), body.why.strip()

        def act() -> dict[str, Json]:
            changed = self._desk.pausing.pause(target, by, why)
            return {"target": target, "state": "paused", "changed": changed}

        return self._desk.once.answer(Asked(by, key, f"/v1/targets/{target}/pause", body), 200, act)

    def resume(self, target: TargetPath, body: Why, caller: CallerOf, key: KeyHeader = None) -> Response:
        """End the pause of a target, an operator's or Hirewire's own. Needs the role operator."""
        by, why = self._operator("resume", target, caller), body.why.strip()

        def act() -> dict[str, Json]:
            changed = self._desk.pausing.resume(target, by, why)
            return {"target": target, "state": "active", "changed": changed}

        return self._desk.once.answer(Asked(by, key, f"/v1/targets/{target}/resume", body), 200, act)

    def _operator(self, word: str, target: str, caller: Caller) -> Principal:
        by = caller.acting(Role.OPERATOR, f"target:{word}:{target}", [target])
        self._desk.require_targets([target])
        return by
