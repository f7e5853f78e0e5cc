"""Read-only questions of people: what `hirewire status`, `held`, `audit` and `resync` show.

Each function takes a connection of the reading engine and returns values, never rows; nothing here
writes or locks. Times are seconds since the epoch. Answers of one connection's transaction agree
with each other; on PostgreSQL each statement sees what was committed when it began.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors.sdk.model import Json
from worker.engine.accept import STREAM as INTAKE
from worker.storage.codec import read_held
from worker.storage.tables import account, alarm, audit, event, identity, run, target

FRESHNESS_WINDOW_S = 3600.0
_NEWEST = 10_000  # latencies that freshness looks at
_CANDIDATES = 200  # subjects that a typing error is compared with
_ACKNOWLEDGED = ("account:patch:applied", "account:patch:confirmed")
_OPEN_RUNS = ("waiting", "running")


def clock(connection: sa.Connection) -> float:
    """The installation's clock: the database's on PostgreSQL, this machine's on SQLite."""
    if connection.dialect.name == "sqlite":
        return time.time()
    now = sa.func.extract("epoch", sa.func.clock_timestamp())
    return float(connection.execute(sa.select(now)).scalar_one())


@dataclass(frozen=True, slots=True)
class TargetLook:
    """One target's row and the counts of its accounts."""

    id: int
    name: str
    state: str  # active | paused
    reason: str | None
    accounts: int
    due: int  # could be worked on now
    oldest_due_at: float | None
    in_flight: int  # leased by a sync
    later: int  # wait for their time: back-off, second look
    in_doubt: int  # a write was intended and has no definite outcome yet
    held: int  # accounts with at least one held field
    revisions: int  # acknowledged, over all accounts


def targets(connection: sa.Connection, now: float) -> list[TargetLook]:
    """Every target by name. One pass over the accounts."""
    is_due, ahead = account.c.due_at <= now, account.c.due_at > now
    leased = account.c.lease_token.is_not(None)
    doubtful = sa.and_(account.c.due_at.is_not(None), _has_doubt(connection))
    query = (
        sa.select(
            target.c.id,
            target.c.name,
            target.c.state,
            target.c.reason,
            sa.func.count(account.c.id).label("accounts"),
            _count(is_due).label("due"),
            sa.func.min(sa.case((is_due, account.c.due_at))).label("oldest_due_at"),
            _count(sa.and_(leased, ahead)).label("in_flight"),
            _count(sa.and_(~leased, ahead)).label("later"),
            _count(doubtful).label("in_doubt"),
            _count(account.c.held.is_not(None)).label("held"),
            sa.func.coalesce(sa.func.sum(account.c.applied_revision), 0).label("revisions"),
        )
        .select_from(target.outerjoin(account, account.c.target_id == target.c.id))
        .group_by(target.c.id, target.c.name, target.c.state, target.c.reason)
        .order_by(target.c.name)
    )
    return [TargetLook(*row) for row in connection.execute(query)]


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


def _has_doubt(connection: sa.Connection) -> sa.ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        state = sa.cast(account.c.state, postgresql.JSON)
        return sa.func.json_extract_path_text(state, "doubt").is_not(None)
    return sa.func.json_extract(account.c.state, "$.doubt").is_not(None)


@dataclass(frozen=True, slots=True)
class TargetState:
    state: str  # active | paused
    reason: str | None


def target_states(connection: sa.Connection) -> dict[str, TargetState]:
    """By name, without looking at accounts."""
    rows = connection.execute(sa.select(target.c.name, target.c.state, target.c.reason))
    return {row.name: TargetState(row.state, row.reason) for row in rows}


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds from an event's acceptance to its acknowledgement, by nearest rank."""

    count: int
    p50_s: float
    p95_s: float
    p99_s: float


def freshness(connection: sa.Connection, now: float) -> dict[str, Freshness]:
    """Audit stream to freshness over the last hour, at most the 10,000 newest acknowledgements."""
    query = (
        sa.select(audit.c.stream, audit.c.latency_s)
        .where(audit.c.action.in_(_ACKNOWLEDGED), audit.c.at >= now - FRESHNESS_WINDOW_S)
        .where(audit.c.latency_s.is_not(None))
        .order_by(audit.c.at.desc())
        .limit(_NEWEST)
    )
    found: dict[str, list[float]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.stream].append(row.latency_s)
    return {stream: _freshness(sorted(values)) for stream, values in found.items()}


def _freshness(ordered: Sequence[float]) -> Freshness:
    p50, p95, p99 = (_rank(ordered, share) for share in (0.50, 0.95, 0.99))
    return Freshness(len(ordered), p50, p95, p99)


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Alarm:
    kind: str
    target: str | None
    message: str
    raised_at: float


@dataclass(frozen=True, slots=True)
class Totals:
    """`waiting`: events to be folded now; `scheduled`: those whose time has not come."""

    waiting: int
    scheduled: int
    open_runs: int
    alarms: tuple[Alarm, ...]


def totals(connection: sa.Connection, now: float) -> Totals:
    unfolded = sa.select(_events(event.c.fold_at <= now), _events(event.c.fold_at > now))
    waiting, scheduled = connection.execute(unfolded.where(event.c.fold_at.is_not(None))).one()
    runs = sa.select(sa.func.count()).where(run.c.state.in_(_OPEN_RUNS))
    return Totals(waiting, scheduled, connection.execute(runs).scalar_one(), _alarms(connection))


