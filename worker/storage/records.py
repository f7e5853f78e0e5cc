"""Read-only questions about what happened: audit records, and one person's story.

Each function takes a connection of the reading engine and returns values, never rows; nothing here
writes or locks. Times are seconds since the epoch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.engine.accept import STREAM as INTAKE
from worker.storage.aliases import ids_of, keys_of, merged_rows
from worker.storage.tables import audit, event, identity


@dataclass(frozen=True, slots=True)
class Record:
    """One audit record: its text parsed, and the subject of its identity."""

    stream: str
    seq: int
    at: float
    action: str
    subject: str | None
    facts: Mapping[str, Json]
    hash: str
    row: int


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """None selects everything; `action` is the beginning of an action, `before` a row that is left out."""

    limit: int
    stream: str | None = None
    subject: str | None = None
    action: str | None = None
    since: float | None = None
    before: int | None = None


def audit_records(connection: sa.Connection, wanted: AuditFilter) -> list[Record]:
    """The newest `limit` records that fit, the newest last."""
    query = _records().order_by(audit.c.id.desc()).limit(wanted.limit)
    if wanted.stream is not None:
        query = query.where(audit.c.stream == wanted.stream)
    if wanted.subject is not None:
        query = query.where(identity.c.id.in_(ids_of([wanted.subject])))
    if wanted.action is not None:
        query = query.where(audit.c.action.startswith(wanted.action, autoescape=True))
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.before is not None:
        query = query.where(audit.c.id < wanted.before)
    return [_record(row) for row in connection.execute(query)][::-1]


def _records() -> sa.Select[Any]:
    columns = (
        audit.c.id,
        audit.c.stream,
        audit.c.seq,
        audit.c.at,
        audit.c.action,
        audit.c.text,
        audit.c.hash,
    )
    joined = audit.outerjoin(identity, identity.c.id == audit.c.identity_id)
    return sa.select(*columns, identity.c.subject).select_from(joined)


def _record(row: Any) -> Record:  # noqa: ANN401 - a row
    facts: dict[str, Json] = json.loads(row.text)
    said = facts.get("subject")
    subject = row.subject or (said if isinstance(said, str) else None)
    return Record(row.stream, row.seq, row.at, row.action, subject, facts, row.hash, row.id)


@dataclass(frozen=True, slots=True)
class EventLook:
    """An accepted event. `effect` None: it waits to be folded. `asserts` are names, no values."""

    row: int
    source: str
    id: str
    type: str
    accepted_at: float
    asserts: tuple[str, ...]
    effect: str | None
    revision: int | None
    correlation: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known about one person: `events` by arrival, `records` of the audit by time."""

    subject: str
    revision: int
    events: tuple[EventLook, ...]
    records: tuple[Record, ...]


def story(connection: sa.Connection, subject: str) -> Story | None:
    """By an alias too, and with what was told of those who were merged. None: nobody spoke of the subject."""
    person = connection.execute(
        sa.select(identity.c.id, identity.c.revision).where(identity.c.id.in_(ids_of([subject])))
    ).first()
    row, revision = (person.id, person.revision) if person else (None, 0)
    events = _events_of(connection, subject, row)
    records = [*_turned_away(connection, subject)]
    if row is not None:
        rows = [row, *connection.scalars(merged_rows(row))]
        ours = _records().where(audit.c.identity_id.in_(rows)).order_by(audit.c.id)
        records += [_record(found) for found in connection.execute(ours)]
    if not events and not records:
        return None
    return Story(subject, revision, tuple(events), tuple(sorted(records, key=_moment)))


def _moment(record: Record) -> float:
    return record.at


def _events_of(connection: sa.Connection, subject: str, row: int | None) -> list[EventLook]:
    keys = keys_of(connection, subject)
    waiting = sa.and_(event.c.fold_at.is_not(None), event.c.subject.in_(keys))
    ours = waiting if row is None else sa.or_(event.c.identity_id == row, waiting)
    return [
        EventLook(
            found.id,
            found.source,
            found.event_id,
            found.type,
            found.accepted_at,
            tuple(sorted(found.assertions)),
            found.effect,
            found.revision,
            found.correlation,
        )
        for found in connection.execute(sa.select(event).where(ours).order_by(event.c.id))
    ]


def _turned_away(connection: sa.Connection, subject: str) -> list[Record]:
    """Repeats and refusals that named the subject: they made no event row."""
    actions = ("event:accept:duplicate", "event:accept:refused")
    named = '"subject":' + json.dumps(subject, ensure_ascii=False)
    query = _records().where(
        audit.c.action.in_(actions),
        audit.c.stream == INTAKE,
        audit.c.text.contains(named, autoescape=True),
    )
    found = [_record(row) for row in connection.execute(query.order_by(audit.c.id))]
    return [record for record in found if record.subject == subject]
