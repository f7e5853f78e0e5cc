"""Runs: list, look at, ask for, approve and cancel them."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from connectors.sdk.model import Json
from worker.api.idempotency import Asked, KeyHeader
from worker.api.operator import answers
from worker.api.operator.access import CallerOf
from worker.api.operator.asking import AskedRun, Asking, Enrol, Reconcile, Replay, Resync
from worker.api.operator.desk import Desk
from worker.api.operator.params import Filter, RunPath, StateQuery, Why
from worker.api.operator.routing import acting, looking
from worker.api.paging import CursorParameter, LimitParameter, Listing
from worker.api.problems import ProblemError
from worker.domain.operator import Role
from worker.engine.errors import NotAllowedError
from worker.engine.reconciling import Policy
from worker.engine.rows import Run
from worker.storage import listings
from worker.storage.listings import Place
from worker.storage.queries import unknown_subjects
from worker.storage.run_stories import RunStory, one, waiting_for
from worker.views.runs import run_json

_ACCEPTED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 202, 403, 404, 409


class RunRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        add, run = router.add_api_route, "/v1/runs/{run}"
        asked = acting(answers.Run, _NOT_FOUND, status=_ACCEPTED)
        decided = acting(answers.Run, _NOT_FOUND)
        add("/v1/runs", self.every, response_model=None, responses=looking(answers.Runs))
        add(
            "/v1/runs",
            self.ask,
            methods=["POST"],
            status_code=_ACCEPTED,
            response_model=None,
            responses=asked,
        )
        add(run, self.one, response_model=None, responses=looking(answers.RunLook, _NOT_FOUND))
        add(f"{run}/approve", self.approve, methods=["POST"], response_model=None, responses=decided)
        add(f"{run}/cancel", self.cancel, methods=["POST"], response_model=None, responses=decided)

    def every(
        self,
        _: CallerOf,
        kind: Filter = None,
        state: StateQuery = None,
        limit: LimitParameter = 50,
        cursor: CursorParameter = None,
    ) -> Response:
        """Runs, the newest first."""
        listing = Listing("runs", {"kind": kind, "state": state})
        place = Place(limit + 1, listing.numbered(cursor))
        with self._desk.parts.reader.connect() as connection:
            found = listings.runs(connection, place, kind, state)
        page, after = listing.page(found, limit, lambda item: [item.id])
        return JSONResponse({"runs": [run_json(item) for item in page], "next": after})

    def one(self, run: RunPath, _: CallerOf) -> Response:
        """One run, and what it would change: `hirewire runs show --json`."""
        with self._desk.parts.reader.connect() as connection:
            waiting = waiting_for(connection, run)
        return JSONResponse({**run_json(self._known(run)), "waiting": waiting})

    def ask(self, body: Asking, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Have a run done. A worker carries it out; one that would change too much is held first."""
        at = body.targets if isinstance(body, Resync) else [body.target]
        by = caller.acting(Role.OPERATOR, f"run:{body.kind}", at)
        self._desk.require_targets(at or [])
        self._require_what_it_names(body)

        def act() -> dict[str, Json]:
            try:
                return run_json(self._known(self._requested(body, by.actor).id))
            except ValueError as error:
                raise ProblemError(_CONFLICT, str(error)) from None

        return self._desk.once.answer(Asked(by, key, "/v1/runs", body), _ACCEPTED, act)

    def _require_what_it_names(self, body: AskedRun) -> None:
        match body:
            case Resync():
                self._require_people(body.subjects or [])
            case Reconcile():
                self._desk.require_listing(body.target)
            case Enrol():
                self._desk.require_fit(body.target)
            case Replay():
                self._desk.require_sources(body.sources or [])
                self._require_people(body.subjects or [])

    def _requested(self, body: AskedRun, actor: str) -> Run:
        """Raises ValueError where that goes on already."""
        why = body.why.strip()
        match body:
            case Resync():
                return self._desk.runs.request_resync(body.selection, actor, why)
            case Enrol():
                return self._desk.runs.request_enrol(body.target, actor, why)
            case Replay():
                return self._desk.runs.request_replay(body.chosen, actor, why)
        policy = body.policy or Policy(self._desk.settings.targets[body.target].reconcile.policy)
        return self._desk.reconciling.request(body.target, policy, actor, why)

    def approve(self, run: RunPath, body: Why, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Let a held run go on with the plan that it is held for. Needs the role approver."""
        by = caller.acting(Role.APPROVER, f"run:approve:{run}", ())
        asked = Asked(by, key, f"/v1/runs/{run}/approve", body)
        return self._decided(asked, run, lambda: self._desk.runs.approve(run, by, body.why.strip()))

    def cancel(self, run: RunPath, body: Why, caller: CallerOf, key: KeyHeader = None) -> Response:
        """End a run; what it has made due stays due. Needs the role operator."""
        by = caller.acting(Role.OPERATOR, f"run:cancel:{run}", ())
        asked = Asked(by, key, f"/v1/runs/{run}/cancel", body)
        return self._decided(asked, run, lambda: self._desk.runs.cancel(run, by, body.why.strip()))

    def _decided(self, asked: Asked, run: int, decide: Callable[[], object]) -> Response:
        self._known(run)

        def act() -> dict[str, Json]:
            try:
                decide()
            except NotAllowedError as error:
                raise ProblemError(_FORBIDDEN, str(error)) from None
            except ValueError as error:
                raise ProblemError(_CONFLICT, str(error)) from None
            return run_json(self._known(run))

        return self._desk.once.answer(asked, 200, act)

    def _known(self, run: int) -> RunStory:
        with self._desk.parts.reader.connect() as connection:
            found = one(connection, run)
        if found is None:
            raise ProblemError(_NOT_FOUND, f"there is no run {run}")
        return found

    def _require_people(self, subjects: list[str]) -> None:
        with self._desk.parts.reader.connect() as connection:
            unknown = unknown_subjects(connection, subjects)
        if unknown:
            raise ProblemError(_NOT_FOUND, f"no event ever spoke of {unknown[0]!r}")
