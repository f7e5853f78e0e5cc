"""Links by hand: which account of a target is a person's, or that none is."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import Response

from connectors.sdk.model import Json
from worker.api.idempotency import Asked, KeyHeader
from worker.api.operator import answers
from worker.api.operator.access import CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import SubjectPath, TargetPath, Text, Why
from worker.api.operator.people import require_known
from worker.api.operator.routing import acting
from worker.api.operator.shown import Shown
from worker.api.problems import ProblemError
from worker.domain.operator import Role
from worker.engine import link_told
from worker.engine.link_reading import LinkRefusedError
from worker.engine.linking import Changed
from worker.views.links import changed_json, seen_json

_NOT_FOUND, _CONFLICT = 404, 409
_NOT_THERE = frozenset({"unknown", "missing"})
_ACCOUNT = "/v1/accounts/{target}/{subject}"


class Link(Shown):
    """`id`: the target's own, of the account. `replace`: also where the person is linked already."""

    id: Text
    replace: bool = False


class AccountRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        for word, endpoint, told in (
            ("link", self.link, acting(answers.Linked, _NOT_FOUND)),
            ("unlink", self.unlink, acting(answers.Unlinked, _NOT_FOUND)),
        ):
            path = f"{_ACCOUNT}/{word}"
            router.add_api_route(path, endpoint, methods=["POST"], response_model=None, responses=told)

    def link(
        self, target: TargetPath, subject: SubjectPath, body: Link, caller: CallerOf, key: KeyHeader = None
    ) -> Response:
        """Link a person to an account, which is read and shown first. Needs the role approver."""
        by = caller.acting(Role.APPROVER, f"account:link:{subject}:{target}", [target])
        self._require(target, subject)
        asked = link_told.Asked(subject, body.id, by, body.why.strip())
        path = f"/v1/accounts/{target}/{subject}/link"
        act = _refusing(lambda: self._link(target, asked, body))
        return self._desk.once.answer(Asked(by, key, path, body), 200, act)

    def _link(self, target: str, asked: link_told.Asked, body: Link) -> dict[str, Json]:
        door = self._desk.linking(target)
        if body.hash is None:
            seen = door.look(asked, replaces=body.replace)
            done = Changed(seen.former, seen.remote_id)
        else:
            seen = door.look_again(asked, body.hash, replaces=body.replace)
            done = door.link(asked, seen)
        told = {**changed_json(target, asked.subject, done), **seen_json(seen)}
        return {**told, "hash": door.hash(asked, seen), "done": not body.dry_run}

    def unlink(
        self, target: TargetPath, subject: SubjectPath, body: Why, caller: CallerOf, key: KeyHeader = None
    ) -> Response:
        """Take a person's link away; nothing is sent, and they are held there. Needs the role operator."""
        by = caller.acting(Role.OPERATOR, f"account:unlink:{subject}:{target}", [target])
        self._require(target, subject)
        asked = link_told.Asked(subject, None, by, body.why.strip())
        path = f"/v1/accounts/{target}/{subject}/unlink"

        def unlinked() -> dict[str, Json]:
            return changed_json(target, subject, self._desk.linking(target).unlink(asked))

        return self._desk.once.answer(Asked(by, key, path, body), 200, _refusing(unlinked))

    def _require(self, target: str, subject: str) -> None:
        self._desk.require_targets([target])
        require_known(self._desk, subject)


def _refusing(act: Callable[[], dict[str, Json]]) -> Callable[[], dict[str, Json]]:
    """The act, whose refusals are problems."""

    def acted() -> dict[str, Json]:
        try:
            return act()
        except LinkRefusedError as error:
            status = _NOT_FOUND if error.reason in _NOT_THERE else _CONFLICT
            raise ProblemError(status, str(error)) from None

    return acted
