"""Open alarms, and the audit."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from worker.api.operator import answers
from worker.api.operator.access import CallerOf
from worker.api.operator.desk import Desk
from worker.api.operator.params import Filter, seconds
from worker.api.operator.routing import looking
from worker.api.paging import CursorParameter, LimitParameter, Listing
from worker.storage import listings
from worker.storage.listings import Place
from worker.storage.records import AuditFilter, audit_records
from worker.views.records import record_json
from worker.views.status import alarm_json

_NOT_FOUND = 404

Since = Annotated[dt.datetime | None, Query(description="RFC 3339; without a zone it is UTC.")]


class ToldRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_to(self, router: APIRouter) -> None:
        add = router.add_api_route
        add("/v1/alarms", self.alarms, response_model=None, responses=looking(answers.Alarms, _NOT_FOUND))
        add("/v1/audit", self.audit, response_model=None, responses=looking(answers.Records, _NOT_FOUND))

    def alarms(
        self,
        _: CallerOf,
        kind: Filter = None,
        target: Filter = None,
        limit: LimitParameter = 50,
        cursor: CursorParameter = None,
    ) -> Response:
        """Open alarms, the newest first."""
        self._desk.require_targets([target] if target else [])
        listing = Listing("alarms", {"kind": kind, "target": target})
        place = Place(limit + 1, listing.numbered(cursor))
        with self._desk.parts.reader.connect() as connection:
            found = listings.open_alarms(connection, place, kind, target)
        page, after = listing.page(found, limit, lambda item: [item[0]])
        return JSONResponse({"alarms": [alarm_json(alarm) for _, alarm in page], "next": after})

    def audit(  # noqa: PLR0913 - one parameter for each filter
        self,
        _: CallerOf,
        target: Filter = None,
        stream: Filter = None,
        subject: Filter = None,
        action: Filter = None,
        since: Since = None,
        limit: LimitParameter = 50,
        cursor: CursorParameter = None,
    ) -> Response:
        """Audit records, the newest first. `action` is the beginning of an action: `account:patch`."""
        self._desk.require_targets([target] if target else [])
        within = f"target:{target}" if target else stream
        start = None if since is None else seconds(since)
        named = {"stream": within, "subject": subject, "action": action, "since": str(start)}
        listing = Listing("audit", named)
        before = listing.numbered(cursor)
        wanted = AuditFilter(limit + 1, within, subject, action, start, before)
        with self._desk.parts.reader.connect() as connection:
            found = audit_records(connection, wanted)[::-1]
        page, after = listing.page(found, limit, lambda record: [record.row])
        return JSONResponse({"records": [record_json(record) for record in page], "next": after})
