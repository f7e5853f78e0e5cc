"""Rows of runs: operations over many accounts that survive their worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.engine.rows import OVER, Run, RunState
from worker.storage.tables import run

_OPEN = (RunState.WAITING, RunState.JUDGING, RunState.RUNNING)


class RunRows:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def create(
        self,
        kind: str,
        selection: Mapping[str, Json],
        requested_by: str,
        now: float,
        scheduled: str | None = None,
    ) -> Run:
        values = {
            "kind": kind,
            "state": RunState.WAITING,
            "selection": dict(selection),
            "cursor": 0,
            "total": 0,
            "done": 0,
            "requested_by": requested_by,
            "created_at": now,
            "scheduled": scheduled,
        }
        return read_run(self._connection.execute(sa.insert(run).values(values).returning(run)).one())

    def lock(self, run_id: int) -> Run | None:
        query = sa.select(run).where(run.c.id == run_id, run.c.state.in_(_OPEN))
        row = self._connection.execute(query.with_for_update(skip_locked=True)).first()
        return None if row is None else read_run(row)

    def take(self, run_id: int) -> Run | None:
        row = self._connection.execute(sa.select(run).where(run.c.id == run_id).with_for_update()).first()
        return None if row is None else read_run(row)

    def save(self, saved: Run, now: float) -> None:
        finished = now if saved.state in OVER else None
        statement = sa.update(run).where(run.c.id == saved.id)
        self._connection.execute(
            statement.values(
                state=saved.state,
                cursor=saved.cursor,
                total=saved.total,
                done=saved.done,
                plan_hash=saved.plan_hash,
                note=dict(saved.note) or None,
                position=dict(saved.position) or None,
                finished_at=finished,
            )
        )

    def unfinished(self) -> list[int]:
        return self._in(*_OPEN)

    def held(self) -> list[int]:
        return self._in(RunState.HELD)

    def _in(self, *states: RunState) -> list[int]:
        query = sa.select(run.c.id).where(run.c.state.in_(states)).order_by(run.c.id)
        return list(self._connection.scalars(query))


def look_at(connection: sa.Connection, run_id: int) -> Run | None:
    """The run as it stands, without a lock."""
    row = connection.execute(sa.select(run).where(run.c.id == run_id)).first()
    return None if row is None else read_run(row)


def read_run(row: Any) -> Run:  # noqa: ANN401 - a row
    return Run(
        row.id,
        row.kind,
        row.state,
        row.selection,
        row.cursor,
        row.total,
        row.done,
        row.requested_by,
        row.plan_hash,
        row.note or {},
        row.position or {},
        row.scheduled,
    )
