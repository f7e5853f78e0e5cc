"""What the audit tells of one run: who asked for it, held it, approved of it or ended it, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.engine.runs import OPERATORS
from worker.storage.run_stories import RunStory, one
from worker.storage.tables import audit

_ROUNDED_S = 1.0  # the audit's clock has fewer digits


@dataclass(frozen=True, slots=True)
class Tale:
    """`word` is the last part of the action: requested, held, approved, refused, done, cancelled …"""

    at: float
    word: str
    actor: str
    why: str | None


def tales(connection: sa.Connection, story: RunStory) -> list[Tale]:
    """From the oldest."""
    begun = audit.c.at >= story.created_at - _ROUNDED_S
    about = sa.and_(audit.c.stream == OPERATORS, audit.c.action.startswith("run:"), begun)
    query = sa.select(audit.c.at, audit.c.action, audit.c.text).where(about).order_by(audit.c.id)
    if story.finished_at is not None:
        query = query.where(audit.c.at <= story.finished_at + _ROUNDED_S)
    found = ((row.at, row.action, json.loads(row.text)) for row in connection.execute(query))
    return [_tale(at, action, facts) for at, action, facts in found if facts.get("run") == story.id]


def told_of(connection: sa.Connection, run_id: int) -> list[Tale]:
    """The same by the run's number; nothing where there is none."""
    story = one(connection, run_id)
    return [] if story is None else tales(connection, story)


def _tale(at: float, action: str, facts: Mapping[str, Json]) -> Tale:
    why, actor = facts.get("why") or facts.get("reason"), facts.get("actor")
    return Tale(at, action.rpartition(":")[2], str(actor), None if why is None else str(why))
