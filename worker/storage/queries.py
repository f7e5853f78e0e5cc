"""Read-only questions of people: what `hirewire held` and `resync` show, and which subjects there are.

Each function takes a connection of the reading engine and returns values, never rows; nothing here
writes or locks. Times are seconds since the epoch. Answers of one connection's transaction agree
with each other; on PostgreSQL each statement sees what was committed when it began. How far behind
targets are is asked in `worker.storage.freshness`, what happened in `worker.storage.records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from worker.storage.codec import read_held
from worker.storage.freshness import matching
from worker.storage.tables import account, identity, run, target

_CANDIDATES = 200  # subjects that a typing error is compared with


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
            matching(unread),
            matching(sa.and_(unread, target.c.state == "paused")),
            matching(account.c.held.is_not(None)),
            matching(account.c.due_at.is_not(None)),
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
