"""Another HR key for a person, and two identities that are one person. No scoped token is good for it."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import Response

from connectors.sdk.model import Json
from worker.api.idempotency import Asked, KeyHeader
from worker.api.operator import answers
from worker.api.operator.access import CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import SubjectPath, Text, Why
from worker.api.operator.routing import acting
from worker.api.operator.shown import Shown
from worker.api.problems import ProblemError
from worker.domain.operator import Role
from worker.engine import changing_people
from worker.engine.changing_people import PersonRefusedError
from worker.views.merges import merge_json, rekey_json
from worker.views.people import hidden_among

_NOT_FOUND, _CONFLICT, _UNFIT = 404, 409, 422
_STATUS = {"unknown": _NOT_FOUND, "subject": _UNFIT}
_PERSON = "/v1/people/{subject}"


class Rekey(Why):
    """`to`: the HR key that HR gives them."""

    to: Text
    dry_run: bool = False


class Merge(Shown):
    """`into`: the HR key that the person keeps."""

    into: Text


class IdentityRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        for word, endpoint, told in (
            ("rekey", self.rekey, acting(answers.Rekeyed, _NOT_FOUND)),
            ("merge", self.merge, acting(answers.Merged, _NOT_FOUND)),
        ):
            path = f"{_PERSON}/{word}"
            router.add_api_route(path, endpoint, methods=["POST"], response_model=None, responses=told)

    def rekey(self, subject: SubjectPath, body: Rekey, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Give a person another HR key; events of the old one reach them still. Needs the role approver."""
        by = caller.acting(Role.APPROVER, f"identity:rekey:{subject}")
        asked = changing_people.Asked("rekey", subject, body.to, by, body.why.strip())
        door = self._desk.rekeying

        def rekeyed() -> dict[str, Json]:
            done = door.look(asked) if body.dry_run else door.rekey(asked)
            return {**rekey_json(done), "done": not body.dry_run}

        path = f"/v1/people/{subject}/rekey"
        return self._desk.once.answer(Asked(by, key, path, body), 200, _refusing(rekeyed))

    def merge(self, subject: SubjectPath, body: Merge, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Say that two HR keys are one person, which cannot be undone. Needs the role approver."""
        by = caller.acting(Role.APPROVER, f"identity:merge:{subject}:{body.into}")
        asked = changing_people.Asked("merge", subject, body.into, by, body.why.strip())
        act = _refusing(lambda: self._merge(asked, body))
        return self._desk.once.answer(Asked(by, key, f"/v1/people/{subject}/merge", body), 200, act)

    def _merge(self, asked: changing_people.Asked, body: Merge) -> dict[str, Json]:
        door = self._desk.merging()
        seen = door.look(asked) if body.hash is None else door.look_again(asked, body.hash)
        hidden = hidden_among(self._desk.settings, [one.name for one in seen.said])
        if not body.dry_run:
            door.merge(asked, seen)
        return {**merge_json(seen, hidden), "hash": seen.hash, "done": not body.dry_run}


def _refusing(act: Callable[[], dict[str, Json]]) -> Callable[[], dict[str, Json]]:
    """The act, whose refusals are problems."""

    def acted() -> dict[str, Json]:
        try:
            return act()
        except PersonRefusedError as error:
            raise ProblemError(_STATUS.get(error.reason, _CONFLICT), str(error)) from None

    return acted
