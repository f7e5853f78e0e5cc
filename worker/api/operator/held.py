"""What is held, and decisions about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from connectors.sdk.model import Json
from worker.api.idempotency import Asked, KeyHeader
from worker.api.operator import answers
from worker.api.operator.access import Caller, CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import FieldPath, Filter, SubjectPath, TargetPath, Text, Why
from worker.api.operator.people import require_known
from worker.api.operator.routing import acting, looking
from worker.api.paging import CursorParameter, LimitParameter, Listing
from worker.api.problems import ProblemError
from worker.domain.decisions import Word
from worker.engine.deciding import UndecidableError
from worker.storage.queries import held as held_fields
from worker.views.held import NEEDS, decidable_json, held_json

_NOT_FOUND, _CONFLICT = 404, 409
_ACCOUNT = "/v1/held/{target}/{subject}"


class Decision(Why):
    """`hash`: of what was looked at, or its beginning; another one by now is refused."""

    hash: Text | None = Field(None, description="Of what was looked at, or its beginning.")


@dataclass(frozen=True, slots=True)
class Place:
    """One field of one account."""

    target: str
    subject: str
    field: str


def _place(target: TargetPath, subject: SubjectPath, field: FieldPath) -> Place:
    return Place(target, subject, field)


AtField = Annotated[Place, Depends(_place)]


@dataclass(frozen=True, slots=True)
class Told:
    """What was decided, by whom, under which key."""

    body: Decision
    caller: Caller
    key: str | None


class HeldRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        add = router.add_api_route
        add("/v1/held", self.every, response_model=None, responses=looking(answers.HeldFields, _NOT_FOUND))
        add(_ACCOUNT, self.account, response_model=None, responses=looking(answers.Decidables, _NOT_FOUND))
        for word, endpoint in (
            (Word.RETRY, self.retry),
            (Word.DISCARD, self.discard),
            (Word.APPROVE, self.approve),
            (Word.REJECT, self.reject),
        ):
            path = f"{_ACCOUNT}/{{field}}/{word.value}"
            told = acting(answers.Decided, _NOT_FOUND)
            add(path, endpoint, methods=["POST"], response_model=None, responses=told)

    def every(
        self, _: CallerOf, target: Filter = None, limit: LimitParameter = 50, cursor: CursorParameter = None
    ) -> Response:
        """Held fields by target and person; `limit` counts accounts."""
        self._desk.require_targets([target] if target else [])
        listing = Listing("held", {"target": target})
        with self._desk.parts.reader.connect() as connection:
            found = held_fields(connection, target, limit + 1, listing.named(cursor))
        accounts = list(dict.fromkeys((item.target, item.subject) for item in found))
        first, after = listing.page(accounts, limit, lambda account: [*account])
        kept = set(first)
        page = [held_json(item) for item in found if (item.target, item.subject) in kept]
        return JSONResponse({"held": page, "next": after})

    def account(self, target: TargetPath, subject: SubjectPath, _: CallerOf) -> Response:
        """What is held of one account, and the hash that a decision binds to: `hirewire held show --json`."""
        self._require(target, subject)
        found = self._desk.deciding.look(target, subject)
        return JSONResponse({"held": [decidable_json(item) for item in found]})

    def retry(self, at: AtField, body: Decision, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Have a held field looked at again. Needs the role operator."""
        return self._decide(at, Word.RETRY, Told(body, caller, key))

    def discard(self, at: AtField, body: Decision, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Say that a held value is not to be sent. Needs the role operator."""
        return self._decide(at, Word.DISCARD, Told(body, caller, key))

    def approve(self, at: AtField, body: Decision, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Let one guarded change pass, once and for a day. Needs the role approver."""
        return self._decide(at, Word.APPROVE, Told(body, caller, key))

    def reject(self, at: AtField, body: Decision, caller: CallerOf, key: KeyHeader = None) -> Response:
        """Say no to what waits for an approval, or take an unused one back. Needs the role approver."""
        return self._decide(at, Word.REJECT, Told(body, caller, key))

    def _decide(self, at: Place, word: Word, told: Told) -> Response:
        by = told.caller.acting(NEEDS[word], f"held:{word.value}:{at.subject}:{at.target}", [at.target])
        self._require(at.target, at.subject)
        body, decide = told.body, self._desk.deciding.decide

        def act() -> dict[str, Json]:
            try:
                done = decide(at.target, at.subject, at.field, word, by, body.why.strip(), body.hash)
            except UndecidableError as error:
                raise ProblemError(_CONFLICT, str(error)) from None
            return {**asdict(at), "decision": word.value, "hash": done.hash}

        path = f"/v1/held/{at.target}/{at.subject}/{at.field}/{word.value}"
        return self._desk.once.answer(Asked(by, told.key, path, body), 200, act)

    def _require(self, target: str, subject: str) -> None:
        self._desk.require_targets([target])
        require_known(self._desk, subject)
