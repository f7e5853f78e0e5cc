"""Pages of what operators list: runs and alarms, the newest first. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from worker.storage.freshness import Alarm
from worker.storage.run_stories import RunStory, story_of
from worker.storage.tables import alarm, run, target


@dataclass(frozen=True, slots=True)
class Place:
    """`before`: the row behind which a page begins, None: the newest."""

    limit: int
    before: int | None = None


def runs(
    connection: sa.Connection, place: Place, kind: str | None = None, state: str | None = None
) -> list[RunStory]:
    query = sa.select(run).order_by(run.c.id.desc()).limit(place.limit)
    for column, wanted in ((run.c.kind, kind), (run.c.state, state)):
        query = query if wanted is None else query.where(column == wanted)
    query = query if place.before is None else query.where(run.c.id < place.before)
    return [story_of(row) for row in connection.execute(query)]


def open_alarms(
    connection: sa.Connection, place: Place, kind: str | None = None, target_name: str | None = None
) -> list[tuple[int, Alarm]]:
    """With their rows."""
    query = (
        sa.select(alarm.c.id, alarm.c.kind, target.c.name, alarm.c.message, alarm.c.raised_at)
        .select_from(alarm.outerjoin(target, target.c.id == alarm.c.target_id))
        .where(alarm.c.cleared_at.is_(None))
        .order_by(alarm.c.id.desc())
        .limit(place.limit)
    )
    for column, wanted in ((alarm.c.kind, kind), (target.c.name, target_name)):
        query = query if wanted is None else query.where(column == wanted)
    query = query if place.before is None else query.where(alarm.c.id < place.before)
    return [(row.id, Alarm(*row[1:])) for row in connection.execute(query)]
