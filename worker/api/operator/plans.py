"""What would be sent where, and why nothing is. Sends nothing, stores nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import Field, RootModel, model_validator

from connectors.sdk.model import Json
from worker.api.operator import answers
from worker.api.operator.access import CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import Body, Names, Text
from worker.api.operator.people import require_known
from worker.api.operator.routing import acting
from worker.api.problems import ProblemError
from worker.domain.strict_json import RefusedError
from worker.engine.account_plan import AccountPlan
from worker.engine.planning import Planning
from worker.storage.run_stories import one as run_story
from worker.views.plans import account_json, names_of, person_json
from worker.views.said import Said, refused_line, stored_line
from worker.views.stories import QUIET

_NOT_FOUND = 404
_MOST = 5_000  # accounts that one request plans; the command counts them all


class Plan(RootModel[answers.PeoplePlan | answers.AccountsPlan]):
    """Of people or events; or of a target or a run."""


class Wanted(Body):
    """One of subject, events, event and run; or targets alone: all accounts there."""

    subject: Text | None = None
    events: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=100)] | None = Field(
        None, description="CloudEvents that were not sent yet."
    )
    event: Text | None = Field(None, description="The id of a stored event.")
    run: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = None
    targets: Names | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100

    @model_validator(mode="after")
    def _says_what(self) -> Wanted:
        given = [one for one in (self.subject, self.events, self.event, self.run) if one is not None]
        if len(given) > 1 or not (given or self.targets):
            raise ValueError("give one of subject, events, event and run, or targets alone")
        return self


class PlanRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        told = acting(Plan, _NOT_FOUND)
        router.add_api_route("/v1/plan", self.plan, methods=["POST"], response_model=None, responses=told)

    def plan(self, body: Wanted, _: CallerOf) -> Response:
        """What would be sent, as `hirewire plan --json` tells: method, path, body and the guards' verdict."""
        self._desk.require_targets(body.targets or [])
        planning = self._desk.planning(body.targets or [])
        if body.subject is not None:
            require_known(self._desk, body.subject)
            return self._people(planning, Said({body.subject: []}))
        if body.events is not None:
            return self._people(planning, self._said(body.events))
        if body.event is not None:
            return self._people(planning, self._stored(body.event))
        return self._accounts(planning.of_accounts(self._selection(body)), body.limit)

    def _said(self, events: list[dict[str, Any]]) -> Said:
        said = Said()
        for number, event in enumerate(events):
            try:
                read = self._desk.parts.intake.read(json.dumps(event).encode())
            except RefusedError as error:
                said.refused.append(refused_line(f"events/{number}", error.refusal))
            else:
                said.events.setdefault(read.subject, []).append(read)
        return said

    def _stored(self, name: str) -> Said:
        with self._desk.viewer.begin() as view:
            kept, now = view.events_called(name), view.now
        if not kept:
            raise ProblemError(_NOT_FOUND, f"no stored event has the id {name!r}")
        said = Said(notes=[stored_line(one, now) for one in kept])
        for one in kept:
            said.events.setdefault(one.stored.event.subject, [])
        return said

    def _people(self, planning: Planning, said: Said) -> Response:
        plans = [planning.of_person(subject, events) for subject, events in said.events.items()]
        viewer = self._desk.viewer
        people = [person_json(one, names_of(viewer, one.accounts, one.folds)) for one in plans]
        told = {"notes": said.notes, "refused": said.refused, "more": said.more}
        return JSONResponse({"people": people, **told})

    def _selection(self, body: Wanted) -> Mapping[str, Json]:
        named: Mapping[str, Json] = {"targets": [*body.targets]} if body.targets else {}
        if body.run is None:
            return named
        with self._desk.parts.reader.connect() as connection:
            found = run_story(connection, body.run)
        if found is None:
            raise ProblemError(_NOT_FOUND, f"there is no run {body.run}")
        return {**found.selection, **named}

    def _accounts(self, found: Iterator[AccountPlan], limit: int) -> Response:
        counts: Counter[tuple[str, str]] = Counter()
        listed: list[Json] = []
        loud = 0
        for planned in islice(found, _MOST):
            counts[planned.target.name, planned.verdict.value] += 1
            if planned.verdict not in QUIET:
                loud += 1
                if loud <= limit:
                    listed.append(account_json(planned, names_of(self._desk.viewer, [planned])))
        more = loud > limit or next(found, None) is not None
        return JSONResponse({"accounts": listed, "counts": _nested(counts), "more": more})


def _nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """By target and verdict."""
    found: dict[str, dict[str, int]] = {}
    for (name, verdict), count in sorted(counts.items()):
        found.setdefault(name, {})[verdict] = count
    return found