def _events(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


def _alarms(connection: sa.Connection) -> tuple[Alarm, ...]:
    query = (
        sa.select(alarm.c.kind, target.c.name, alarm.c.message, alarm.c.raised_at)
        .select_from(alarm.outerjoin(target, target.c.id == alarm.c.target_id))
        .where(alarm.c.cleared_at.is_(None))
        .order_by(alarm.c.id)
    )
    return tuple(Alarm(*row) for row in connection.execute(query))


@dataclass(frozen=True, slots=True)
class HeldField:
    target: str
    subject: str
    remote_id: str | None
    field: str
    reason: str
    message: str
    since: float


def held(connection: sa.Connection, target_name: str | None, limit: int) -> list[HeldField]:
    """Held fields of at most `limit` accounts, ordered by target, subject and field."""
    query = (
        sa.select(target.c.name, identity.c.subject, account.c.remote_id, account.c.held)
        .join_from(account, target, target.c.id == account.c.target_id)
        .join(identity, identity.c.id == account.c.identity_id)
        .where(account.c.held.is_not(None))
        .order_by(target.c.name, identity.c.subject)
        .limit(limit)
    )
    if target_name is not None:
        query = query.where(target.c.name == target_name)
    return [
        HeldField(row.name, row.subject, row.remote_id, name, hold.reason.value, hold.message, hold.since)
        for row in connection.execute(query)
        for name, hold in sorted(read_held(row.held).items())
    ]


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


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """None selects everything; `action` is the beginning of an action."""

    limit: int
    stream: str | None = None
    subject: str | None = None
    action: str | None = None
    since: float | None = None


def audit_records(connection: sa.Connection, wanted: AuditFilter) -> list[Record]:
    """The newest `limit` records that fit, the newest last."""
    query = _records().order_by(audit.c.id.desc()).limit(wanted.limit)
    if wanted.stream is not None:
        query = query.where(audit.c.stream == wanted.stream)
    if wanted.subject is not None:
        query = query.where(identity.c.subject == wanted.subject)
    if wanted.action is not None:
        query = query.where(audit.c.action.startswith(wanted.action, autoescape=True))
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    return [_record(row) for row in connection.execute(query)][::-1]


def _records() -> sa.Select[Any]:
    columns = (audit.c.stream, audit.c.seq, audit.c.at, audit.c.action, audit.c.text, audit.c.hash)
    joined = audit.outerjoin(identity, identity.c.id == audit.c.identity_id)
    return sa.select(*columns, identity.c.subject).select_from(joined)


def _record(row: Any) -> Record:  # noqa: ANN401 - a row
    facts: dict[str, Json] = json.loads(row.text)
    said = facts.get("subject")
    subject = row.subject or (said if isinstance(said, str) else None)
    return Record(row.stream, row.seq, row.at, row.action, subject, facts, row.hash)


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


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known about one person: `events` by arrival, `records` of the audit by time."""

    subject: str
    revision: int
    events: tuple[EventLook, ...]
    records: tuple[Record, ...]


def story(connection: sa.Connection, subject: str) -> Story | None:
    """None where nobody ever spoke of the subject."""
    person = connection.execute(
        sa.select(identity.c.id, identity.c.revision).where(identity.c.subject == subject)
    ).first()
    row, revision = (person.id, person.revision) if person else (None, 0)
    events = _events_of(connection, subject, row)
    records = [*_turned_away(connection, subject)]
    if row is not None:
        ours = _records().where(audit.c.identity_id == row).order_by(audit.c.id)
        records += [_record(found) for found in connection.execute(ours)]
    if not events and not records:
        return None
    return Story(subject, revision, tuple(events), tuple(sorted(records, key=_moment)))


def _moment(record: Record) -> float:
    return record.at


def _events_of(connection: sa.Connection, subject: str, row: int | None) -> list[EventLook]:
    waiting = sa.and_(event.c.fold_at.is_not(None), event.c.subject == subject)
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


def unknown_subjects(connection: sa.Connection, subjects: Sequence[str]) -> list[str]:
    """Those that no event was ever folded for, in the order given."""
    query = sa.select(identity.c.subject).where(identity.c.subject.in_(set(subjects)))
    known = set(connection.scalars(query))
    return [subject for subject in subjects if subject not in known]


def like_subject(connection: sa.Connection, subject: str) -> list[str]:
    """Some subjects that begin alike, without regard to case: what a typing error may have meant."""
    beginning = subject[: max(1, len(subject) - 2)].lower()
    query = sa.select(identity.c.subject).where(
        sa.func.lower(identity.c.subject).startswith(beginning, autoescape=True)
    )
    return list(connection.scalars(query.order_by(identity.c.subject).limit(_CANDIDATES)))


@dataclass(frozen=True, slots=True)
class Selection:
    """Accounts of these subjects at these targets; None: of all."""

    subjects: Sequence[str] | None = None
    targets: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class RunLook:
    """`unread` accounts still wait for the read that the run asked for; `stuck` of them at paused targets."""

    state: str  # waiting | running | done | cancelled
    accounts: int
    unread: int
    stuck: int
    held: int
    later: int


def run_look(connection: sa.Connection, run_id: int, selection: Selection) -> RunLook:
    state, done = connection.execute(sa.select(run.c.state, run.c.done).where(run.c.id == run_id)).one()
    unread = account.c.verify_at.is_not(None)
    query = (
        sa.select(
            _count(unread),
            _count(sa.and_(unread, target.c.state == "paused")),
            _count(account.c.held.is_not(None)),
            _count(account.c.due_at.is_not(None)),
        )
        .join_from(account, target, target.c.id == account.c.target_id)
        .where(*_selected(selection))
    )
    return RunLook(state, done, *connection.execute(query).one())


def _selected(selection: Selection) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if selection.targets is not None:
        conditions.append(target.c.name.in_(selection.targets))
    if selection.subjects is not None:
        chosen = sa.select(identity.c.id).where(identity.c.subject.in_(selection.subjects))
        conditions.append(account.c.identity_id.in_(chosen))
    return conditions
