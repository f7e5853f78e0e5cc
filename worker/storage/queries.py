"""Read-only questions of people: what `hirewire held` shows, and which subjects there are.

Each function takes a connection of the reading engine and returns values, never rows; nothing here
writes or locks. Times are seconds since the epoch. Answers of one connection's transaction agree
with each other; on PostgreSQL each statement sees what was committed when it began. How far behind
targets are is asked in `worker.storage.freshness`, what happened in `worker.storage.records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from worker.storage.aliases import aliases
from worker.storage.codec import read_held
from worker.storage.tables import account, identity, target

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


def held(
    connection: sa.Connection, target_name: str | None, limit: int, after: tuple[str, str] | None = None
) -> list[HeldField]:
    """Held fields of at most `limit` accounts, ordered by target, subject and field.

    `after`: target and subject behind which to begin.
    """
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
    if after is not None:
        query = query.where(sa.tuple_(target.c.name, identity.c.subject) > sa.tuple_(*after))
    return [
        HeldField(row.name, row.subject, row.remote_id, name, hold.reason.value, hold.message, hold.since)
        for row in connection.execute(query)
        for name, hold in sorted(read_held(row.held).items())
    ]


def unknown_subjects(connection: sa.Connection, subjects: Sequence[str]) -> list[str]:
    """Those that no event was ever folded for, in the order given."""
    query = sa.select(identity.c.subject).where(identity.c.subject.in_(set(subjects)))
    known = {*connection.scalars(query), *aliases(connection, subjects)}
    return [subject for subject in subjects if subject not in known]


def like_subject(connection: sa.Connection, subject: str) -> list[str]:
    """Some subjects that begin alike, without regard to case: what a typing error may have meant."""
    beginning = subject[: max(1, len(subject) - 2)].lower()
    query = sa.select(identity.c.subject).where(
        sa.func.lower(identity.c.subject).startswith(beginning, autoescape=True)
    )
    return list(connection.scalars(query.order_by(identity.c.subject).limit(_CANDIDATES)))
