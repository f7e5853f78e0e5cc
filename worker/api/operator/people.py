"""One person: what HR said, the account at each target, and why each field is as it is."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from worker.api.operator import answers
from worker.api.operator.access import CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import Filter, SubjectPath, TargetsQuery
from worker.api.operator.routing import looking
from worker.api.problems import ProblemError
from worker.engine.explaining import Explaining
from worker.engine.people import person
from worker.views.people import hidden_of, person_json
from worker.views.stories import story_json

_NOT_FOUND = 404


class PeopleRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        add, one = router.add_api_route, "/v1/people/{subject}"
        add(one, self.one, response_model=None, responses=looking(answers.Person, _NOT_FOUND))
        add(f"{one}/explain", self.explain, response_model=None, responses=looking(answers.Story, _NOT_FOUND))

    def one(self, subject: SubjectPath, _: CallerOf) -> Response:
        """What HR said, by which event, and the accounts: `hirewire identity show --json`."""
        found = person(self._desk.viewer, subject)
        if found is None:
            raise ProblemError(_NOT_FOUND, f"no event about {subject!r} is folded")
        return JSONResponse(person_json(found, hidden_of(self._desk.settings, found)))

    def explain(
        self, subject: SubjectPath, _: CallerOf, target: TargetsQuery = None, field: Filter = None
    ) -> Response:
        """Of each field what is wanted, who said so, and what is there: `hirewire explain --json`."""
        self._desk.require_targets(target or [])
        require_known(self._desk, subject)
        story = Explaining(self._desk.viewer, self._desk.planning(target or [])).of(subject)
        return JSONResponse(story_json(story, field))


def require_known(desk: Desk, subject: str) -> None:
    """Raises ProblemError for somebody whom no event speaks of, folded or not."""
    with desk.viewer.begin() as view:
        if view.person(subject) is None and not view.waiting(subject):
            raise ProblemError(_NOT_FOUND, f"no event ever spoke of {subject!r}")
