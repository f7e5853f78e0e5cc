"""Read-only questions about runs: what `hirewire runs` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.storage.tables import account, run, target


@dataclass(frozen=True, slots=True)
class RunStory:
    """One run as it stands. `note` is what its judging counted, and who approved it."""

    id: int
    kind: str
    state: str
    selection: Mapping[str, Json]
    total: int
    done: int
    requested_by: str
    created_at: float
    finished_at: float | None
    plan_hash: str | None
    note: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """None selects everything; `before` is the number that the found ones are below."""

    kind: str | None = None
    state: str | None = None
    before: int | None = None


def newest(connection: sa.Connection, limit: int, wanted: RunFilter) -> list[RunStory]:
    """The newest runs that fit, the newest first."""
    query = sa.select(run).order_by(run.c.id.desc()).limit(limit)
    if wanted.kind is not None:
        query = query.where(run.c.kind == wanted.kind)
    if wanted.state is not None:
        query = query.where(run.c.state == wanted.state)
    if wanted.before is not None:
        query = query.where(run.c.id < wanted.before)
    return [story_of(row) for row in connection.execute(query)]


def one(connection: sa.Connection, run_id: int) -> RunStory | None:
    row = connection.execute(sa.select(run).where(run.c.id == run_id)).first()
    return None if row is None else story_of(row)


def waiting_for(connection: sa.Connection, run_id: int) -> int:
    """Accounts with something to do that may not be sent before this mapping run is over."""
    judged = sa.select(target.c.id).where(target.c.mapping_run == run_id)
    withheld = (account.c.pending_since.is_not(None), account.c.due_at.is_(None))
    query = sa.select(sa.func.count()).where(account.c.target_id.in_(judged), *withheld)
    return connection.scalars(query).one()


def story_of(row: Any) -> RunStory:  # noqa: ANN401 - a row
    return RunStory(
        row.id,
        row.kind,
        row.state,
        row.selection,
        row.total,
        row.done,
        row.requested_by,
        row.created_at,
        row.finished_at,
        row.plan_hash,
        row.note or {},
    )
