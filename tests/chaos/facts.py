"""What the database holds, read as plain rows by plain SQL: none of the engine's own queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

_SETTLED = "SELECT count(*) FROM audit WHERE action IN ('account:patch:applied', 'account:patch:confirmed')"
_OPEN = (
    "SELECT (SELECT count(*) FROM event WHERE fold_at IS NOT NULL),"
    " (SELECT count(*) FROM account WHERE due_at IS NOT NULL),"
    " (SELECT count(*) FROM account WHERE remote_id IS NULL AND held IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    folded: bool
    effect: str | None
    revision: int | None
    identity: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """`held`: field -> reason. `open`: something is still to be done for it."""

    identity: int
    target: str
    remote_id: str | None
    applied_revision: int
    open: bool
    in_doubt: bool
    held: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """`audit` are the records' own texts, in the order of their rows."""

    events: Sequence[Event]
    revisions: Mapping[int, int]
    subjects: Mapping[int, str]
    accounts: Sequence[Account]
    audit: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Open:
    unfolded: int
    due: int
    unlinked: int

    @property
    def nothing(self) -> bool:
        return not (self.unfolded or self.due)


class Rows:
    """A reader that connects anew for each question: the database may have been killed meanwhile."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, poolclass=NullPool)

    def settled(self) -> int:
        """How many changes have been acknowledged. Raises `sqlalchemy.exc.DBAPIError` while it is away."""
        with self._engine.connect() as connection:
            return int(connection.execute(sa.text(_SETTLED)).scalar_one())

    def open(self) -> Open:
        with self._engine.connect() as connection:
            return Open(*connection.execute(sa.text(_OPEN)).one())

    def facts(self) -> Facts:
        with self._engine.connect() as connection:
            identities = connection.execute(sa.text("SELECT id, subject, revision FROM identity")).all()
            return Facts(
                events=_events(connection),
                revisions={row.id: row.revision for row in identities},
                subjects={row.id: row.subject for row in identities},
                accounts=_accounts(connection),
                audit=self.audit(),
            )

    def audit(self) -> list[Mapping[str, Any]]:
        with self._engine.connect() as connection:
            texts = connection.scalars(sa.text("SELECT text FROM audit ORDER BY id"))
            return [json.loads(text) for text in texts]

    def dump(self) -> str:
        """Every value of every table, as text."""
        with self._engine.connect() as connection:
            names = sa.inspect(connection).get_table_names()
            rows = (connection.execute(sa.text(f'SELECT * FROM "{name}"')) for name in names)  # noqa: S608 - its own names
            return "\n".join(repr(tuple(row)) for table in rows for row in table)


def _events(connection: sa.Connection) -> list[Event]:
    query = "SELECT event_id, fold_at, effect, revision, identity_id FROM event"
    return [
        Event(row.event_id, row.fold_at is None, row.effect, row.revision, row.identity_id)
        for row in connection.execute(sa.text(query))
    ]


def _accounts(connection: sa.Connection) -> list[Account]:
    query = (
        "SELECT a.identity_id, t.name, a.remote_id, a.applied_revision, a.due_at, a.lease_token, a.state,"
        " a.held"
        " FROM account a JOIN target t ON t.id = a.target_id"
    )
    return [
        Account(
            identity=row.identity_id,
            target=row.name,
            remote_id=row.remote_id,
            applied_revision=row.applied_revision,
            open=row.due_at is not None or row.lease_token is not None,
            in_doubt=bool(json.loads(row.state).get("doubt")),
            held={name: hold[0] for name, hold in json.loads(row.held or "{}").items()},
        )
        for row in connection.execute(sa.text(query))
    ]
