"""What a run found, page by page: the drift of a reconciliation, the proposals of an enrolment."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from worker.api.operator import answers
from worker.api.operator.access import CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import RunPath
from worker.api.operator.routing import looking
from worker.api.paging import CursorParameter, LimitParameter, Listing
from worker.api.problems import ProblemError
from worker.domain.enrol import Verdict
from worker.engine.enrol_ports import ENROL
from worker.engine.reconciling import RECONCILE
from worker.storage.drift_stories import drift_rows
from worker.storage.proposal_stories import proposal_rows
from worker.storage.run_stories import one
from worker.storage.verify import in_short_reads
from worker.views.found import drift_json, proposal_json

_NOT_FOUND = 404

VerdictQuery = Annotated[Verdict | None, Query(description="Only proposals with this verdict.")]


class FoundRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ask = in_short_reads(desk.parts.reader)

    def add_to(self, router: APIRouter) -> None:
        add, run = router.add_api_route, "/v1/runs/{run}"
        add(f"{run}/drift", self.drift, response_model=None, responses=looking(answers.Drifts, _NOT_FOUND))
        proposed = looking(answers.Proposals, _NOT_FOUND)
        add(f"{run}/proposals", self.proposals, response_model=None, responses=proposed)

    def drift(
        self, run: RunPath, _: CallerOf, limit: LimitParameter = 50, cursor: CursorParameter = None
    ) -> Response:
        """What a reconciliation found different, in the order in which it did."""
        self._require(run, RECONCILE, "reconciliation")
        listing = Listing("drift", {"run": run})
        found = [*islice(drift_rows(self._ask, run, listing.numbered(cursor) or 0), limit + 1)]
        page, after = listing.page(found, limit, lambda row: [row.id])
        return JSONResponse({"drift": [drift_json(row) for row in page], "next": after})

    def proposals(
        self,
        run: RunPath,
        _: CallerOf,
        verdict: VerdictQuery = None,
        limit: LimitParameter = 50,
        cursor: CursorParameter = None,
    ) -> Response:
        """Whose the accounts of a target are, as an enrolment proposes it."""
        self._require(run, ENROL, "enrolment")
        listing = Listing("proposals", {"run": run, "verdict": verdict})
        rows = proposal_rows(self._ask, run, verdict, listing.numbered(cursor) or 0)
        found = [*islice(rows, limit + 1)]
        page, after = listing.page(found, limit, lambda row: [row.id])
        return JSONResponse({"proposals": [proposal_json(row) for row in page], "next": after})

    def _require(self, run: int, kind: str, word: str) -> None:
        with self._desk.parts.reader.connect() as connection:
            found = one(connection, run)
        if found is None or found.kind != kind:
            raise ProblemError(_NOT_FOUND, f"there is no {word} {run}")
